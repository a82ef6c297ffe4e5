/*
 * A million messages over a line on which single octets are corrupted, dropped, repeated and swapped
 * with their neighbour, one in a hundred and one in ten thousand. What the decoder must make of it
 * is found by another way, from the damaged octets themselves: what lies between two zeros is a
 * message that was sent, octet for octet, and has to come out, or it is damaged and has to be
 * counted. The seed is printed; it is all that is needed to see the same again.
 */
#include "bench_link.h"
#include "check.h"
#include "link_codec.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
enum { MESSAGES = 100000 };
#else
enum { MESSAGES = 1000000 };
#endif

enum { LONGEST = 120, WIRE_MAX = LONGEST + 64, REMEMBERED = 4, PIECE_MAX = 1 << 16 };

enum damage { CORRUPTED, DROPPED, REPEATED, SWAPPED, DAMAGES };

struct sent {
    uint8_t wire[WIRE_MAX];
    uint32_t bytes; /* its zero counted */
};

/* One run over the line. */
struct run {
    struct link_decoder decoder;
    struct sent sent[REMEMBERED]; /* the newest messages, by their number */
    uint32_t sends;
    uint8_t piece[PIECE_MAX]; /* since the last zero, as the line had it */
    uint32_t piece_bytes;
    uint64_t damage[DAMAGES];
    uint64_t good;      /* pieces that are messages */
    uint64_t bad;       /* pieces that are not */
    uint64_t untouched; /* messages of which no octet was damaged, nor the zero before */
    uint64_t came;      /* of those, found as a piece */
    uint64_t taken;     /* out of the decoder */
};

static struct run run;
static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * below >> 32);
}

/* Message n says who it is; its payload follows from that. */
static const struct sent *send_next(void)
{
    static uint8_t payload[LONGEST];
    uint32_t n = run.sends++;
    struct sent *sent = &run.sent[n % REMEMBERED];
    struct link_header header = {
        .type = LINK_TELL,
        .seq = (uint16_t)n,
        .payload_bytes = (uint16_t)(4 + n % (LONGEST - 3)),
        .session = 77,
        .t_ns = n,
    };

    for (uint32_t i = 0; i < header.payload_bytes; i++) {
        payload[i] = (uint8_t)(i < 4 ? n >> (8 * i) : (n * 2654435761u >> 11) * (i % 7));
    }
    sent->bytes = (uint32_t)link_encode(&header, payload, sent->wire);
    return sent;
}

