/* Messages and the decoder: the shared vectors, every way to be wrong, and resynchronisation. */
#include "check.h"
#include "hal.h"
#include "link_vectors.h"

#include <string.h>

static struct link_decoder fresh_decoder(void)
{
    struct link_decoder decoder;

    memset(&decoder, 0x5A, sizeof decoder);
    link_decoder_init(&decoder);
    return decoder;
}

static void check_same(const struct link_message *message, const struct link_message_vector *v)
{
    const struct link_header *is = &message->header;
    const struct link_header *want = &v->header;

    CHECK(is->version == want->version && is->type == want->type && is->channel == want->channel);
    CHECK(is->seq == want->seq && is->session == want->session && is->t_ns == want->t_ns);
    CHECK(is->payload_bytes == want->payload_bytes);
    CHECK(memcmp(message->payload, v->payload, want->payload_bytes) == 0);
}

static void each_message_has_the_octets_of_its_vector(void)
{
    for (size_t i = 0; i < COUNT_OF(MESSAGE_VECTORS); i++) {
        const struct link_message_vector *v = &MESSAGE_VECTORS[i];
        uint8_t wire[LINK_WIRE_BYTES_MAX];

        if (v->header.version == LINK_PROTOCOL_VERSION) {
            CHECK(link_encode(&v->header, v->payload, wire) == (int32_t)v->wire_bytes);
            CHECK(memcmp(wire, v->wire, v->wire_bytes) == 0);
        }
    }
}

static void each_vector_is_read_whole_and_byte_by_byte(void)
{
    struct link_decoder decoder = fresh_decoder();
    struct link_message message;
    uint32_t taken = 0;

    for (size_t i = 0; i < COUNT_OF(MESSAGE_VECTORS); i++) {
        const struct link_message_vector *v = &MESSAGE_VECTORS[i];

        CHECK(link_decode(&decoder, v->wire, v->wire_bytes, &taken, &message) == 1);
        CHECK(taken == v->wire_bytes);
        check_same(&message, v);
        for (uint32_t at = 0; at + 1 < v->wire_bytes; at++) {
            CHECK(link_decode(&decoder, v->wire + at, 1, &taken, &message) == 0 && taken == 1);
        }
        CHECK(link_decode(&decoder, v->wire + v->wire_bytes - 1, 1, &taken, &message) == 1);
        check_same(&message, v);
    }
    CHECK(decoder.counters.messages == 2 * COUNT_OF(MESSAGE_VECTORS));
    CHECK(decoder.counters.corrupt + decoder.counters.too_long + decoder.counters.bad_layout == 0);
}

static void messages_that_come_in_one_run_come_out_one_by_one(void)
{
    static uint8_t line[COUNT_OF(MESSAGE_VECTORS) * LINK_WIRE_BYTES_MAX];
    struct link_decoder decoder = fresh_decoder();
    struct link_message message;
    uint32_t filled = 0;
    uint32_t at = 0;

    for (size_t i = 0; i < COUNT_OF(MESSAGE_VECTORS); i++) {
        memcpy(line + filled, MESSAGE_VECTORS[i].wire, MESSAGE_VECTORS[i].wire_bytes);
        filled += MESSAGE_VECTORS[i].wire_bytes;
    }
    for (size_t i = 0; i < COUNT_OF(MESSAGE_VECTORS); i++) {
        uint32_t taken = 0;

        CHECK(link_decode(&decoder, line + at, filled - at, &taken, &message) == 1);
        check_same(&message, &MESSAGE_VECTORS[i]);
        at += taken;
    }
    CHECK(at == filled && decoder.counters.octets == filled);
}

static void each_wrong_message_has_its_counter_and_the_next_one_gets_through(void)
{
    const struct link_message_vector *good = &MESSAGE_VECTORS[2];

    for (size_t i = 0; i < COUNT_OF(REJECTED_VECTORS); i++) {
        const struct link_rejected_vector *v = &REJECTED_VECTORS[i];
        struct link_decoder decoder = fresh_decoder();
        struct link_message message;
        uint32_t taken = 0;

        CHECK(link_decode(&decoder, v->wire, v->wire_bytes, &taken, &message) == 0);
        CHECK(taken == v->wire_bytes);
        CHECK(decoder.counters.corrupt == (v->counter == 'c'));
        CHECK(decoder.counters.too_long == (v->counter == 't'));
        CHECK(decoder.counters.bad_layout == (v->counter == 'b'));
        CHECK(link_decode(&decoder, good->wire, good->wire_bytes, &taken, &message) == 1);
        check_same(&message, good);
    }
}

static void zeros_between_messages_are_no_error(void)
{
    static const uint8_t ZEROS[5] = {0};
    struct link_decoder decoder = fresh_decoder();
    struct link_message message;
    uint32_t taken = 0;

    CHECK(link_decode(&decoder, ZEROS, sizeof ZEROS, &taken, &message) == 0);
    CHECK(taken == sizeof ZEROS && decoder.counters.corrupt == 0);
}

