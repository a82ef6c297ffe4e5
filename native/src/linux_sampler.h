/*
 * linux_sampler.h - reads a board's sensors and carries levels out, on threads of its own or, for
 * tools and tests, on the caller's.
 *
 * Why several threads and no O_NONBLOCK or poll(): a read() of a sysfs file runs its driver, and a
 * driver that talks to a bus that hangs sleeps in the kernel whatever the descriptor says, for a
 * second or for ever. So each reading may take a thread with it. LINUX_READERS threads share the
 * sources (linux_schedule.h); one that hangs keeps its one source, which grows stale and loses its
 * validity, and the others go round without it. Should all of them hang, every value goes stale, and
 * that is the truth. Levels have a thread to themselves: switching the payload down never waits for
 * a sensor.
 *
 * Everything here lies in a mapping of its own, because a thread that hangs in the kernel cannot be
 * ended: linux_sampler_end() waits END_MS for the threads and then leaves, and the last thread that
 * comes back, if ever, gives the mapping back. Of the caller's memory the threads look at one word,
 * the level wanted, and only while linux_sampler_end() has not begun, under the lock.
 */
#ifndef LUMENODE_LINUX_SAMPLER_H
#define LUMENODE_LINUX_SAMPLER_H

#include "linux_energy.h"
#include "linux_levels.h"
#include "linux_schedule.h"

#include <pthread.h>

#define LINUX_READERS 4
#define LINUX_THREADS (LINUX_READERS + 1)

/* What the threads count, for struct hal_board. */
struct linux_sampler_counters {
    _Atomic uint64_t samples;         /* readings of a source */
    _Atomic uint64_t samples_late;    /* turns missed */
    _Atomic uint64_t reads_failed;    /* readings that failed */
    _Atomic uint64_t energy_uj;       /* of the payload */
    _Atomic uint64_t energy_gaps;     /* intervals left out of it */
    _Atomic uint64_t journal_entries; /* settings in the journal */
    _Atomic uint64_t journal_failed;  /* settings that could not be noted */
};

struct linux_sampler {
    /* Fixed while open. */
    struct linux_syscalls sys;
    struct hal_linux_config config;
    struct linux_modes modes;
    struct linux_reader reader;
    char model[2 * HAL_NAME_BYTES];

    /* Published; read without the lock. */
    struct linux_inventory inventory; /* its cells and its count */
    struct linux_sampler_counters counters;
    _Atomic uint32_t latched; /* enum hal_throttle_bit */
    _Atomic uint32_t told;    /* level carried out last, or being carried out; LINUX_LEVEL_NONE */
    _Atomic uint32_t busy_permille;
    _Atomic int32_t outcome; /* of carrying `told` out */

    /* Under the lock. */
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* something may be due, or it ends */
    pthread_cond_t seen; /* something was done: a first reading, or a thread left */
    struct linux_schedule schedule;
    const uint32_t
        *wanted;        /* the caller's word: the level wanted, written by other processes too */
    uint32_t requested; /* 1: carry it out even if it was before */
    uint32_t ending;
    uint32_t threads; /* that have not left */
    uint32_t left;    /* 1: the device has let go; the last thread gives the mapping back */

    /* Of the thread whose turn it is. */
    struct linux_value held[LINUX_SOURCES_MAX];
    struct linux_inventory found;
    struct linux_energy energy;
    struct linux_roles energy_roles;

    /* Of the thread that carries levels out. */
    struct linux_journal journal;
    struct linux_levels levels;

    struct linux_ina inas[HAL_LINUX_INAS_MAX];
    struct linux_spi spi;
};

/*
 * Makes a sampler: puts back what an earlier process left, looks what is there. `wanted` is the
 * caller's word and holds LINUX_LEVEL_NONE until a level is wanted. HAL_OK; HAL_E_BUSY: no memory.
 */
int32_t linux_sampler_make(struct linux_sampler **made, const struct hal_linux_config *config,
                           const uint32_t *wanted);

/* Notes the caps of the clocks that levels cap, before any thread runs. HAL_OK: a level may be
 * carried out; else the first one tries again. */
int32_t linux_sampler_note(struct linux_sampler *sampler);

/* Starts the threads and waits FIRST_MS at most until every source was read once. HAL_OK;
 * HAL_E_BUSY: the system gives no threads. */
int32_t linux_sampler_start(struct linux_sampler *sampler);

/* Without threads: reads every source once, looks for new ones. */
void linux_sampler_poll(struct linux_sampler *sampler);

/* The level in `wanted` shall be carried out, again if need be. HAL_OK: on its way, without threads:
 * done; else why the last attempt at this very level failed. */
int32_t linux_sampler_request(struct linux_sampler *sampler, uint32_t level);

/* Ends it: settings are put back, threads leave, the mapping goes; see above. */
void linux_sampler_end(struct linux_sampler *sampler);

/* A view of the board now. */
struct linux_view linux_sampler_view(const struct linux_sampler *sampler);

/* Steps of the threads; for them and for linux_sampler_poll(). One slot's work: a source is read and
 * published, a chore is done. */
void linux_sampler_work(struct linux_sampler *sampler, int32_t slot);
/* Carries `level` out and keeps the outcome. */
void linux_sampler_carry_out(struct linux_sampler *sampler, uint32_t level);
/* Puts the settings back. */
void linux_sampler_restore(struct linux_sampler *sampler);
/* Closes everything and gives the mapping back; no thread is left. */
void linux_sampler_free(struct linux_sampler *sampler);

#endif
