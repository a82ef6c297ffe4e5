/*
 * backend_link.h - the backend "link": devices at the far end of a byte stream (bench_link.h), a
 * UART, a pseudo-terminal or a socket.
 *
 * hal_open() opens the line and starts one thread, which from then on owns it: it reads, decodes,
 * answers heartbeats and time requests, writes what waits, and opens a line again that was unplugged.
 * No call of hal.h waits for that thread or for the line: sensors are the newest that came, setters
 * leave word and return the value asked for, frames go through two rings. Between the two there is
 * no lock; a control loop that is late delays nobody on the line, nor the other way round.
 *
 * Opening   commands everything off: a node that starts has nothing on, and says so. What was set
 *           since is announced again whenever a session begins.
 * Down.     While there is no peer, or its sensors are older than `stale_ms`, a snapshot goes on
 *           with a running time and every bit clear but TX_FIFO (0 frames) and RX_PENDING; setters
 *           still take their value, for the next session; a kick of the watchdog is HAL_E_IO.
 * Lock-step. hal_frame.t_ns is the bench's time, and stands still between grants. What is set within
 *           a tick goes with hal_link_done(). `tx_fifo_frames` of the node should be no fewer than
 *           the bench grants: else the room in the node's own ring decides, which depends on how
 *           fast this machine is.
 * Reset.    After NODE_RESET the power is gone: the line is closed, the phase is HAL_LINK_RESET, and
 *           every call of hal.h but hal_close() returns HAL_E_NODEV. The process must end.
 * Counters. rx_overflow and tx_flushed of hal_counters are the far end's, as of the last snapshot.
 * readback_differs counts when the read-back of a setter's value arrives, in a snapshot.
 * Guard.    Its plan (guard_plan.h) stores words that the link's thread obeys within 20 ms; when the
 *           whole process is stopped the far end finds the link down.
 *
 * Every function below returns HAL_E_STATE when the device is closed, HAL_E_UNSUPPORTED when it is
 * not a "link" device, HAL_E_RANGE for NULL. The worst case is 20 us each where none is given.
 */
#ifndef LUMENODE_BACKEND_LINK_H
#define LUMENODE_BACKEND_LINK_H

#include <stdint.h>

#include "bench_link.h"
#include "hal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HAL_LINK_BAUD_MAX      4000000
#define HAL_LINK_PERIOD_US_MAX 60000000
#define HAL_LINK_STALE_MS_MAX  600000
#define HAL_LINK_RECORDS       256           /* records of hal_link_tell() that may wait */
#define HAL_LINK_TELL_WAIT_NS  1000000000ull /* for room, where time is granted */

/* hal_config.backend_config of "link", never NULL; the caller keeps it and the text in place. */
struct hal_link_config {
    const char *path; /* device file; NULL: `fd` */
    int32_t fd;    /* an open line, taken over by hal_open() and closed with the device; it cannot
                         be opened again. -1 with a path */
    uint32_t baud; /* bit/s, 8N1, to HAL_LINK_BAUD_MAX; 0 leaves the port as it is
                         (pseudo-terminals have no rate) */
    uint32_t flow_control; /* 1: RTS/CTS */
    uint32_t mode;         /* enum link_mode */
    uint32_t role;         /* enum link_role; LINK_ROLE_NODE */
    uint32_t period_us;    /* of a tick, 1000 to HAL_LINK_PERIOD_US_MAX */
    uint32_t stale_ms;     /* sensors older than this are invalid, in free-run; 1 to
                              HAL_LINK_STALE_MS_MAX */
    uint32_t boot_count;   /* starts of the node, as the bench is told; 0: unknown */
};

enum hal_link_phase {
    HAL_LINK_WAITING = 0, /* no session with a peer yet */
    HAL_LINK_UP = 1,
    HAL_LINK_DOWN = 2,    /* silent for too long, restarting, or the port has gone */
    HAL_LINK_REFUSED = 3, /* one side does not run with the other: `refusal` says why */
    HAL_LINK_RESET = 4    /* NODE_RESET came: `reset_cause` says why; the process must end */
};