/* Whether the piece is one of the messages sent last, without its zero. */
static int is_a_message(const uint8_t *piece, uint32_t bytes)
{
    for (uint32_t i = 0; i < REMEMBERED && i < run.sends; i++) {
        if (run.sent[i].bytes == bytes + 1 && memcmp(run.sent[i].wire, piece, bytes) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The other way: by octets, without COBS and without CRC. */
static void line_carries(const uint8_t *octets, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        if (octets[i] != 0) {
            CHECK(run.piece_bytes < PIECE_MAX);
            run.piece[run.piece_bytes++] = octets[i];
            continue;
        }
        if (run.piece_bytes > 0 && run.piece_bytes < LINK_WIRE_BYTES_MAX) {
            int good = is_a_message(run.piece, run.piece_bytes);

            run.good += (uint64_t)good;
            run.bad += (uint64_t)!good;
        } else if (run.piece_bytes > 0) {
            run.bad++;
        }
        run.piece_bytes = 0;
    }
}

static void take(const struct link_message *message)
{
    uint8_t again[LINK_WIRE_BYTES_MAX];
    int32_t bytes = link_encode(&message->header, message->payload, again);

    CHECK(bytes > 0 && is_a_message(again, (uint32_t)bytes - 1)); /* nothing false is taken */
    run.taken++;
}

static void decoder_is_fed(const uint8_t *octets, uint32_t bytes)
{
    struct link_message message;

    for (uint32_t at = 0, taken = 0; at < bytes; at += taken) {
        uint32_t cut = 1 + draw(bytes - at);

        if (link_decode(&run.decoder, octets + at, cut, &taken, &message)) {
            take(&message);
        }
    }
}

/* An octet and what becomes of it. @return octets put out; `*used` are those of the message that
 * went into it. */
static uint32_t damage_octet(const uint8_t *wire, uint32_t left, enum damage how, uint8_t *out,
                             uint32_t *used)
{
    *used = 1;
    run.damage[how]++;
    switch (how) {
    case CORRUPTED: out[0] = (uint8_t)(wire[0] ^ (1u + draw(255))); return 1;
    case DROPPED: return 0;
    case REPEATED: out[0] = out[1] = wire[0]; return 2;
    default:
        if (left < 2) {
            out[0] = wire[0];
            return 1;
        }
        *used = 2;
        out[0] = wire[1];
        out[1] = wire[0];
        return 2;
    }
}

/* The message as the line delivers it. @return its octets. */
static uint32_t damage_message(const struct sent *sent, uint32_t one_in, uint8_t *out)
{
    uint32_t filled = 0;

    for (uint32_t at = 0, used = 1; at < sent->bytes; at += used) {
        used = 1;
        if (draw(one_in) == 0) {
            filled += damage_octet(sent->wire + at, sent->bytes - at, (enum damage)draw(DAMAGES),
                                   out + filled, &used);
        } else {
            out[filled++] = sent->wire[at];
        }
    }
    return filled;
}

static void every_message_comes_or_is_counted(uint32_t one_in)
{
    static uint8_t out[2 * WIRE_MAX];
    const struct link_decoder_counters *c = &run.decoder.counters;
    int behind_a_zero = 1;

    memset(&run, 0, sizeof run);
    link_decoder_init(&run.decoder);
    for (uint32_t n = 0; n < MESSAGES; n++) {
        const struct sent *sent = send_next();
        uint32_t bytes = damage_message(sent, one_in, out);
        int same = bytes == sent->bytes && memcmp(out, sent->wire, bytes) == 0;
        uint64_t good = run.good;

        line_carries(out, bytes);
        decoder_is_fed(out, bytes);
        run.untouched += same && behind_a_zero;
        run.came += same && behind_a_zero && run.good == good + 1;
        behind_a_zero = bytes > 0 ? out[bytes - 1] == 0 : behind_a_zero && run.piece_bytes == 0;
    }
    CHECK(run.taken == run.good);
    CHECK(c->messages == run.good && c->octets > MESSAGES);
    CHECK(c->corrupt + c->bad_layout + c->too_long == run.bad);
    CHECK(run.came == run.untouched && run.good >= run.untouched);
    for (uint32_t how = 0; how < DAMAGES; how++) {
        CHECK(run.damage[how] > 0);
    }
}

static void show(uint32_t one_in)
{
    const uint64_t *damage = run.damage;

    printf("%s: %u messages, one octet in %u: %llu corrupted, %llu dropped, %llu repeated, %llu "
           "swapped\n",
           __FILE__, MESSAGES, one_in, (unsigned long long)damage[CORRUPTED],
           (unsigned long long)damage[DROPPED], (unsigned long long)damage[REPEATED],
           (unsigned long long)damage[SWAPPED]);
    printf("%s: %llu untouched, all of them taken; %llu taken, none false; %llu pieces damaged, "
           "all counted\n",
           __FILE__, (unsigned long long)run.untouched, (unsigned long long)run.taken,
           (unsigned long long)run.bad);
}

int main(void)
{
    static const uint32_t ONE_IN[] = {100, 10000};
    const char *given = getenv("LINK_DAMAGE_SEED");

    random_state = given != NULL ? strtoull(given, NULL, 10) : 20260727;
    printf("%s: LINK_DAMAGE_SEED=%llu\n", __FILE__, (unsigned long long)random_state);
    for (size_t i = 0; i < COUNT_OF(ONE_IN); i++) {
        every_message_comes_or_is_counted(ONE_IN[i]);
        show(ONE_IN[i]);
    }
    return 0;
}
