/* The sampler's threads: who does what when, and how they end; see linux_sampler.h. */
#define _GNU_SOURCE
#include "hal.h"
#include "linux_sampler.h"
#include "shared_word.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#define FIRST_MS    25
#define END_MS      40
#define STACK_BYTES 262144 /* the journal is read on it */
#define NS_PER_MS   UINT64_C(1000000)
#define NS_PER_S    UINT64_C(1000000000)
#define LONGEST_NS  (60 * NS_PER_S)

static uint64_t now_ns(const struct linux_sampler *sampler)
{
    return sampler->sys.now_ns(sampler->sys.context);
}

/* Waits for a signal, at most until `due_ns`; under the lock. @return 0 after a signal. */
static int wait_until(struct linux_sampler *sampler, pthread_cond_t *cond, uint64_t due_ns)
{
    uint64_t longest_ns = now_ns(sampler) + LONGEST_NS;
    uint64_t until_ns = due_ns < longest_ns ? due_ns : longest_ns;
    struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                             .tv_nsec = (long)(until_ns % NS_PER_S)};

    return pthread_cond_timedwait(cond, &sampler->mutex, &until);
}

/* Under the lock, which is given up. The last one out gives everything back. */
static void leave(struct linux_sampler *sampler)
{
    int last;

    sampler->threads--;
    last = sampler->threads == 0 && sampler->left != 0;
    (void)pthread_cond_broadcast(&sampler->seen);
    (void)pthread_mutex_unlock(&sampler->mutex);
    if (last) {
        linux_sampler_free(sampler);
    }
}

static void *read_sensors(void *argument)
{
    struct linux_sampler *sampler = argument;

    (void)pthread_mutex_lock(&sampler->mutex);
    while (sampler->ending == 0) {
        uint64_t wake_ns = 0;
        int32_t slot =
            linux_schedule_take(&sampler->schedule, &sampler->inventory, now_ns(sampler), &wake_ns);

        if (slot < 0) {
            (void)wait_until(sampler, &sampler->wake, wake_ns);
            continue;
        }
        (void)pthread_mutex_unlock(&sampler->mutex);
        linux_sampler_work(sampler, slot);
        (void)pthread_mutex_lock(&sampler->mutex);
        uint64_t missed =
            linux_schedule_done(&sampler->schedule, &sampler->inventory, slot, now_ns(sampler));

        atomic_fetch_add(&sampler->counters.samples_late, missed);
        /* Nobody else is woken: what this reading kept others from, this thread may take next. */
        (void)pthread_cond_broadcast(&sampler->seen);
    }
    leave(sampler);
    return NULL;
}

/* The level that is wanted and has not been carried out; under the lock. */
static int is_wanted(struct linux_sampler *sampler, uint32_t *level)
{
    *level = shared_word_load(sampler->wanted);
    return *level != LINUX_LEVEL_NONE &&
           (sampler->requested != 0 || *level != atomic_load(&sampler->told));
}

static void *carry_levels_out(void *argument)
{
    struct linux_sampler *sampler = argument;
    uint32_t level = LINUX_LEVEL_NONE;

    (void)pthread_mutex_lock(&sampler->mutex);
    while (sampler->ending == 0) {
        /* Looked at again after each level: a guard may have written its own meanwhile. */
        if (!is_wanted(sampler, &level)) {
            (void)wait_until(sampler, &sampler->wake,
                             now_ns(sampler) + sampler->schedule.period_ns);
            continue;
        }
        sampler->requested = 0;
        (void)pthread_mutex_unlock(&sampler->mutex);
        linux_sampler_carry_out(sampler, level);
        (void)pthread_mutex_lock(&sampler->mutex);
        linux_schedule_hurry(&sampler->schedule, &sampler->inventory, LINUX_CPU, now_ns(sampler));
        linux_schedule_hurry(&sampler->schedule, &sampler->inventory, LINUX_GPU, now_ns(sampler));
        (void)pthread_cond_broadcast(&sampler->wake);
    }
    (void)pthread_mutex_unlock(&sampler->mutex);
    linux_sampler_restore(sampler);
    (void)pthread_mutex_lock(&sampler->mutex);
    leave(sampler);
    return NULL;
}

/* A detached thread that no signal of the process ever reaches. */
static int start_thread(struct linux_sampler *sampler, void *(*run)(void *))
{
    size_t stack_bytes = STACK_BYTES;
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, stack_bytes);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&thread, &attributes, run, sampler);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    sampler->threads += failed == 0;
    return failed;
}

/* Whether every source was read once, or failed to be; under the lock. */
static int is_complete(const struct linux_sampler *sampler)
{
    uint32_t count = atomic_load(&sampler->inventory.count);

    for (uint32_t i = 0; i < count; i++) {
        if (sampler->schedule.slot[i].due_ns == 0) {
            return 0;
        }
    }
    return 1;
}

int32_t linux_sampler_start(struct linux_sampler *sampler)
{
    uint64_t until_ns = now_ns(sampler) + FIRST_MS * NS_PER_MS;
    int failed = 0;

    (void)pthread_mutex_lock(&sampler->mutex);
    failed = start_thread(sampler, carry_levels_out);
    for (int i = 0; i < LINUX_READERS && failed == 0; i++) {
        failed = start_thread(sampler, read_sensors);
    }
    while (failed == 0 && !is_complete(sampler) && now_ns(sampler) < until_ns) {
        (void)wait_until(sampler, &sampler->seen, until_ns);
    }
    (void)pthread_mutex_unlock(&sampler->mutex);
    return failed == 0 ? HAL_OK : HAL_E_BUSY;
}

int32_t linux_sampler_request(struct linux_sampler *sampler, uint32_t level)
{
    int32_t outcome =
        atomic_load(&sampler->told) == level ? atomic_load(&sampler->outcome) : HAL_OK;

    if (sampler->config.period_ms == 0) {
        linux_sampler_carry_out(sampler, level);
        return atomic_load(&sampler->outcome);
    }
    (void)pthread_mutex_lock(&sampler->mutex);
    sampler->requested = 1;
    (void)pthread_cond_broadcast(&sampler->wake);
    (void)pthread_mutex_unlock(&sampler->mutex);
    return outcome;
}

void linux_sampler_end(struct linux_sampler *sampler)
{
    uint64_t until_ns = now_ns(sampler) + END_MS * NS_PER_MS;
    int last;

    if (sampler->config.period_ms == 0) {
        linux_sampler_restore(sampler);
        linux_sampler_free(sampler);
        return;
    }
    (void)pthread_mutex_lock(&sampler->mutex);
    sampler->ending = 1;
    (void)pthread_cond_broadcast(&sampler->wake);
    while (sampler->threads > 0 && now_ns(sampler) < until_ns) {
        (void)wait_until(sampler, &sampler->seen, until_ns);
    }
    sampler->left = 1;
    last = sampler->threads == 0;
    (void)pthread_mutex_unlock(&sampler->mutex);
    if (last) {
        linux_sampler_free(sampler);
    }
}
