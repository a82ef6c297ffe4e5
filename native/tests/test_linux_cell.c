/* A value that one thread writes and another reads. */
#include "check.h"
#include "linux_cell.h"

#include <pthread.h>

static void the_last_value_written_is_read(void)
{
    struct linux_cell cell = {0};
    struct linux_value value = {.v = {1, -2, 3}, .state = 1, .t_ns = 5};
    struct linux_value read = {0};

    CHECK(linux_cell_read(&cell, &read) == 1 && read.t_ns == 0 && read.state == 0);
    for (int32_t i = 0; i < 5; i++) {
        value.v[0] = i;
        linux_cell_write(&cell, &value);
        CHECK(linux_cell_read(&cell, &read) == 1);
        CHECK(read.v[0] == i && read.v[1] == -2 && read.v[2] == 3 && read.t_ns == 5);
    }
}

enum { ROUNDS = 200000 };

static void *write_many(void *argument)
{
    struct linux_cell *cell = argument;

    for (int32_t i = 1; i <= ROUNDS; i++) {
        struct linux_value value = {.v = {i, -i, i}, .state = (uint32_t)i, .t_ns = (uint64_t)i};

        linux_cell_write(cell, &value);
    }
    return NULL;
}

static void a_reader_never_sees_half_a_value_nor_an_older_one(void)
{
    struct linux_cell cell = {0};
    struct linux_value read = {0};
    pthread_t writer;
    int32_t before = 0;

    CHECK(pthread_create(&writer, NULL, write_many, &cell) == 0);
    while (before < ROUNDS) {
        if (linux_cell_read(&cell, &read)) {
            CHECK(read.v[0] == -read.v[1] && read.v[0] == read.v[2]);
            CHECK(read.state == (uint32_t)read.v[0] && read.t_ns == (uint64_t)read.v[0]);
            CHECK(read.v[0] >= before);
            before = read.v[0];
        }
    }
    CHECK(pthread_join(writer, NULL) == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_last_value_written_is_read),
        PROMISE(a_reader_never_sees_half_a_value_nor_an_older_one),
    };

    KEEP(PROMISES);
    return 0;
}
