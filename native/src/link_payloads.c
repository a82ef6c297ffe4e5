/* Payloads as values; see link_payloads.h. One table of fields a layout does it all. */
#include "link_payloads.h"

#include "framer.h"
#include "link_layouts.h"

#include <stddef.h>
#include <string.h>

struct field {
    uint16_t at; /* in the structure */
    uint16_t bytes;
};

#define FIELD_OF(structure, member)                                                                \
    {(uint16_t)offsetof(structure, member), (uint16_t)sizeof(((const structure *)NULL)->member)}

/* Host integers are as wide as the line's, so only the order of the octets may differ. */
static void put_field(const uint8_t *from, uint32_t bytes, uint8_t *octets)
{
    uint64_t value = 0;

    switch (bytes) {
    case 1: value = *from; break;
    case 2: {
        uint16_t half = 0;
        memcpy(&half, from, sizeof half);
        value = half;
        break;
    }
    case 4: {
        uint32_t word = 0;
        memcpy(&word, from, sizeof word);
        value = word;
        break;
    }
    default: memcpy(&value, from, sizeof value); break;
    }
    for (uint32_t i = 0; i < bytes; i++) {
        octets[i] = (uint8_t)(value >> (8 * i));
    }
}

static void get_field(const uint8_t *octets, uint32_t bytes, uint8_t *to)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < bytes; i++) {
        value |= (uint64_t)octets[i] << (8 * i);
    }
    switch (bytes) {
    case 1: *to = (uint8_t)value; break;
    case 2: {
        uint16_t half = (uint16_t)value;
        memcpy(to, &half, sizeof half);
        break;
    }
    case 4: {
        uint32_t word = (uint32_t)value;
        memcpy(to, &word, sizeof word);
        break;
    }
    default: memcpy(to, &value, sizeof value); break;
    }
}

static uint32_t put_fields(const struct field *fields, size_t count, const void *values,
                           uint8_t *octets)
{
    uint32_t at = 0;

    for (size_t i = 0; i < count; i++) {
        put_field((const uint8_t *)values + fields[i].at, fields[i].bytes, octets + at);
        at += fields[i].bytes;
    }
    return at;
}

static void get_fields(const struct field *fields, size_t count, const uint8_t *octets,
                       void *values)
{
    for (size_t i = 0; i < count; i++) {
        get_field(octets, fields[i].bytes, (uint8_t *)values + fields[i].at);
        octets += fields[i].bytes;
    }
}

