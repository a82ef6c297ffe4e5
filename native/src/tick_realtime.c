/* How a thread becomes one that runs in time; see tick.h. */
#define _GNU_SOURCE
#include "hal.h"
#include "tick.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define SLACK_NS 1ul

static int32_t set_priority(int32_t priority)
{
    struct sched_param param = {.sched_priority = priority};

    /* 0 is the calling thread, not the process: sched_setscheduler(2), notes. */
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0 ? 0 : errno;
}

static int32_t set_processors(uint64_t cpu_mask)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (size_t cpu = 0; cpu < 64; cpu++) {
        if ((cpu_mask >> cpu & 1) != 0) {
            CPU_SET(cpu, &set);
        }
    }
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int32_t rt_enter(const struct rt_wish *wish, struct rt_grant *grant)
{
    if (wish == NULL || grant == NULL || wish->priority < 0 || wish->priority > 99) {
        return HAL_E_RANGE;
    }
    *grant = (struct rt_grant){0};
    /* Cannot fail; a thread of SCHED_FIFO has no slack anyhow: prctl(2). */
    (void)prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0);
    if (wish->priority > 0) {
        grant->priority_errno = set_priority(wish->priority);
        grant->priority = grant->priority_errno == 0 ? wish->priority : 0;
    }
    if (wish->cpu_mask != 0) {
        grant->cpu_errno = set_processors(wish->cpu_mask);
    }
    if (wish->lock != NULL && wish->lock_bytes > 0) {
        grant->lock_errno = mlock(wish->lock, (size_t)wish->lock_bytes) == 0 ? 0 : errno;
        grant->locked_bytes = grant->lock_errno == 0 ? wish->lock_bytes : 0;
    }
    return grant->priority_errno == 0 && grant->cpu_errno == 0 && grant->lock_errno == 0
               ? HAL_OK
               : HAL_E_PERM;
}
