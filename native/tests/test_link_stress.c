/*
 * A million frames over a line that damages one message in a hundred: octets flipped, lost,
 * repeated, swapped; messages lost, repeated, swapped. What is damaged is counted, what is not
 * arrives, nothing false is taken. The seed is printed; it is all that is needed to see the same
 * again.
 */
#include "link_pair.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
enum { FRAMES = 100000 };
#else
enum { FRAMES = 1000000 };
#endif

enum { LONGEST = 64, HELD = 2 * LINK_WIRE_BYTES_MAX };

enum damage {
    DAMAGE_NONE,
    DAMAGE_FLIP,
    DAMAGE_OCTET_LOST,
    DAMAGE_OCTET_TWICE,
    DAMAGE_OCTETS_SWAPPED,
    DAMAGE_LOST,
    DAMAGE_TWICE,
    DAMAGE_SWAPPED,
    DAMAGES
};

static struct pair pair;
static uint8_t expect[FRAMES]; /* 1: damaged so that it cannot arrive */
static uint64_t random_state;
static uint32_t damaged[DAMAGES];

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * below >> 32);
}

/* Frame n says who it is, and the rest follows from that. */
static uint32_t make_frame(uint32_t n, uint8_t *frame)
{
    uint32_t bytes = 4 + n % (LONGEST - 3);

    for (uint32_t i = 0; i < bytes; i++) {
        frame[i] = (uint8_t)(i < 4 ? n >> (8 * i) : (n * 2654435761u >> 13) * i);
    }
    return bytes;
}

static uint32_t taken;
static uint32_t last_taken;

static void take_frames(void)
{
    uint8_t frame[LONGEST];
    uint8_t want[LONGEST];
    int32_t bytes = 0;

    while ((bytes = link_ring_pop(&pair.bench.rx, frame, sizeof frame)) > 0) {
        uint32_t n = frame[0] | (uint32_t)frame[1] << 8 | (uint32_t)frame[2] << 16;

        CHECK(n < FRAMES && make_frame(n, want) == (uint32_t)bytes);
        CHECK(memcmp(frame, want, (uint32_t)bytes) == 0);
        CHECK(expect[n] == 0);
        CHECK(taken == 0 || n > last_taken);
        last_taken = n;
        taken++;
    }
}

/* Runs of any length, as a line hands them over. */
static void feed_in_runs(const uint8_t *octets, uint32_t bytes)
{
    for (uint32_t at = 0; at < bytes;) {
        uint32_t run = 1 + draw(3) * draw(100);

        run = run < bytes - at ? run : bytes - at;
        pair_feed(&pair.bench, octets + at, run, pair.now_ns);
        at += run;
        take_frames();
    }
}

/* One message as it leaves. `next_too` is set when the damage takes the message behind with it. */
static uint32_t damage(uint8_t *wire, uint32_t bytes, enum damage how, int *lost, int *next_too)
{
    uint32_t at = draw(bytes);
    int at_end = at == bytes - 1;

    damaged[how]++;
    *lost = how == DAMAGE_FLIP || how == DAMAGE_OCTET_LOST || how == DAMAGE_OCTET_TWICE;
    *next_too = 0;
    switch (how) {
    case DAMAGE_FLIP:
        wire[at] ^= (uint8_t)(1u << draw(8));
        *next_too = at_end;
        return bytes;
    case DAMAGE_OCTET_LOST:
        memmove(wire + at, wire + at + 1, bytes - at - 1);
        *next_too = at_end;
        return bytes - 1;
    case DAMAGE_OCTET_TWICE:
        memmove(wire + at + 1, wire + at, bytes - at);
        *lost = !at_end; /* one zero more harms nobody */
        return bytes + 1;
    case DAMAGE_OCTETS_SWAPPED:
        at = draw(bytes - 2); /* the zero at the end stays where it is */
        *lost = wire[at] != wire[at + 1];
        wire[at] ^= wire[at + 1];
        wire[at + 1] ^= wire[at];
        wire[at] ^= wire[at + 1];
        return bytes;
    case DAMAGE_TWICE: memcpy(wire + bytes, wire, bytes); return 2 * bytes;
    case DAMAGE_LOST: *lost = 1; return 0;
    default: return bytes;
    }
}

/* What is on its way: the last message may be held back behind the next one. */
static uint8_t held[HELD];
static uint32_t held_bytes;
static uint32_t held_frame;
static int doomed; /* the end of the message before was damaged */

static int32_t frame_in(uint32_t sent_before)
{
    return link_frames_sent(&pair.node.session.out) > sent_before ? (int32_t)sent_before : -1;
}

