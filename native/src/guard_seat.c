/* The watcher's process; see guard_seat.h. */
#define _GNU_SOURCE
#include "guard_seat.h"
#include "guard_block.h"
#include "hal.h"
#include "tick.h"
#include "tick_book.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

struct seat {
    struct guard *guard;
    void *data;
    int life_fd;
};

static int number(const char *text, int64_t *value)
{
    char *end = NULL;

    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

/* The whole of a memory file; NULL when it is shorter than that. */
static void *map_file(int64_t fd, uint64_t bytes_least)
{
    struct stat file;

    if (fd < 0 || fd > INT32_MAX || fstat((int)fd, &file) != 0 || file.st_size <= 0 ||
        (uint64_t)file.st_size < bytes_least) {
        return NULL;
    }
    void *memory = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static int take_seat(struct seat *seat, int argc, char **argv)
{
    int64_t numbers[GUARD_SEAT_NUMBERS] = {0};

    if (argc != GUARD_SEAT_NUMBERS + 1) {
        return 0;
    }
    for (int i = 0; i < GUARD_SEAT_NUMBERS; i++) {
        if (!number(argv[i + 1], &numbers[i])) {
            return 0;
        }
    }
    seat->guard = map_file(numbers[0], sizeof *seat->guard);
    seat->life_fd = (int)numbers[3];
    if (guard_check(seat->guard) != HAL_OK || numbers[2] < 0) {
        return 0;
    }
    const struct guard_block *block = (const struct guard_block *)seat->guard;

    if (numbers[1] >= 0) {
        uint8_t *memory = map_file(numbers[1], (uint64_t)numbers[2] + block->data_bytes);

        seat->data = memory == NULL ? NULL : memory + numbers[2];
    }
    return guard_plan_check(&block->plan, seat->data == NULL ? 0 : block->data_bytes) == HAL_OK;
}

/* Waits for the tick, or for the end of the flight process: whoever cleans up after it (a service
 * manager that kills what is left) may be here within milliseconds. Nothing is ever written into
 * that pipe: it is readable when its other end has closed. @return 1: it has ended. */
static uint32_t wait_for(uint64_t due_ns, int life_fd)
{
    struct pollfd life = {.fd = life_fd, .events = POLLIN};
    uint64_t now_ns = tick_monotonic_ns();
    uint64_t left_ns = now_ns < due_ns ? due_ns - now_ns : 0;
    struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
                            .tv_nsec = (long)(left_ns % NS_PER_S)};

    return ppoll(&life, 1, &left, NULL) > 0;
}

static void enter(struct guard_block *block)
{
    const struct rt_wish wish = {.priority = block->priority};
    struct rt_grant grant;

    (void)rt_enter(&wish, &grant);
    atomic_store(&block->rows[GUARD_PROCESS].priority, grant.priority);
}

int guard_seat(int argc, char **argv)
{
    struct seat seat = {.life_fd = -1};
    struct tick_book book;
    uint32_t dead = 0;
    int tries = 0;

    if (!take_seat(&seat, argc, argv)) {
        return GUARD_SEAT_REFUSED;
    }
    struct guard_block *block = (struct guard_block *)seat.guard;

    enter(block);
    tick_book_open(&book, block->period_ns, tick_monotonic_ns());
    while (tries < GUARD_LAST_TRIES) {
        if (dead == 0) {
            dead = wait_for(book.due_ns, seat.life_fd);
        } else {
            tick_sleep_until(book.due_ns);
        }
        uint64_t come = tick_book_wake(&book, tick_monotonic_ns());

        if (come > 0 || dead != 0) {
            struct guard_status status;

            (void)guard_watch(seat.guard, GUARD_PROCESS, dead, seat.data, linux_syscalls_real());
            (void)guard_read_status(seat.guard, &status);
            if (dead != 0 && (status.state == GUARD_DISARMED || status.safe == 1)) {
                return GUARD_SEAT_DONE;
            }
            tries += dead != 0;
        }
    }
    return GUARD_SEAT_UNSAFE;
}
