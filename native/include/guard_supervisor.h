/*
 * guard_supervisor.h - the watcher in a process of its own: it goes on when the flight process is
 * stopped (a debugger, SIGSTOP), killed or hung as a whole, its tick's thread with it.
 *
 * The program `lumenode-guard` is a few hundred lines of C with nothing open but what it needs: the
 * page of the guard (guard.h) and the memory of the device, both of memfd_create() and shared, the
 * descriptors of the device's plan (guard_plan.h), and the reading end of a pipe whose other end the
 * flight process alone holds. When that end closes the flight process has ended, however it did, on
 * any kernel and without a race; that is why it is a pipe and not a pidfd. It is started by
 * posix_spawn() and not forked, so that no page of the flight process's heap is kept alive by it.
 *
 * It leads a process group of its own and blocks every signal: Ctrl-C and Ctrl-Z in a terminal reach
 * the flight process alone. Only SIGKILL ends it, and it keeps nothing that would be lost.
 */
#ifndef LUMENODE_GUARD_SUPERVISOR_H
#define LUMENODE_GUARD_SUPERVISOR_H

#include "guard.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct guard_supervisor_config {
    const char *program;  /* absolute path of lumenode-guard */
    struct guard *guard;  /* made, with its plan: the caller's mapping of `guard_fd` */
    int32_t guard_fd;     /* memory file with the guard at its beginning */
    int32_t data_fd;      /* memory file with the device's arena; -1: the plan stores nothing */
    uint64_t data_offset; /* of the device's `data` in it, bytes */
};

/* The caller's memory, set to zero before its first use. */
struct guard_supervisor {
    int32_t pid;     /* 0: none */
    int32_t life_fd; /* held open as long as the flight process lives */
};

/*
 * Starts the program. HAL_E_RANGE: NULL, or no such descriptor. HAL_E_STATE: started. HAL_E_NODEV,
 * HAL_E_PERM: the program cannot be run. HAL_E_BUSY: no descriptor or process left. Worst case
 * 50 ms.
 */
int32_t guard_supervisor_start(struct guard_supervisor *supervisor,
                               const struct guard_supervisor_config *config);

/* 1 while it runs; 0 when it was never started or has ended, and then it is reaped. HAL_E_RANGE:
 * NULL. Worst case 5 us. */
int32_t guard_supervisor_runs(struct guard_supervisor *supervisor);

/* Ends and reaps it; the guard was disarmed before. Not started or NULL: nothing happens. Worst
 * case 10 ms. */
void guard_supervisor_stop(struct guard_supervisor *supervisor);

#ifdef __cplusplus
}
#endif

#endif