#define DEFINE(name)                                                                               \
    uint32_t link_put_##name(const struct link_##name *values, uint8_t *octets)                    \
    {                                                                                              \
        return put_fields(name##_fields, sizeof name##_fields / sizeof name##_fields[0], values,   \
                          octets);                                                                 \
    }                                                                                              \
    void link_get_##name(const uint8_t *octets, struct link_##name *values)                        \
    {                                                                                              \
        get_fields(name##_fields, sizeof name##_fields / sizeof name##_fields[0], octets, values); \
    }

#define OF_HELLO(kind, member) FIELD_OF(struct link_hello, member),
static const struct field hello_fields[] = {LINK_HELLO_FIELDS(OF_HELLO)};
DEFINE(hello)

#define OF_HEARTBEAT(kind, member) FIELD_OF(struct link_heartbeat, member),
static const struct field heartbeat_fields[] = {LINK_HEARTBEAT_FIELDS(OF_HEARTBEAT)};
DEFINE(heartbeat)

static const struct field word_fields[] = {FIELD_OF(struct link_word, value)};
DEFINE(word)

#define OF_TIME_REPLY(kind, member) FIELD_OF(struct link_time_reply, member),
static const struct field time_reply_fields[] = {LINK_TIME_REPLY_FIELDS(OF_TIME_REPLY)};
DEFINE(time_reply)

#define OF_FRONT(kind, member)  FIELD_OF(struct link_sensors, member),
#define OF_SENSOR(kind, member) FIELD_OF(struct link_sensors, sensors.member),
static const struct field sensors_fields[] = {LINK_SENSORS_FIELDS(OF_FRONT, OF_SENSOR)};
DEFINE(sensors)

#define OF_ACTUATORS(kind, member) FIELD_OF(struct link_actuators, member),
static const struct field actuators_fields[] = {LINK_ACTUATORS_FIELDS(OF_ACTUATORS)};
DEFINE(actuators)

#define OF_GRANT(kind, member) FIELD_OF(struct link_grant, member),
static const struct field grant_fields[] = {LINK_GRANT_FIELDS(OF_GRANT)};
DEFINE(grant)

#define OF_DONE(kind, member) FIELD_OF(struct link_done, member),
static const struct field done_fields[] = {LINK_DONE_FIELDS(OF_DONE)};
DEFINE(done)

#define OF_CHUNK(kind, member) FIELD_OF(struct link_chunk, member),
static const struct field chunk_fields[] = {LINK_CHUNK_FIELDS(OF_CHUNK)};
DEFINE(chunk)

#define OF_CREDIT(kind, member) FIELD_OF(struct link_credit, member),
static const struct field credit_fields[] = {LINK_CREDIT_FIELDS(OF_CREDIT)};
DEFINE(credit)

#define OF_REG_READ(kind, member) FIELD_OF(struct link_reg_read, member),
static const struct field reg_read_fields[] = {LINK_REG_READ_FIELDS(OF_REG_READ)};
DEFINE(reg_read)

#define OF_REG_WRITE(kind, member) FIELD_OF(struct link_reg_write, member),
static const struct field reg_write_fields[] = {LINK_REG_WRITE_FIELDS(OF_REG_WRITE)};
DEFINE(reg_write)

#define OF_REG_VALUES(kind, member) FIELD_OF(struct link_reg_values, member),
static const struct field reg_values_fields[] = {LINK_REG_VALUES_FIELDS(OF_REG_VALUES)};
DEFINE(reg_values)

const struct link_layout *link_layout_of(uint8_t type)
{
    static const struct link_layout LAYOUTS[LINK_TYPE_MAX + 1] = {
        [LINK_HELLO] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_HELLO_BYTES},
        [LINK_HELLO_REPLY] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_HELLO_BYTES},
        [LINK_HEARTBEAT] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_HEARTBEAT_BYTES},
        [LINK_TIME_REQUEST] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_WORD_BYTES},
        [LINK_TIME_REPLY] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_TIME_REPLY_BYTES},
        [LINK_SENSORS] = {LINK_CHANNEL_SAMPLE, LINK_TAIL_NONE, LINK_SENSORS_BYTES},
        [LINK_ACTUATORS] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_ACTUATORS_BYTES},
        [LINK_ACTUATED] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_ACTUATORS_BYTES},
        [LINK_GRANT] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_GRANT_BYTES},
        [LINK_DONE] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_DONE_BYTES},
        [LINK_FRAME_CHUNK] = {LINK_CHANNEL_FRAME, LINK_TAIL_SOME, LINK_CHUNK_BYTES},
        [LINK_CREDIT] = {LINK_CHANNEL_SAMPLE, LINK_TAIL_NONE, LINK_CREDIT_BYTES},
        [LINK_REG_READ] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_REG_READ_BYTES},
        [LINK_REG_WRITE] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_REG_WRITE_BYTES},
        [LINK_REG_VALUES] = {LINK_CHANNEL_CONTROL, LINK_TAIL_WORDS, LINK_REG_VALUES_BYTES},
        [LINK_ECHO] = {LINK_CHANNEL_TEST, LINK_TAIL_OCTETS, 0},
        [LINK_ECHO_REPLY] = {LINK_CHANNEL_TEST, LINK_TAIL_OCTETS, 0},
        [LINK_BIT_TEST] = {LINK_CHANNEL_TEST, LINK_TAIL_OCTETS, 0},
        [LINK_NODE_RESET] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_WORD_BYTES},
        [LINK_REFUSE] = {LINK_CHANNEL_CONTROL, LINK_TAIL_NONE, LINK_WORD_BYTES},
        [LINK_TELL] = {LINK_CHANNEL_FRAME, LINK_TAIL_SOME, 0},
    };

    return type >= 1 && type <= LINK_TYPE_MAX ? &LAYOUTS[type] : NULL;
}

uint32_t link_schema_crc32c(void)
{
    return framer_crc32c(0, (const uint8_t *)LINK_SCHEMA_TEXT, sizeof LINK_SCHEMA_TEXT - 1);
}

/* The register's oldest bit goes out; x^15 + x^14 + 1 feeds back. */
static uint8_t next_octet(uint32_t *state)
{
    uint32_t octet = 0;

    for (uint32_t bit = 0; bit < 8; bit++) {
        octet = octet << 1 | *state >> 14;
        *state = (*state << 1 | ((*state >> 14 ^ *state >> 13) & 1u)) & 0x7FFFu;
    }
    return (uint8_t)octet;
}

void link_bit_test_fill(uint8_t *octets, uint32_t octets_count)
{
    uint32_t state = 0x7FFF;

    for (uint32_t i = 0; i < octets_count; i++) {
        octets[i] = next_octet(&state);
    }
}

uint32_t link_bit_test_errors(const uint8_t *octets, uint32_t octets_count)
{
    uint32_t state = 0x7FFF;
    uint32_t errors = 0;

    for (uint32_t i = 0; i < octets_count; i++) {
        for (uint32_t wrong = octets[i] ^ (uint32_t)next_octet(&state); wrong != 0;
             wrong &= wrong - 1) {
            errors++;
        }
    }
    return errors;
}
