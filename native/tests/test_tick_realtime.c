/* What a thread asks of the scheduler, and that the answer is what is in force. Who may ask differs
 * from machine to machine: both answers are held to. */
#define _GNU_SOURCE
#include "check.h"
#include "hal.h"
#include "tick.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

/* A sanitizer has an mlock() of its own, which locks nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

static void in_a_thread(void *(*promise)(void *))
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, promise, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static int32_t priority_in_force(void)
{
    struct sched_param param = {0};
    int policy = sched_getscheduler(0);

    CHECK(policy >= 0 && sched_getparam(0, &param) == 0);
    return (policy & ~SCHED_RESET_ON_FORK) == SCHED_FIFO ? param.sched_priority : 0;
}

static void *look_at_own_priority(void *unused)
{
    (void)unused;
    CHECK(priority_in_force() == 0);
    return NULL;
}

static void *ask_for_a_priority(void *unused)
{
    const struct rt_wish wish = {.priority = 7};
    struct rt_grant grant;
    int32_t entered = rt_enter(&wish, &grant);

    CHECK(grant.priority == priority_in_force());
    CHECK(entered == (grant.priority == 7 ? HAL_OK : HAL_E_PERM));
    CHECK((grant.priority_errno == 0) == (grant.priority == 7));
    in_a_thread(look_at_own_priority); /* what it starts is ordinary */
    return unused;
}

static void the_grant_is_what_is_in_force_and_is_not_inherited(void)
{
    in_a_thread(ask_for_a_priority);
}

static void *ask_for_a_processor(void *unused)
{
    cpu_set_t allowed;
    struct rt_grant grant;
    struct rt_wish wish = {.cpu_mask = 0};

    CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    for (size_t cpu = 0; cpu < 64 && wish.cpu_mask == 0; cpu++) {
        wish.cpu_mask = CPU_ISSET(cpu, &allowed) ? UINT64_C(1) << cpu : 0;
    }
    if (wish.cpu_mask != 0) {
        CHECK(rt_enter(&wish, &grant) == HAL_OK);
        CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
        CHECK(CPU_COUNT(&allowed) == 1);
    }
    return unused;
}

static void a_thread_keeps_to_its_processors(void)
{
    in_a_thread(ask_for_a_processor);
}

static void memory_is_locked_as_far_as_the_limit_allows_and_no_further(void)
{
    static uint64_t arena[512];
    struct rt_grant grant;
    struct rt_wish wish = {.lock = arena, .lock_bytes = sizeof arena};
    struct rlimit limit;

    CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    int32_t entered = rt_enter(&wish, &grant);

    CHECK((entered == HAL_OK) == (grant.locked_bytes == sizeof arena));
    CHECK((entered == HAL_OK) == (grant.lock_errno == 0));
    CHECK(entered == HAL_OK || limit.rlim_cur < 2 * sizeof arena);
#if !SANITIZED
    wish.lock = (void *)(uintptr_t)4096; /* nothing is there */
    CHECK(rt_enter(&wish, &grant) == HAL_E_PERM);
    CHECK(grant.lock_errno != 0 && grant.locked_bytes == 0);
#endif
}

static void who_wishes_nothing_is_granted_it(void)
{
    const struct rt_wish nothing = {0};
    struct rt_grant grant;
    struct rt_grant none = {0};

    memset(&grant, 0xA5, sizeof grant);
    CHECK(rt_enter(&nothing, &grant) == HAL_OK);
    CHECK(memcmp(&grant, &none, sizeof grant) == 0);
}

static void a_priority_out_of_bounds_changes_nothing(void)
{
    struct rt_grant grant;
    struct rt_wish wish = {.priority = 100};

    CHECK(rt_enter(&wish, &grant) == HAL_E_RANGE);
    wish.priority = -1;
    CHECK(rt_enter(&wish, &grant) == HAL_E_RANGE);
    CHECK(rt_enter(NULL, &grant) == HAL_E_RANGE);
    CHECK(rt_enter(&wish, NULL) == HAL_E_RANGE);
    CHECK(priority_in_force() == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_grant_is_what_is_in_force_and_is_not_inherited),
        PROMISE(a_thread_keeps_to_its_processors),
        PROMISE(memory_is_locked_as_far_as_the_limit_allows_and_no_further),
        PROMISE(who_wishes_nothing_is_granted_it),
        PROMISE(a_priority_out_of_bounds_changes_nothing),
    };

    KEEP(PROMISES);
    return 0;
}
