/* The FIFO behind both directions of the terminal. */
#include "check.h"
#include "frame_ring.h"

#include <string.h>

enum { CAPACITY = 3, SLOT = 4 };

static void order_and_content_survive_every_wrap_around(void)
{
    uint32_t lengths[CAPACITY];
    uint8_t slots[CAPACITY * SLOT];
    struct frame_ring ring = {
        .lengths_bytes = lengths, .slots = slots, .slot_bytes = SLOT, .capacity = CAPACITY};
    uint8_t in = 0;
    uint8_t out = 0;

    for (uint32_t step = 0; step < 200; step++) {
        uint8_t frame[SLOT] = {in, in, in, in};
        uint8_t back[SLOT] = {0};

        if (step % 5 != 4 && frame_ring_push(&ring, frame, 1 + in % SLOT)) {
            in++;
        } else {
            CHECK(frame_ring_pop(&ring, back, SLOT) == 1 + out % SLOT);
            CHECK(back[0] == out && back[out % SLOT] == out);
            out++;
        }
        CHECK(ring.count == (uint32_t)(in - out) && ring.count <= CAPACITY);
    }
    CHECK(out > 30);
}

static void a_frame_that_does_not_fit_stays(void)
{
    uint32_t lengths[CAPACITY];
    uint8_t slots[CAPACITY * SLOT];
    struct frame_ring ring = {
        .lengths_bytes = lengths, .slots = slots, .slot_bytes = SLOT, .capacity = CAPACITY};
    uint8_t back[SLOT];

    CHECK(frame_ring_pop(&ring, back, SLOT) == 0);
    CHECK(frame_ring_push(&ring, (const uint8_t *)"abcd", 4) == 1);
    CHECK(frame_ring_pop(&ring, back, 3) == HAL_E_RANGE);
    CHECK(ring.count == 1);
    CHECK(frame_ring_pop(&ring, back, 4) == 4 && memcmp(back, "abcd", 4) == 0);
}

static void a_flush_tells_what_it_lost(void)
{
    uint32_t lengths[CAPACITY];
    uint8_t slots[CAPACITY * SLOT];
    struct frame_ring ring = {
        .lengths_bytes = lengths, .slots = slots, .slot_bytes = SLOT, .capacity = CAPACITY};

    CHECK(frame_ring_push(&ring, (const uint8_t *)"a", 1) == 1);
    CHECK(frame_ring_push(&ring, (const uint8_t *)"b", 1) == 1);
    CHECK(frame_ring_flush(&ring) == 2);
    CHECK(frame_ring_flush(&ring) == 0);
}

static void a_ring_of_one_frame_is_whole_again_after_a_flush(void)
{
    uint32_t lengths[1] = {0};
    uint8_t slots[SLOT];
    uint8_t back[SLOT];
    struct frame_ring ring = {
        .lengths_bytes = lengths, .slots = slots, .slot_bytes = SLOT, .capacity = 1};

    for (int i = 0; i < 3; i++) {
        CHECK(frame_ring_push(&ring, (const uint8_t *)"ab", 2) == 1);
        CHECK(frame_ring_push(&ring, (const uint8_t *)"cd", 2) == 0);
        CHECK(frame_ring_flush(&ring) == 1 && ring.head == 0);
        CHECK(frame_ring_push(&ring, (const uint8_t *)"ef", 2) == 1);
        CHECK(frame_ring_pop(&ring, back, SLOT) == 2 && memcmp(back, "ef", 2) == 0);
    }
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(order_and_content_survive_every_wrap_around),
        PROMISE(a_frame_that_does_not_fit_stays),
        PROMISE(a_flush_tells_what_it_lost),
        PROMISE(a_ring_of_one_frame_is_whole_again_after_a_flush),
    };

    KEEP(PROMISES);
    return 0;
}