/* Garbage of every length in front, ended by a zero or by a message's own octets. */
static void garbage_costs_at_most_the_message_it_touches(void)
{
    const struct link_message_vector *good = &MESSAGE_VECTORS[5];
    struct link_message message;
    uint8_t garbage[700];

    for (uint32_t bytes = 1; bytes < sizeof garbage; bytes++) {
        struct link_decoder decoder = fresh_decoder();
        uint32_t taken = 0;

        memset(garbage, (int)(1 + bytes % 255), bytes);
        CHECK(link_decode(&decoder, garbage, bytes, &taken, &message) == 0);
        CHECK(link_decode(&decoder, good->wire, good->wire_bytes, &taken, &message) == 0);
        CHECK(decoder.counters.corrupt == 1);
        CHECK(link_decode(&decoder, good->wire, good->wire_bytes, &taken, &message) == 1);
        check_same(&message, good);
    }
}

static void endless_noise_is_counted_once_a_run_and_never_kept(void)
{
    uint8_t noise[1000];
    const struct link_message_vector *good = &MESSAGE_VECTORS[0];
    struct link_decoder decoder = fresh_decoder();
    struct link_message message;
    uint32_t taken = 0;

    memset(noise, 3, sizeof noise);
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK(link_decode(&decoder, noise, sizeof noise, &taken, &message) == 0);
        CHECK(decoder.filled <= LINK_WIRE_BYTES_MAX);
    }
    CHECK(decoder.counters.too_long == 1);
    CHECK(link_decode(&decoder, good->wire, good->wire_bytes, &taken, &message) == 0);
    CHECK(link_decode(&decoder, good->wire, good->wire_bytes, &taken, &message) == 1);
    CHECK(decoder.counters.too_long == 1 && decoder.counters.corrupt == 0);
}

static void a_cut_line_forgets_the_half_message(void)
{
    const struct link_message_vector *good = &MESSAGE_VECTORS[0];
    struct link_decoder decoder = fresh_decoder();
    struct link_message message;
    uint32_t taken = 0;

    CHECK(link_decode(&decoder, good->wire, 10, &taken, &message) == 0);
    link_decoder_restart(&decoder);
    CHECK(link_decode(&decoder, good->wire, good->wire_bytes, &taken, &message) == 1);
    CHECK(decoder.counters.corrupt == 0);
}

static void what_is_no_message_is_not_encoded(void)
{
    static const uint8_t OCTETS[LINK_PAYLOAD_BYTES_MAX + 1] = {0};
    static const struct link_header WRONG[] = {
        {.type = 0},
        {.type = LINK_TYPE_MAX + 1},
        {.type = LINK_DONE, .payload_bytes = LINK_DONE_BYTES - 1},
        {.type = LINK_DONE, .payload_bytes = LINK_DONE_BYTES + 1},
        {.type = LINK_FRAME_CHUNK, .payload_bytes = LINK_CHUNK_BYTES},
        {.type = LINK_TELL, .payload_bytes = 0},
        {.type = LINK_REG_VALUES, .payload_bytes = LINK_REG_VALUES_BYTES + 3},
        {.type = LINK_ECHO, .payload_bytes = LINK_PAYLOAD_BYTES_MAX + 1},
    };
    uint8_t wire[LINK_WIRE_BYTES_MAX] = {0xA5};

    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        CHECK(link_encode(&WRONG[i], OCTETS, wire) == HAL_E_RANGE);
    }
    CHECK(wire[0] == 0xA5);
}

static void every_type_has_a_channel_and_no_other_number_has_one(void)
{
    uint32_t a_channel[LINK_CHANNELS] = {0};

    for (uint32_t type = 0; type < 256; type++) {
        int32_t channel = link_channel_of((uint8_t)type);

        CHECK((channel >= 0) == (type >= 1 && type <= LINK_TYPE_MAX));
        CHECK(channel < LINK_CHANNELS);
        if (channel >= 0) {
            a_channel[channel]++;
        }
    }
    CHECK(a_channel[LINK_CHANNEL_CONTROL] == 14 && a_channel[LINK_CHANNEL_SAMPLE] == 2);
    CHECK(a_channel[LINK_CHANNEL_FRAME] == 2 && a_channel[LINK_CHANNEL_TEST] == 3);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(each_message_has_the_octets_of_its_vector),
        PROMISE(each_vector_is_read_whole_and_byte_by_byte),
        PROMISE(messages_that_come_in_one_run_come_out_one_by_one),
        PROMISE(each_wrong_message_has_its_counter_and_the_next_one_gets_through),
        PROMISE(zeros_between_messages_are_no_error),
        PROMISE(garbage_costs_at_most_the_message_it_touches),
        PROMISE(endless_noise_is_counted_once_a_run_and_never_kept),
        PROMISE(a_cut_line_forgets_the_half_message),
        PROMISE(what_is_no_message_is_not_encoded),
        PROMISE(every_type_has_a_channel_and_no_other_number_has_one),
    };

    KEEP(PROMISES);
    return 0;
}