/* Counters since opening; whatever was lost is in one of them. */
struct hal_link_status {
    uint32_t phase;        /* enum hal_link_phase */
    uint32_t refusal;      /* enum link_refusal, 0 none */
    uint32_t reset_cause;  /* enum hal_reset_cause, valid in HAL_LINK_RESET */
    uint32_t own_session;  /* of this end */
    uint32_t peer_session; /* 0: no peer */
    uint32_t peer_role;    /* enum link_role; 0: no peer yet */
    uint32_t line_open;    /* 0: unplugged, or not there yet */
    uint32_t
        low_latency;   /* 1: the serial driver was asked not to wait for more octets, and agreed */
    int64_t offset_ns; /* peer's monotonic clock minus ours */
    int64_t delay_ns;  /* there and back, of the estimate's best exchange; -1: none yet */
    int64_t uncertainty_ns; /* of offset_ns */
    int64_t skew_ppb;       /* the peer's clock runs faster by so much; 0 until it can be told */
    uint64_t sensors_seen;  /* SENSORS taken */
    uint64_t sensors_tick;  /* of the newest */
    uint64_t line_opens;
    uint64_t line_losses;    /* unplugged, hung up, failed */
    uint64_t line_open_code; /* of the last try that failed, as positive enum hal_err; 0: none */
    uint64_t ups;
    uint64_t downs;
    uint64_t rx_octets;
    uint64_t rx_messages;
    uint64_t rx_corrupt;    /* COBS broken, shorter than a header, or check value wrong */
    uint64_t rx_too_long;   /* thrown away unread */
    uint64_t rx_bad_layout; /* whole, but of another version, type, channel, flag or length */
    uint64_t rx_lost;       /* numbers passed over, all channels */
    uint64_t rx_stale;      /* repeated or late messages, dropped */
    uint64_t rx_foreign;    /* messages of another session, dropped */
    uint64_t rx_ignored;    /* contradictory, or answers to what was not asked */
    uint64_t tx_octets;
    uint64_t tx_messages;
    uint64_t tx_dropped;      /* tests without room, records and commands void at a session's end */
    uint64_t tx_refused;      /* commands without room in their queue */
    uint64_t frames_received; /* whole */
    uint64_t frames_broken;   /* with a chunk missing, or missing altogether */
    uint64_t frames_malformed;  /* chunks outside their frame */
    uint64_t frames_overflowed; /* sent to us without credit */
    uint64_t frames_flushed;    /* not yet sent when the session ended */
    uint64_t late;              /* SENSORS later than one and a half periods, in free-run */
    uint64_t grants_early;      /* grants whose SENSORS had not come */
    uint64_t grants_taken;
    uint64_t records_told;
    uint64_t records_refused;  /* no room */
    uint64_t registers_failed; /* writes that were never answered */
    uint64_t bits_tested;
    uint64_t bit_errors;
    struct link_heartbeat peer; /* the peer's counters, as last told */
};

struct hal_link_grant {
    uint64_t tick;
    uint64_t from_ns;  /* mission time of its SENSORS */
    uint64_t until_ns; /* mission time; the node may act up to it and at it, not beyond */
    int64_t utc_ns;    /* Unix time at until_ns */
};

/* The defaults: no path, fd -1, 921600 bit/s, free-run, node, 1 s, stale after three periods. NULL
 * config: HAL_E_RANGE. Worst case 1 us. */
int32_t hal_link_config_init(struct hal_link_config *config);

/*
 * A descriptor for a selector, the device's, closed with it. It is readable from the moment on at
 * which there is a new grant, another phase, or SENSORS after a time without, until both
 * hal_link_take_grant() and hal_link_read_status() found nothing new or took it.
 */
int32_t hal_link_wake_fd(struct hal *dev);

/*
 * Takes the grant that waits. From this call on hal_snapshot() shows the SENSORS of that tick.
 * @return 1 taken into `*grant`, 0 none waits. HAL_E_UNSUPPORTED: free-run. HAL_E_NODEV: the power
 * is gone.
 */
int32_t hal_link_take_grant(struct hal *dev, struct hal_link_grant *grant);

/*
 * The same, waiting up to `timeout_ns` for one. Only this call and hal_link_tell() block; a signal ends it early.
 * @return as above; 0 also when the phase changed: look at the status.
 */
int32_t hal_link_wait_grant(struct hal *dev, uint64_t timeout_ns, struct hal_link_grant *grant);

/* The tick of the last grant taken is done: what was submitted, told and set so far goes first.
 * HAL_E_BUSY: no grant is being worked on. */
int32_t hal_link_done(struct hal *dev);

/* Sends one record to the bench beside the frames, 1 to LINK_PAYLOAD_BYTES_MAX octets.
 * Where there is no room it waits in lock-step, whose time stands still, HAL_LINK_TELL_WAIT_NS at
 * most; in free-run never.
 * HAL_E_RANGE: another length. HAL_E_BUSY: no room or no peer; the record was not taken. */
int32_t hal_link_tell(struct hal *dev, const uint8_t *octets, uint32_t count);

/* Fills `*status`. */
int32_t hal_link_read_status(struct hal *dev, struct hal_link_status *status);

#ifdef __cplusplus
}
#endif

#endif
