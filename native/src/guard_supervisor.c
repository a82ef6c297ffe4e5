/* Starts and ends the watcher's process, from the flight process; see guard_supervisor.h. */
#define _GNU_SOURCE
#include "guard_supervisor.h"
#include "guard_block.h"
#include "guard_seat.h"
#include "hal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBER_BYTES 24

/* Whether the watcher needs this descriptor. A flight process that was started without standard input,
 * output or error has others under their numbers. */
static int is_needed(const struct guard_supervisor_config *config, int life_fd, int fd)
{
    const struct guard_plan *plan = &((const struct guard_block *)config->guard)->plan;

    if (fd == config->guard_fd || fd == config->data_fd || fd == life_fd) {
        return 1;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].kind != GUARD_STORE && plan->steps[i].fd == fd) {
            return 1;
        }
    }
    return 0;
}

/* In the new process: nothing at its terminal, and only what the watcher needs. A descriptor that is
 * given to itself loses its FD_CLOEXEC (posix_spawn_file_actions_adddup2(3), glibc 2.29). */
static int hand_over(posix_spawn_file_actions_t *actions,
                     const struct guard_supervisor_config *config, int life_fd)
{
    const struct guard_plan *plan = &((const struct guard_block *)config->guard)->plan;
    int failed = 0;

    for (int fd = 0; fd <= 2; fd++) {
        if (!is_needed(config, life_fd, fd)) {
            failed |= posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
        }
    }
    failed |= posix_spawn_file_actions_adddup2(actions, config->guard_fd, config->guard_fd);
    failed |= posix_spawn_file_actions_adddup2(actions, life_fd, life_fd);
    if (config->data_fd >= 0) {
        failed |= posix_spawn_file_actions_adddup2(actions, config->data_fd, config->data_fd);
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        int fd = plan->steps[i].fd;

        if (plan->steps[i].kind != GUARD_STORE) {
            failed |= posix_spawn_file_actions_adddup2(actions, fd, fd);
        }
    }
    return failed;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all;

    (void)sigfillset(&all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK) |
           posix_spawnattr_setpgroup(attributes, 0) | posix_spawnattr_setsigmask(attributes, &all);
}

static int spawn(const struct guard_supervisor_config *config, int life_fd, pid_t *pid)
{
    char numbers[GUARD_SEAT_NUMBERS][NUMBER_BYTES];
    char name[] = "lumenode-guard";
    char *arguments[GUARD_SEAT_NUMBERS + 2] = {name};
    char *environment[] = {NULL};
    const int64_t values[GUARD_SEAT_NUMBERS] = {config->guard_fd, config->data_fd,
                                                (int64_t)config->data_offset, life_fd};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    for (size_t i = 0; i < GUARD_SEAT_NUMBERS; i++) {
        (void)snprintf(numbers[i], NUMBER_BYTES, "%lld", (long long)values[i]);
        arguments[i + 1] = numbers[i];
    }
    int failed = posix_spawn_file_actions_init(&actions);

    if (failed != 0) {
        return failed;
    }
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        failed = set_attributes(&attributes) | hand_over(&actions, config, life_fd);
        if (failed == 0) {
            failed =
                posix_spawn(pid, config->program, &actions, &attributes, arguments, environment);
        }
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

int32_t guard_supervisor_start(struct guard_supervisor *supervisor,
                               const struct guard_supervisor_config *config)
{
    int life[2];
    pid_t pid = 0;

    if (supervisor == NULL || config == NULL || config->program == NULL ||
        guard_check(config->guard) != HAL_OK || fcntl(config->guard_fd, F_GETFD) < 0) {
        return HAL_E_RANGE;
    }
    if (supervisor->pid != 0) {
        return HAL_E_STATE;
    }
    if (pipe2(life, O_CLOEXEC) != 0) {
        return linux_error(-(int64_t)errno);
    }
    int failed = spawn(config, life[0], &pid);

    (void)close(life[0]);
    if (failed != 0) {
        (void)close(life[1]);
        return linux_error(-(int64_t)failed);
    }
    *supervisor = (struct guard_supervisor){.pid = pid, .life_fd = life[1]};
    return HAL_OK;
}

static void forget(struct guard_supervisor *supervisor)
{
    (void)close(supervisor->life_fd);
    *supervisor = (struct guard_supervisor){0};
}

int32_t guard_supervisor_runs(struct guard_supervisor *supervisor)
{
    if (supervisor == NULL) {
        return HAL_E_RANGE;
    }
    if (supervisor->pid == 0) {
        return 0;
    }
    /* 0: it has not ended. A failure (somebody else reaped it) is an end, too. */
    if (waitpid(supervisor->pid, NULL, WNOHANG) == 0) {
        return 1;
    }
    forget(supervisor);
    return 0;
}

void guard_supervisor_stop(struct guard_supervisor *supervisor)
{
    if (supervisor == NULL || supervisor->pid == 0) {
        return;
    }
    (void)kill(supervisor->pid, SIGKILL);
    while (waitpid(supervisor->pid, NULL, 0) < 0 && errno == EINTR) {
        /* a signal for the caller: the process is dying all the same */
    }
    forget(supervisor);
}
