/* The thread behind the tick; see tick.h. */
#define _GNU_SOURCE
#include "guard.h"
#include "guard_plan.h"
#include "hal.h"
#include "tick.h"
#include "tick_book.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SOURCE_RUNS 0x4B434954u /* "TICK" */

/* What lies in the caller's struct tick_source. `taken` and `overruns` are the taker's; the thread
 * writes `book`, `grant` before `started`, and nothing else. */
struct source {
    uint32_t runs;
    int event_fd;
    atomic_int stop;
    pthread_t thread;
    sem_t started;
    struct tick_config config;
    struct rt_grant grant;
    struct tick_book book;
    uint64_t taken;
    uint64_t overruns;
};

_Static_assert(sizeof(struct source) <= sizeof(struct tick_source), "it has to fit");

static void look_at_guard(const struct hal *device)
{
    if (device != NULL && device->guard != NULL) {
        (void)guard_watch(device->guard, GUARD_THREAD, 0, device->data, linux_syscalls_real());
    }
}

static void *run(void *argument)
{
    struct source *own = argument;
    const struct rt_wish wish = {.priority = own->config.priority,
                                 .cpu_mask = own->config.cpu_mask};

    (void)rt_enter(&wish, &own->grant);
    (void)sem_post(&own->started);
    while (atomic_load(&own->stop) == 0) {
        tick_sleep_until(own->book.due_ns);
        uint64_t come = tick_book_wake(&own->book, tick_monotonic_ns());

        if (come > 0) {
            /* First the loop, then the guard: it counts whole ticks without a check-in. */
            (void)write(own->event_fd, &come, sizeof come);
            look_at_guard(own->config.device);
        }
    }
    return NULL;
}

static int test_config(const struct tick_config *config)
{
    return config != NULL && config->period_ns >= TICK_PERIOD_NS_MIN &&
           config->period_ns <= TICK_PERIOD_NS_MAX && config->priority >= 0 &&
           config->priority <= 99;
}

/* Signals belong to the thread that handles them, which is never this one. */
static int start_thread(struct source *own)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&own->thread, NULL, run, own);

    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

int32_t tick_source_start(struct tick_source *source, const struct tick_config *config)
{
    struct source *own = (struct source *)source;

    if (source == NULL || !test_config(config)) {
        return HAL_E_RANGE;
    }
    if (own->runs == SOURCE_RUNS) {
        return HAL_E_STATE;
    }
    memset(source, 0, sizeof *source);
    own->config = *config;
    own->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (own->event_fd < 0) {
        return HAL_E_BUSY;
    }
    (void)sem_init(&own->started, 0, 0);
    tick_book_open(&own->book, config->period_ns, tick_monotonic_ns());
    if (start_thread(own) != 0) {
        (void)sem_destroy(&own->started);
        (void)close(own->event_fd);
        return HAL_E_BUSY;
    }
    while (sem_wait(&own->started) != 0 && errno == EINTR) {
        /* a signal: it still has to say what the scheduler granted */
    }
    own->runs = SOURCE_RUNS;
    return HAL_OK;
}

void tick_source_stop(struct tick_source *source)
{
    struct source *own = (struct source *)source;

    if (source == NULL || own->runs != SOURCE_RUNS) {
        return;
    }
    atomic_store(&own->stop, 1);
    (void)pthread_join(own->thread, NULL);
    (void)sem_destroy(&own->started);
    (void)close(own->event_fd);
    memset(source, 0, sizeof *source);
}

static int32_t test_running(const void *source, const void *argument)
{
    if (source == NULL || argument == NULL) {
        return HAL_E_RANGE;
    }
    return ((const struct source *)source)->runs == SOURCE_RUNS ? HAL_OK : HAL_E_STATE;
}

int32_t tick_source_descriptor(const struct tick_source *source)
{
    int32_t running = test_running(source, source);

    return running < 0 ? running : ((const struct source *)source)->event_fd;
}

int32_t tick_take(struct tick_source *source, uint64_t *due_ns)
{
    struct source *own = (struct source *)source;
    int32_t running = test_running(source, due_ns);
    uint64_t come = 0;

    if (running < 0) {
        return running;
    }
    if (read(own->event_fd, &come, sizeof come) != (ssize_t)sizeof come) {
        return 0; /* none waits */
    }
    own->taken += come;
    own->overruns += come - 1;
    *due_ns = own->book.first_ns + (own->taken - 1) * own->book.period_ns;
    return come > INT32_MAX ? INT32_MAX : (int32_t)come;
}

static uint64_t look(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

int32_t tick_read_status(const struct tick_source *source, struct tick_status *status)
{
    const struct source *own = (const struct source *)source;
    int32_t running = test_running(source, status);

    if (running < 0) {
        return running;
    }
    *status = (struct tick_status){
        .ticks = look(&own->book.ticks),
        .missed = look(&own->book.missed),
        .taken = own->taken,
        .overruns = own->overruns,
        .late_max_ns = look(&own->book.late_max_ns),
        .grant = own->grant,
    };
    for (size_t i = 0; i < TICK_LATE_BUCKETS; i++) {
        status->late[i] = look(&own->book.late[i]);
    }
    return HAL_OK;
}
