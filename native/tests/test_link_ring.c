/* The FIFO between two threads: order, content, bounds; and two threads at once. */
#include "check.h"
#include "hal.h"
#include "link_ring.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { CAPACITY = 3, SLOT = 8, MANY = 200000 };

static uint64_t memory[64];

static struct link_ring fresh(void)
{
    struct link_ring ring;

    CHECK(link_ring_bytes(CAPACITY, SLOT) <= sizeof memory);
    CHECK(link_ring_init(&ring, (uint8_t *)memory, CAPACITY, SLOT) ==
          (uint8_t *)memory + link_ring_bytes(CAPACITY, SLOT));
    return ring;
}

static void order_and_content_survive_every_wrap_around(void)
{
    struct link_ring ring = fresh();
    uint8_t in = 0;
    uint8_t out = 0;

    for (uint32_t step = 0; step < 200; step++) {
        uint8_t record[SLOT];
        uint8_t back[SLOT];

        memset(record, in, sizeof record);
        if (step % 5 != 4 && link_ring_push(&ring, record, 1 + in % SLOT)) {
            in++;
        } else {
            CHECK(link_ring_pop(&ring, back, SLOT) == 1 + out % SLOT);
            CHECK(back[0] == out && back[out % SLOT] == out);
            out++;
        }
        CHECK(link_ring_count(&ring) == (uint32_t)(in - out));
    }
    CHECK(out > 30 && atomic_load(&ring.head) == out);
}

static void a_full_ring_takes_nothing_and_keeps_what_it_has(void)
{
    struct link_ring ring = fresh();
    uint8_t back[SLOT] = {0};
    uint32_t bytes = 0;

    CHECK(link_ring_front(&ring, &bytes) == NULL && link_ring_pop(&ring, back, SLOT) == 0);
    CHECK(link_ring_push(&ring, (const uint8_t *)"abcd", 4));
    CHECK(link_ring_push(&ring, (const uint8_t *)"e", 1));
    CHECK(link_ring_slot(&ring) != NULL);
    CHECK(link_ring_push(&ring, (const uint8_t *)"f", 1));
    CHECK(link_ring_slot(&ring) == NULL && !link_ring_push(&ring, (const uint8_t *)"g", 1));
    CHECK(link_ring_pop(&ring, back, 3) == HAL_E_RANGE && link_ring_count(&ring) == 3);
    CHECK(link_ring_pop(&ring, back, 4) == 4 && memcmp(back, "abcd", 4) == 0);
}

static void a_flush_tells_what_it_lost(void)
{
    struct link_ring ring = fresh();

    CHECK(link_ring_push(&ring, (const uint8_t *)"a", 1));
    CHECK(link_ring_push(&ring, (const uint8_t *)"b", 1));
    CHECK(link_ring_flush(&ring) == 2 && link_ring_flush(&ring) == 0);
    CHECK(link_ring_push(&ring, (const uint8_t *)"c", 1) && link_ring_count(&ring) == 1);
}

static void *write_many(void *argument)
{
    struct link_ring *ring = argument;

    for (uint64_t i = 0; i < MANY;) {
        if (link_ring_push(ring, (const uint8_t *)&i, sizeof i)) {
            i++;
        } else {
            sched_yield();
        }
    }
    return NULL;
}

static void two_threads_lose_and_mix_nothing(void)
{
    struct link_ring ring = fresh();
    pthread_t writer;

    CHECK(pthread_create(&writer, NULL, write_many, &ring) == 0);
    for (uint64_t i = 0; i < MANY;) {
        uint64_t back = 0;

        if (link_ring_pop(&ring, (uint8_t *)&back, sizeof back) == sizeof back) {
            CHECK(back == i);
            i++;
        } else {
            sched_yield();
        }
    }
    CHECK(pthread_join(writer, NULL) == 0 && link_ring_count(&ring) == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(order_and_content_survive_every_wrap_around),
        PROMISE(a_full_ring_takes_nothing_and_keeps_what_it_has),
        PROMISE(a_flush_tells_what_it_lost),
        PROMISE(two_threads_lose_and_mix_nothing),
    };

    KEEP(PROMISES);
    return 0;
}
