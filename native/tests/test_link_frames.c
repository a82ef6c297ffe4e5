/* Frames in chunks: cut and put together again, credit, and every way to lose one. */
#include "check.h"
#include "link_frames.h"

#include <string.h>

enum { DEPTH = 4, LONGEST = 300, CHUNK = LINK_CHUNK_BYTES + 64 };

static uint64_t out_memory[200];
static uint64_t in_memory[200];
static struct link_ring out_ring;
static struct link_ring in_ring;
static struct link_frames_out out;
static struct link_frames_in in;

static void begin(void)
{
    link_ring_init(&out_ring, (uint8_t *)out_memory, DEPTH, LONGEST);
    link_ring_init(&in_ring, (uint8_t *)in_memory, DEPTH, LONGEST);
    link_frames_out_init(&out, &out_ring);
    link_frames_in_init(&in, &in_ring);
    link_frames_in_start(&in);
    link_frames_out_start(&out, link_frames_granted(&in));
}

static void submit(uint32_t bytes, uint8_t seed)
{
    uint8_t frame[LONGEST];

    for (uint32_t i = 0; i < bytes; i++) {
        frame[i] = (uint8_t)(seed + i);
    }
    CHECK(link_frames_room(&out) > 0);
    CHECK(link_ring_push(&out_ring, frame, bytes));
}

static int is_frame(const uint8_t *frame, uint32_t bytes, uint8_t seed)
{
    for (uint32_t i = 0; i < bytes; i++) {
        if (frame[i] != (uint8_t)(seed + i)) {
            return 0;
        }
    }
    return 1;
}

/* Carries chunks; bit i of `lose` loses the i-th. @return frames completed. */
static uint32_t carry(uint64_t lose)
{
    uint8_t payload[CHUNK];
    uint32_t bytes = 0;
    uint32_t whole = 0;

    for (uint32_t i = 0; (bytes = link_frames_next_chunk(&out, CHUNK, payload)) > 0; i++) {
        CHECK(bytes > LINK_CHUNK_BYTES && bytes <= CHUNK);
        if (i >= 64 || (lose >> i & 1) == 0) {
            whole += (uint32_t)link_frames_take_chunk(&in, payload, bytes);
        }
    }
    return whole;
}

static void frames_of_every_length_arrive_as_they_were(void)
{
    begin();
    for (uint32_t bytes = 1; bytes <= LONGEST; bytes++) {
        uint8_t back[LONGEST];

        submit(bytes, (uint8_t)bytes);
        CHECK(carry(0) == 1);
        CHECK(link_ring_pop(&in_ring, back, LONGEST) == (int32_t)bytes);
        CHECK(is_frame(back, bytes, (uint8_t)bytes));
        link_frames_out_grant(&out, link_frames_granted(&in));
    }
    CHECK(in.received == LONGEST && in.broken == 0 && link_frames_sent(&out) == LONGEST);
}

static void one_frame_a_credit_and_a_frame_taken_gives_it_back(void)
{
    uint8_t back[LONGEST];

    begin();
    for (uint32_t i = 0; i < DEPTH; i++) {
        CHECK(link_frames_room(&out) == DEPTH - i);
        submit(10, 0);
    }
    CHECK(link_frames_room(&out) == 0);
    CHECK(carry(0) == DEPTH);
    CHECK(link_frames_room(&out) == 0 && link_frames_granted(&in) == DEPTH);
    CHECK(link_ring_pop(&in_ring, back, LONGEST) == 10);
    link_frames_out_grant(&out, link_frames_granted(&in));
    CHECK(link_frames_room(&out) == 1);
    link_frames_out_grant(&out, 1); /* an old one, come late */
    CHECK(link_frames_room(&out) == 1);
}

/* Each chunk of three frames lost in turn: that frame is gone, the others are whole. */
static void a_lost_chunk_costs_its_frame_alone(void)
{
    for (uint32_t lost = 0; lost < 9; lost++) {
        uint8_t back[LONGEST];

        begin();
        for (uint8_t i = 0; i < 3; i++) {
            submit(3 * 64, i);
        }
        CHECK(carry(1u << lost) == 2);
        for (uint8_t i = 0; i < 3; i++) {
            if (i != lost / 3) {
                CHECK(link_ring_pop(&in_ring, back, LONGEST) == 3 * 64);
                CHECK(is_frame(back, 3 * 64, i));
            }
        }
        link_frames_settle(&in, link_frames_sent(&out));
        CHECK(in.broken == 1 && in.received == 2);
        CHECK(link_frames_granted(&in) == 3 + DEPTH);
    }
}

