/* Starting the watcher's process. This very program plays it: with arguments it sits down. */
#define _GNU_SOURCE
#include "guard_seat.h"
#include "guard_stage.h"
#include "guard_supervisor.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define PERIOD_NS 5000000u
#define LIMIT     10u

static char self[PATH_MAX];

static struct guard_supervisor_config config_of(const struct stage *stage)
{
    return (struct guard_supervisor_config){.program = self,
                                            .guard = stage->guard,
                                            .guard_fd = stage->guard_fd,
                                            .data_fd = stage->data_fd,
                                            .data_offset = STAGE_DATA_OFFSET};
}

static void wait_for_ticks(const struct stage *stage, uint64_t ticks)
{
    uint64_t until = stage_status(stage).process_ticks + ticks;

    while (stage_status(stage).process_ticks < until) {
        stage_rest();
    }
}

/* Plays the flight process: checks in until it is stopped. */
static pid_t start_flight(const struct stage *stage)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    while (pid == 0) {
        (void)guard_check_in(stage->guard);
        (void)poll(NULL, 0, 1);
    }
    return pid;
}

static void end_flight(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

/* The measure of it: payload off and laser dark within two ticks of the limit, counted in the
 * watcher's own ticks, while nothing in the flight process runs. */
static void a_stopped_process_is_made_safe_within_two_ticks_of_the_limit(void)
{
    struct stage stage = make_stage(PERIOD_NS, LIMIT);
    const struct guard_supervisor_config config = config_of(&stage);
    struct guard_supervisor supervisor = {0};
    pid_t flight = start_flight(&stage);

    CHECK(guard_supervisor_start(&supervisor, &config) == HAL_OK);
    wait_for_ticks(&stage, 1);
    CHECK(guard_arm(stage.guard) == HAL_OK);
    wait_for_ticks(&stage, 2 * LIMIT);
    /* A machine so busy that a living process did not run for so long proves nothing here. */
    while (stage_status(&stage).state == GUARD_TRIPPED) {
        if (guard_rearm(stage.guard) == HAL_OK) {
            wait_for_ticks(&stage, 2 * LIMIT);
        }
    }
    uint64_t trips = stage_status(&stage).trips;

    CHECK(kill(flight, SIGSTOP) == 0);
    uint64_t stopped_at = stage_status(&stage).process_ticks;

    while (stage_status(&stage).state != GUARD_TRIPPED || stage_status(&stage).safe == 0) {
        stage_rest();
    }
    struct guard_status told = stage_status(&stage);

    CHECK(stage_is_safe(&stage));
    CHECK(told.trips == trips + 1 && told.cause == GUARD_CAUSE_SILENCE);
    CHECK(told.watcher == GUARD_PROCESS && told.silent_ticks == LIMIT);
    CHECK(told.trip_tick <= stopped_at + LIMIT + 2);
    end_flight(flight);
    guard_supervisor_stop(&supervisor);
    close_stage(&stage);
}

static void it_ends_when_it_is_told_and_leaves_nothing(void)
{
    struct stage stage = make_stage(PERIOD_NS, LIMIT);
    const struct guard_supervisor_config config = config_of(&stage);
    struct guard_supervisor supervisor = {0};

    CHECK(guard_supervisor_runs(&supervisor) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(guard_supervisor_start(&supervisor, &config) == HAL_OK);
        CHECK(guard_supervisor_start(&supervisor, &config) == HAL_E_STATE);
        CHECK(guard_supervisor_runs(&supervisor) == 1);
        guard_supervisor_stop(&supervisor);
        CHECK(guard_supervisor_runs(&supervisor) == 0 && supervisor.pid == 0);
        guard_supervisor_stop(&supervisor);
    }
    guard_supervisor_stop(NULL);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1); /* no child is left */
    close_stage(&stage);
}

static void it_stands_apart_from_the_terminal_and_from_signals(void)
{
    struct stage stage = make_stage(PERIOD_NS, LIMIT);
    const struct guard_supervisor_config config = config_of(&stage);
    struct guard_supervisor supervisor = {0};

    CHECK(guard_supervisor_start(&supervisor, &config) == HAL_OK);
    CHECK(getpgid(supervisor.pid) == supervisor.pid && getpgid(0) != supervisor.pid);
    for (int fd = 0; fd <= 2; fd++) {
        char name[64];
        char target[64] = {0};

        (void)snprintf(name, sizeof name, "/proc/%d/fd/%d", (int)supervisor.pid, fd);
        CHECK(readlink(name, target, sizeof target - 1) > 0 && strcmp(target, "/dev/null") == 0);
    }
    CHECK(kill(supervisor.pid, SIGINT) == 0 && kill(supervisor.pid, SIGTERM) == 0);
    CHECK(kill(supervisor.pid, SIGTSTP) == 0 && kill(supervisor.pid, SIGHUP) == 0);
    wait_for_ticks(&stage, 3);
    CHECK(guard_supervisor_runs(&supervisor) == 1);
    guard_supervisor_stop(&supervisor);
    close_stage(&stage);
}