/* Sends the next message of the node. @return 0 when there is none. */
static int send_one(void)
{
    uint8_t wire[HELD];
    uint32_t before = link_frames_sent(&pair.node.session.out);
    uint32_t bytes = link_session_drain(&pair.node.session, pair.now_ns, wire, sizeof wire, 1);
    int32_t frame = frame_in(before);
    enum damage how = draw(100) == 0 ? (enum damage)(1 + draw(DAMAGES - 1)) : DAMAGE_NONE;
    int lost = 0;
    int next_too = 0;

    if (bytes == 0) {
        return 0;
    }
    if (frame >= 0 && how != DAMAGE_NONE && held_bytes == 0) {
        if (how == DAMAGE_SWAPPED && doomed == 0) {
            damaged[how]++;
            memcpy(held, wire, bytes);
            held_bytes = bytes;
            held_frame = (uint32_t)frame;
            return 1;
        }
        if (how != DAMAGE_SWAPPED) {
            bytes = damage(wire, bytes, how, &lost, &next_too);
        }
    }
    if (frame >= 0 && (lost || (doomed && bytes > 0 && how != DAMAGE_TWICE))) {
        expect[frame] = 1;
    }
    if (bytes > 0) {
        doomed = next_too;
    }
    feed_in_runs(wire, bytes);
    if (held_bytes > 0) {
        expect[held_frame] = frame >= 0; /* late behind another frame, in time behind others */
        feed_in_runs(held, held_bytes);
        held_bytes = 0;
    }
    return 1;
}

static void a_million_frames_are_each_counted_once(uint64_t seed)
{
    uint32_t submitted = 0;
    uint32_t lost = 0;

    random_state = seed;
    pair_open(&pair, LINK_MODE_FREE_RUN);
    pair.node.clock_ns = 0;
    pair_settle(&pair);
    CHECK(pair_is_up(&pair));
    while (submitted < FRAMES) {
        uint8_t frame[LONGEST];

        while (submitted < FRAMES && link_frames_room(&pair.node.session.out) > 0) {
            CHECK(link_ring_push(&pair.node.tx, frame, make_frame(submitted, frame)));
            submitted++;
        }
        while (send_one()) {
        }
        pair.now_ns += 1000000;
        (void)pair_step(&pair.node, pair.now_ns);
        (void)pair_step(&pair.bench, pair.now_ns);
        (void)pair_move(&pair, &pair.bench, &pair.node); /* the way back is a good one */
    }
    /* The end: zeros clear the line, heartbeats say what should have come. */
    feed_in_runs((const uint8_t[2]){0}, 2);
    pair_run(&pair, 2ull * LINK_HEARTBEAT_NS);
    take_frames();
    for (uint32_t n = 0; n < FRAMES; n++) {
        lost += expect[n];
    }
    const struct link_frames_in *in = &pair.bench.session.in;

    CHECK(taken + lost == FRAMES);
    CHECK(in->received == taken && in->broken == lost);
    CHECK(in->malformed == 0 && in->overflowed == 0);
    CHECK(pair.bench.session.counters.downs == 0);
    CHECK(lost > FRAMES / 200 && lost < FRAMES / 50);
}

static void every_kind_of_damage_left_its_own_trace(void)
{
    const struct link_session *bench = &pair.bench.session;
    uint32_t octets = damaged[DAMAGE_FLIP] + damaged[DAMAGE_OCTET_LOST];

    for (uint32_t how = 1; how < DAMAGES; how++) {
        CHECK(damaged[how] > FRAMES / 1000);
    }
    CHECK(bench->decoder.counters.corrupt >= octets);
    CHECK(bench->rx[LINK_CHANNEL_FRAME].stale <= damaged[DAMAGE_TWICE] + damaged[DAMAGE_SWAPPED]);
    CHECK(bench->rx[LINK_CHANNEL_FRAME].stale > damaged[DAMAGE_TWICE]);
    CHECK(bench->rx[LINK_CHANNEL_FRAME].lost >= octets + damaged[DAMAGE_LOST]);
}

int main(void)
{
    const char *given = getenv("LINK_STRESS_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20260728;

    printf("%s: LINK_STRESS_SEED=%llu\n", __FILE__, (unsigned long long)seed);
    a_million_frames_are_each_counted_once(seed);
    every_kind_of_damage_left_its_own_trace();
    printf("%s: %u frames, %u lost and counted\n", __FILE__, FRAMES, FRAMES - taken);
    return 0;
}
