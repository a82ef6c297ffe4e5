/*
 * Payloads as values: whatever octets come, reading and writing them again gives the same octets.
 * And a terminal's registers fed with any answers: they stay in their map, count what they lost, and
 * are free again afterwards.
 */
#include "hal.h"
#include "link_layouts.h"
#include "link_registers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds) {
        abort();
    }
}

#define ROUND(name, bytes_of)                                                                      \
    static void round_##name(const uint8_t *octets, size_t size)                                   \
    {                                                                                              \
        uint8_t back[bytes_of];                                                                    \
        struct link_##name values;                                                                 \
                                                                                                   \
        if (size >= (bytes_of)) {                                                                  \
            link_get_##name(octets, &values);                                                      \
            require(link_put_##name(&values, back) == (bytes_of));                                 \
            require(memcmp(back, octets, bytes_of) == 0);                                          \
        }                                                                                          \
    }

ROUND(hello, LINK_HELLO_BYTES)
ROUND(heartbeat, LINK_HEARTBEAT_BYTES)
ROUND(word, LINK_WORD_BYTES)
ROUND(time_reply, LINK_TIME_REPLY_BYTES)
ROUND(sensors, LINK_SENSORS_BYTES)
ROUND(actuators, LINK_ACTUATORS_BYTES)
ROUND(grant, LINK_GRANT_BYTES)
ROUND(done, LINK_DONE_BYTES)
ROUND(chunk, LINK_CHUNK_BYTES)
ROUND(credit, LINK_CREDIT_BYTES)
ROUND(reg_read, LINK_REG_READ_BYTES)
ROUND(reg_write, LINK_REG_WRITE_BYTES)
ROUND(reg_values, LINK_REG_VALUES_BYTES)

static void (*const ROUNDS[])(const uint8_t *octets, size_t size) = {
    round_hello,     round_heartbeat, round_word,       round_time_reply, round_sensors,
    round_actuators, round_grant,     round_done,       round_chunk,      round_credit,
    round_reg_read,  round_reg_write, round_reg_values,
};

/* An answer as the decoder lets it through: as many words as it says. */
static void answer(struct link_registers *registers, const uint8_t *data, size_t size,
                   uint64_t now_ns)
{
    uint8_t payload[LINK_REG_VALUES_BYTES + 4 * UINT8_MAX] = {0};
    struct link_reg_values head;
    struct link_message message = {.payload = payload};

    memcpy(payload, data, size < sizeof payload ? size : sizeof payload);
    link_get_reg_values(payload, &head);
    head.id %= LINK_REGISTER_WRITES * 4; /* else hardly one would be of a request */
    head.count %= UINT8_MAX + 1;
    message.header.payload_bytes =
        (uint16_t)(link_put_reg_values(&head, payload) + 4u * head.count);
    link_registers_take(registers, &message, now_ns);
}

static void use_registers(const uint8_t *data, size_t size)
{
    static struct link_session session; /* never opened: what is sent is refused */
    struct link_registers registers = {0};
    uint64_t now_ns = 1;
    uint64_t taken = 0;

    for (size_t at = 0; at + 2 <= size; at += 2) {
        uint8_t what = data[at];

        if (what < 64) {
            taken += (uint64_t)link_registers_write(&registers, data[at + 1], what, now_ns);
        } else if (what < 128) {
            now_ns += (uint64_t)data[at + 1] << 22;
            require(link_registers_step(&registers, &session, now_ns) > now_ns);
        } else if (what < 140) {
            link_registers_read(&registers, &session);
            registers.read_id = registers.last_id; /* as if it had gone out */
        } else {
            answer(&registers, data + at, size - at, now_ns);
        }
    }
    link_registers_restart(&registers);
    require(registers.failed <= taken && registers.refused <= taken);
    require(link_registers_step(&registers, &session, now_ns) == UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof ROUNDS / sizeof ROUNDS[0]; i++) {
        ROUNDS[i](data, size);
    }
    require(link_bit_test_errors(data, (uint32_t)size) <= 8 * size);
    use_registers(data, size);
    return 0;
}