/* A flight process that was started without standard input, output and error: what the watcher is
 * handed has their numbers. */
static void it_runs_with_the_lowest_descriptors_too(void)
{
    pid_t pid = fork();
    int how = 0;

    CHECK(pid >= 0);
    if (pid == 0) {
        (void)close(0);
        (void)close(1);
        (void)dup2(2, 9);
        (void)close(2);
        struct stage stage = make_stage(PERIOD_NS, LIMIT);
        const struct guard_supervisor_config config = config_of(&stage);
        struct guard_supervisor supervisor = {0};

        if (stage.guard_fd != 0 || stage.data_fd != 1 || stage.file_fd != 2 ||
            guard_supervisor_start(&supervisor, &config) != HAL_OK || guard_arm(stage.guard) != 0) {
            _exit(2);
        }
        while (stage_status(&stage).safe == 0) {
            if (guard_supervisor_runs(&supervisor) != 1) {
                _exit(3);
            }
            stage_rest();
        }
        guard_supervisor_stop(&supervisor);
        _exit(stage_is_safe(&stage) ? 0 : 4);
    }
    CHECK(waitpid(pid, &how, 0) == pid);
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void its_own_death_is_seen(void)
{
    struct stage stage = make_stage(PERIOD_NS, LIMIT);
    const struct guard_supervisor_config config = config_of(&stage);
    struct guard_supervisor supervisor = {0};

    CHECK(guard_supervisor_start(&supervisor, &config) == HAL_OK);
    CHECK(kill(supervisor.pid, SIGKILL) == 0);
    while (guard_supervisor_runs(&supervisor) == 1) {
        stage_rest();
    }
    CHECK(supervisor.pid == 0);
    CHECK(guard_supervisor_start(&supervisor, &config) == HAL_OK);
    guard_supervisor_stop(&supervisor);
    close_stage(&stage);
}

static void what_cannot_be_started_is_told(void)
{
    struct stage stage = make_stage(PERIOD_NS, LIMIT);
    struct guard_supervisor supervisor = {0};
    struct guard_supervisor_config bad[6];

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = config_of(&stage);
    }
    bad[0].program = "/nowhere/lumenode-guard";
    bad[1].program = "/proc/self/status"; /* no program */
    bad[2].program = NULL;
    bad[3].guard = NULL;
    bad[4].guard_fd = -1;
    bad[5].data_fd = 1000000;
    CHECK(guard_supervisor_start(&supervisor, &bad[0]) == HAL_E_NODEV);
    CHECK(guard_supervisor_start(&supervisor, &bad[1]) == HAL_E_PERM);
    CHECK(guard_supervisor_start(&supervisor, &bad[2]) == HAL_E_RANGE);
    CHECK(guard_supervisor_start(&supervisor, &bad[3]) == HAL_E_RANGE);
    CHECK(guard_supervisor_start(&supervisor, &bad[4]) == HAL_E_RANGE);
    CHECK(guard_supervisor_start(&supervisor, &bad[5]) < 0);
    CHECK(guard_supervisor_start(NULL, &bad[0]) == HAL_E_RANGE);
    CHECK(guard_supervisor_start(&supervisor, NULL) == HAL_E_RANGE);
    CHECK(guard_supervisor_runs(NULL) == HAL_E_RANGE);
    CHECK(supervisor.pid == 0);
    close_stage(&stage);
}

int main(int argc, char **argv)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_stopped_process_is_made_safe_within_two_ticks_of_the_limit),
        PROMISE(it_ends_when_it_is_told_and_leaves_nothing),
        PROMISE(it_stands_apart_from_the_terminal_and_from_signals),
        PROMISE(it_runs_with_the_lowest_descriptors_too),
        PROMISE(its_own_death_is_seen),
        PROMISE(what_cannot_be_started_is_told),
    };

    if (argc > 1) {
        return guard_seat(argc, argv);
    }
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    KEEP(PROMISES);
    return 0;
}
