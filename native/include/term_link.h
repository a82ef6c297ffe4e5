/*
 * term_link.h - the client of a laser terminal on a serial line (bench_link.h, terminal_registers.h):
 * where hal_config names one, hal.h's terminal calls end here, whatever the backend.
 *
 * term_link_open() starts one thread that opens the device, keeps the session, reads the registers
 * over and over and writes what waits; every other call answers from memory, at once. A device that
 * is not there, or goes away, is opened again every TERM_LINK_REOPEN_NS.
 *
 * Reading.  The whole register map is read every 50 ms, less often where that would take more than a
 *           fifth of the line. What is older than TERM_LINK_STALE_NS is not shown any more.
 * Writing.  Kept, repeated until the terminal answers, and in order; what makes dark overtakes. A
 *           terminal or a line that comes back is told again what it was told, but it stays dark
 *           until somebody lights it.
 * Frames.   One a credit of the terminal's, both ways. What is under way when the session ends is
 *           void, and counted as flushed.
 * Silence.  Heartbeats go by themselves as long as the thread runs; when the process stops or dies,
 *           the line is silent and the terminal goes dark (TERM_SILENCE_NS).
 * Threads.  Calls by one thread at a time, as for struct hal; the inhibit word by any (guard_plan.h).
 * Memory.   The caller's, from open to close. Errors are negative values of enum hal_err.
 */
#ifndef LUMENODE_TERM_LINK_H
#define LUMENODE_TERM_LINK_H

#include <stdint.h>

#include "terminal_registers.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TERM_LINK_REOPEN_NS 250000000
#define TERM_LINK_POLL_NS   50000000
#define TERM_LINK_STALE_NS  500000000

struct linux_syscalls; /* linux_syscalls.h */

/* The caller keeps it and the text in place. */
struct term_link_config {
    const char *path;                   /* a serial device or a pseudo-terminal */
    uint32_t baud;                      /* 0 leaves the port as it is */
    uint32_t tx_fifo_frames;            /* as in hal.h */
    uint32_t rx_fifo_frames;            /* as in hal.h */
    uint32_t max_frame_bytes;           /* as in hal.h */
    uint32_t boot_count;                /* as told to the terminal */
    const struct linux_syscalls *calls; /* NULL: the kernel's */
};

enum term_link_phase {
    TERM_LINK_CLOSED = 0,  /* the device cannot be opened, or has gone */
    TERM_LINK_WAITING = 1, /* nobody has answered yet, or not any more */
    TERM_LINK_UP = 2,
    TERM_LINK_REFUSED = 3 /* the terminal does not fit: `refusal` says why */
};

/* Every way to lose something has its counter; all since opening. */
struct term_link_counters {
    uint64_t polls;           /* answers with the whole map */
    uint64_t polls_lost;      /* no answer came in time */
    uint64_t writes;          /* answered */
    uint64_t writes_refused;  /* answered with an error */
    uint64_t writes_repeated; /* sent again without an answer */
    uint64_t writes_lost;     /* overtaken, or void with their session */
    uint64_t tx_by_light;     /* frames that the terminal sent */
    uint64_t tx_flushed;      /* frames void: reset of the terminal, end of a session */
    uint64_t rx_overflow;     /* frames received by light and lost on the way here */
    uint64_t sessions;        /* begun */
    uint64_t line_losses;     /* the device went away */
    uint64_t rx_corrupt;      /* messages damaged on the line */
    uint64_t rx_lost;         /* messages missing */
};

/* What is known, at one instant. */
struct term_link_view {
    uint32_t phase;     /* enum term_link_phase */
    uint32_t refusal;   /* enum link_refusal */
    uint64_t regs_t_ns; /* when the registers were read; 0: not in this session */
    uint32_t regs[TERM_REG_COUNT];
    uint32_t frame_bytes_max; /* longest frame that the terminal takes; 0 before a session */
    uint32_t writes_pending;  /* on their way, not yet answered */
    struct term_link_counters counters;
};

struct term_link;

/* Bytes of memory that such a client needs, 16-byte aligned. HAL_E_RANGE: NULL, an empty path, or a
 * bound of hal.h. */
int64_t term_link_bytes(const struct term_link_config *config);

/*
 * Starts the client in `memory`. A device that is absent is no error: it may come later.
 * HAL_E_RANGE: as term_link_bytes(), or too little memory. HAL_E_BUSY: no thread or descriptor to be
 * had. Worst case 10 ms.
 */
int32_t term_link_open(struct term_link **link, const struct term_link_config *config, void *memory,
                       uint64_t memory_bytes);

/* Ends the thread and gives the device back; the memory is the caller's again. The terminal goes
 * dark by its own rule. NULL does nothing. Worst case 40 ms. */
void term_link_close(struct term_link *link);

/* Registers as last read. HAL_E_RANGE: outside the map. HAL_E_STALE: older than TERM_LINK_STALE_NS, or
 * never. Worst case 5 us. */
int32_t term_link_read(struct term_link *link, uint32_t first, uint32_t count, uint32_t *values);

/*
 * Writes a register that terminal_register_check() allows; HAL_E_BUSY: no room for it. LASER_ENABLE = 1
 * without a session: HAL_E_TIMEOUT, nothing is kept. INHIBIT goes through the inhibit word. Worst
 * case 10 us.
 */
int32_t term_link_write(struct term_link *link, uint32_t reg, uint32_t value);

/* As the setters of hal.h: the value asked for, read back in later views. */
int32_t term_link_set_laser(struct term_link *link, uint32_t on);
int32_t term_link_point(struct term_link *link, uint32_t target_id);

/* As hal_submit_frame(): credits left, HAL_E_BUSY without one, HAL_E_RANGE: longer than the terminal
 * takes. Worst case 40 us for the longest frame. */
int32_t term_link_submit(struct term_link *link, const uint8_t *frame, uint32_t frame_bytes);

/* As hal_receive_frame(). */
int32_t term_link_receive(struct term_link *link, uint8_t *buffer, uint32_t buffer_bytes);

/* As hal_receive_fd() (hal_wake.h). HAL_E_RANGE: NULL. */
int32_t term_link_receive_fd(const struct term_link *link);

/* Frames that may be submitted now, and received ones that wait. */
uint32_t term_link_credit(const struct term_link *link);
uint32_t term_link_pending(const struct term_link *link);

/* What is known. HAL_E_RANGE: NULL. Worst case 2 us. */
int32_t term_link_look(struct term_link *link, struct term_link_view *view);

struct hal_frame;    /* hal.h */
struct hal_counters; /* hal.h */

/*
 * Puts what is known into a frame and its counters, for a backend's snapshot: flags, received power,
 * hottest temperature, electrical power, credit, frames, laser and target as read back, each with its
 * bit of `valid`; tx_flushed and rx_overflow. What is absent or too old has no bit. Worst case 3 us.
 */
void term_link_fill(struct term_link *link, struct hal_frame *frame, struct hal_counters *counters);

/* The word of a guard's plan (GUARD_STORE): 1 inhibits within 20 ms, whoever stores it. */
uint32_t *term_link_inhibit_word(struct term_link *link);

#ifdef __cplusplus
}
#endif

#endif
