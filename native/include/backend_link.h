/*
 * backend_link.h - the backend "link": devices at the far end of a byte stream (bench_link.h).
 *
 * hal_open() opens the device file and starts one thread that reads, keeps the session and writes
 * what waits; every call of hal.h then answers from memory. Beside hal.h a node on a bench needs
 * the few calls below: to follow granted time, to tell the bench about itself, and to learn that
 * its power is gone.
 *
 * Every function returns HAL_E_STATE when the device is closed, HAL_E_UNSUPPORTED when it is not a
 * "link" device, HAL_E_RANGE for NULL. None blocks; the worst case is 20 us.
 */
#ifndef LUMENODE_BACKEND_LINK_H
#define LUMENODE_BACKEND_LINK_H

#include <stdint.h>

#include "bench_link.h"
#include "hal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* hal_config.backend_config of "link"; the caller keeps it and the text in place. */
struct hal_link_config {
    const char *path;   /* device file: a serial port or a pseudo-terminal */
    uint32_t baud;      /* 0 leaves the port as it is (pseudo-terminals have no rate) */
    uint32_t mode;      /* enum link_mode */
    uint32_t period_us; /* of a tick, for counting late samples in free-run; default 1000000 */
    uint32_t role;      /* enum link_role; default LINK_ROLE_NODE */
};

enum hal_link_phase {
    HAL_LINK_WAITING = 0, /* no session with a peer yet */
    HAL_LINK_UP = 1,
    HAL_LINK_DOWN = 2,    /* silent for LINK_HEARTBEATS_LOST heartbeats, or the port has gone */
    HAL_LINK_REFUSED = 3, /* one side does not run with the other: `refusal` says why */
    HAL_LINK_RESET = 4    /* NODE_RESET came: `reset_cause` says why; the process must end */
};

struct hal_link_status {
    uint32_t phase;       /* enum hal_link_phase */
    uint32_t refusal;     /* enum link_refusal, 0 none */
    uint32_t reset_cause; /* enum hal_reset_cause, valid in HAL_LINK_RESET */
    uint32_t peer_session;
    int64_t offset_ns;          /* peer's monotonic clock minus ours */
    int64_t delay_ns;           /* round trip of the estimate's best sample; -1: none yet */
    uint64_t sensors_seen;      /* SENSORS taken since opening */
    struct link_heartbeat own;  /* our counters, as the peer is told */
    struct link_heartbeat peer; /* its counters, as last told */
};

/* A descriptor that is readable while a grant, a change of phase or SENSORS after a time without
 * waits to be looked at; the device's, closed with it. For a selector: level-triggered, drained by
 * hal_link_take_grant() and hal_link_read_status(). */
int32_t hal_link_wake_fd(struct hal *dev);

/* Takes the grant that waits: fills `*until_ns` (mission time) and returns 1, or 0 when none
 * waits. From this call on hal_snapshot() shows the SENSORS of that tick, with t_ns as the bench
 * sent it. Lock-step only: HAL_E_UNSUPPORTED in free-run. */
int32_t hal_link_take_grant(struct hal *dev, uint64_t *until_ns);

/* The tick of the last grant taken is done: what was set and submitted so far goes first. HAL_E_BUSY
 * when no grant is being worked on. */
int32_t hal_link_done(struct hal *dev);

/* Sends one record to the bench beside the frames, 1 to LINK_PAYLOAD_BYTES_MAX octets. HAL_E_BUSY:
 * no room, the record was not taken and counts in tx_dropped. */
int32_t hal_link_tell(struct hal *dev, const uint8_t *octets, uint32_t count);

/* Fills `*status`. */
int32_t hal_link_read_status(struct hal *dev, struct hal_link_status *status);

#ifdef __cplusplus
}
#endif

#endif