static void a_burst_that_loses_every_frame_does_not_stop_the_flow(void)
{
    begin();
    for (uint32_t i = 0; i < DEPTH; i++) {
        submit(100, 1);
    }
    CHECK(carry(UINT64_MAX) == 0 && link_frames_room(&out) == 0);
    CHECK(link_frames_granted(&in) == DEPTH);
    link_frames_settle(&in, link_frames_sent(&out));
    CHECK(in.broken == DEPTH && link_frames_granted(&in) == 2 * DEPTH);
    link_frames_settle(&in, link_frames_sent(&out) - 1); /* an old one, come late */
    CHECK(in.broken == DEPTH);
    link_frames_out_grant(&out, link_frames_granted(&in));
    submit(100, 2);
    CHECK(carry(0) == 1);
}

static void offer(uint32_t id, uint32_t frame_bytes, uint32_t offset, uint32_t octets)
{
    uint8_t payload[LINK_CHUNK_BYTES + LONGEST + 10] = {0};
    struct link_chunk chunk = {.frame_id = id, .frame_bytes = frame_bytes, .offset = offset};

    (void)link_put_chunk(&chunk, payload);
    CHECK(link_frames_take_chunk(&in, payload, LINK_CHUNK_BYTES + octets) == 0);
}

static void chunks_outside_their_frame_are_refused_and_counted(void)
{
    begin();
    offer(0, LONGEST + 1, 0, 10);
    offer(0, 100, 101, 1);
    offer(0, 100, 95, 6);
    offer(0, 100, UINT32_MAX, 10);
    offer(0, 0, 0, 1);
    CHECK(in.malformed == 5 && in.passed == 0 && in.filled == 0);
}

static void a_frame_that_changes_its_length_half_way_is_broken(void)
{
    begin();
    offer(0, 100, 0, 50);
    offer(0, 90, 50, 40);
    offer(0, 100, 50, 50);
    link_frames_settle(&in, 1);
    CHECK(in.broken == 1 && in.received == 0);
}

static void frames_without_credit_are_lost_and_counted_not_written(void)
{
    uint8_t payload[LINK_CHUNK_BYTES + 1] = {0};

    begin();
    for (uint32_t i = 0; i < DEPTH + 3; i++) {
        struct link_chunk chunk = {.frame_id = i, .frame_bytes = 1};

        (void)link_put_chunk(&chunk, payload);
        CHECK(link_frames_take_chunk(&in, payload, sizeof payload) == (i < DEPTH));
    }
    CHECK(in.overflowed == 3 && link_ring_count(&in_ring) == DEPTH);
}

static void a_new_session_voids_what_waits_and_keeps_what_is_whole(void)
{
    uint8_t payload[CHUNK];

    begin();
    submit(100, 1);
    CHECK(carry(0) == 1);
    submit(100, 2);
    submit(100, 3);
    CHECK(link_frames_next_chunk(&out, CHUNK, payload) == CHUNK);
    CHECK(link_frames_take_chunk(&in, payload, CHUNK) == 0);
    link_frames_out_stop(&out);
    CHECK(out.flushed == 2 && link_frames_room(&out) == 0);
    link_frames_in_start(&in);
    CHECK(in.broken == 1 && link_ring_count(&in_ring) == 1);
    CHECK(link_frames_granted(&in) == DEPTH - 1);
    link_frames_out_start(&out, link_frames_granted(&in));
    CHECK(link_frames_sent(&out) == 0 && link_frames_room(&out) == DEPTH - 1);
    submit(50, 4);
    CHECK(carry(0) == 1);
}

static void numbers_go_on_beyond_32_bits(void)
{
    begin();
    in.passed = UINT32_MAX;
    atomic_store(&out_ring.head, UINT32_MAX);
    atomic_store(&out_ring.tail, UINT32_MAX);
    link_frames_out_grant(&out, link_frames_granted(&in));
    for (uint8_t i = 0; i < 3; i++) {
        submit(70, i);
    }
    CHECK(carry(0) == 3 && in.broken == 0);
    CHECK(in.passed == (uint64_t)UINT32_MAX + 3 && link_frames_sent(&out) == 2);
    link_frames_settle(&in, link_frames_sent(&out));
    CHECK(in.broken == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(frames_of_every_length_arrive_as_they_were),
        PROMISE(one_frame_a_credit_and_a_frame_taken_gives_it_back),
        PROMISE(a_lost_chunk_costs_its_frame_alone),
        PROMISE(a_burst_that_loses_every_frame_does_not_stop_the_flow),
        PROMISE(chunks_outside_their_frame_are_refused_and_counted),
        PROMISE(a_frame_that_changes_its_length_half_way_is_broken),
        PROMISE(frames_without_credit_are_lost_and_counted_not_written),
        PROMISE(a_new_session_voids_what_waits_and_keeps_what_is_whole),
        PROMISE(numbers_go_on_beyond_32_bits),
    };

    KEEP(PROMISES);
    return 0;
}
