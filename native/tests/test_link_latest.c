/* The newest of a value between two threads: whole, never older than the one before. */
#include "link_latest.h"

#include "check.h"

#include <pthread.h>
#include <string.h>

enum { WORDS = 64, VALUES = 200000 };

static struct link_latest latest;
static uint64_t copies[3][WORDS];

static void begin(void)
{
    link_latest_init(&latest);
    memset(copies, 0, sizeof copies);
}

static void publish(uint64_t value)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        copies[latest.writing][i] = value;
    }
    link_latest_publish(&latest);
}

static uint64_t take(void)
{
    return copies[link_latest_take(&latest)][0];
}

static void before_anything_was_published_the_reader_sees_a_copy(void)
{
    begin();
    CHECK(take() == 0 && latest.reading != latest.writing);
    CHECK(take() == 0);
}

static void the_reader_sees_the_newest_and_keeps_it(void)
{
    begin();
    publish(1);
    CHECK(take() == 1);
    CHECK(take() == 1);
    publish(2);
    publish(3);
    publish(4);
    CHECK(take() == 4);
    CHECK(take() == 4);
}

static void the_copy_that_is_read_is_never_the_one_that_is_written(void)
{
    begin();
    for (uint64_t i = 1; i < 100; i++) {
        publish(i);
        CHECK(latest.writing != latest.reading);
        if (i % 3 == 0) {
            (void)take();
            CHECK(latest.writing != latest.reading);
        }
        CHECK(copies[latest.reading][0] == copies[latest.reading][WORDS - 1]);
    }
}

static void *write_all(void *argument)
{
    (void)argument;
    for (uint64_t i = 1; i <= VALUES; i++) {
        publish(i);
    }
    return NULL;
}

static void two_threads_never_see_half_a_value_nor_an_older_one(void)
{
    pthread_t writer;
    uint64_t seen = 0;

    begin();
    CHECK(pthread_create(&writer, NULL, write_all, NULL) == 0);
    while (seen < VALUES) {
        const uint64_t *copy = copies[link_latest_take(&latest)];

        for (uint32_t i = 1; i < WORDS; i++) {
            CHECK(copy[i] == copy[0]);
        }
        CHECK(copy[0] >= seen);
        seen = copy[0];
    }
    CHECK(pthread_join(writer, NULL) == 0);
    CHECK(take() == VALUES);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(before_anything_was_published_the_reader_sees_a_copy),
        PROMISE(the_reader_sees_the_newest_and_keeps_it),
        PROMISE(the_copy_that_is_read_is_never_the_one_that_is_written),
        PROMISE(two_threads_never_see_half_a_value_nor_an_older_one),
    };

    KEEP(PROMISES);
    return 0;
}
