/*
 * backend_link_state.h - the state behind a "link" device. Three parts by who may touch it: the
 * thread's (backend_link_thread.c), the owner's (backend_link.c, backend_link_owner.c), and what
 * lies between them, which is rings, words and the newest view, all without a lock.
 */
#ifndef LUMENODE_BACKEND_LINK_STATE_H
#define LUMENODE_BACKEND_LINK_STATE_H

#include "backend_link.h"
#include "link_latest.h"
#include "link_line.h"
#include "link_registers.h"
#include "link_session.h"

#include <pthread.h>

#define LINK_REGISTER_ORDERS 16u
#define LINK_OUT_BYTES       (8 * LINK_WIRE_BYTES_MAX)
#define LINK_IN_BYTES        16384u
#define LINK_REOPEN_NS       250000000u
/* The far end's terminal outlives a session, and with it what a lost message was to change. */
#define LINK_INHIBIT_UNTOLD UINT32_MAX
/* A word that the guard stores wakes nobody: the thread looks at least so often. */
#define LINK_LOOK_NS 20000000u

/* What the owner may know, as of one moment of the thread. */
struct link_view {
    struct hal_link_status
        status; /* its phase, peer and counters; clock filled in when it is read */
    struct link_sensors sensors;
    uint64_t sensors_ns;     /* this machine's time when they came */
    uint32_t sensors_known;  /* 1: of this session */
    uint32_t actuated_known; /* 1: of this session */
    struct link_actuators actuated;
    uint64_t actuated_serial; /* orders up to this one are read back in `actuated` */
    struct hal_link_grant grant;
    uint64_t grant_serial;    /* grants since opening, over all sessions */
    struct link_credit light; /* since opening, over all sessions; frames_granted unused */
    uint32_t peer_frame_bytes;
    uint32_t register_known;
    int32_t register_code;
    uint64_t register_ns;
    uint32_t registers[TERM_REG_COUNT];
};

/* What everything shall be: words of guard_plan.h, written by the owner and the guard. */
struct link_orders {
    uint32_t payload_level;
    uint32_t laser_on;
    uint32_t target_id;
    uint32_t heater_on;
    uint32_t payload_busy_permille;
    uint32_t inhibit; /* TERM_REG_INHIBIT */
};

struct link_register_order {
    uint32_t reg;
    uint32_t value;
};

struct link_device {
    const struct hal_link_config *config;
    const struct linux_syscalls *sys;

    /* the thread's */
    struct link_line line;
    struct link_session session;
    struct link_registers registers;
    struct link_view view;
    struct link_credit light_before; /* of earlier sessions */
    uint64_t sent_serial;            /* orders up to this one are in session.wanted */
    uint64_t done_handled;           /* the newest of done_serial that was looked at */
    uint64_t reopen_ns;
    uint64_t read_ns;       /* registers are due to be read */
    uint32_t inhibit_sent;  /* TERM_REG_INHIBIT as this session was told, or LINK_INHIBIT_UNTOLD */
    uint32_t inhibit_known; /* 1: some session was told of it, so each new one is */
    uint32_t news_owed;     /* 1: the owner is to be woken at the next publishing */
    uint32_t out_at;
    uint32_t out_filled;
    uint8_t out[LINK_OUT_BYTES];
    uint8_t in[LINK_IN_BYTES];

    /* between the two */
    struct link_latest latest;
    struct link_view views[3];
    struct link_ring tx;
    struct link_ring rx;
    struct link_ring records;
    struct link_ring writes; /* of struct link_register_order */
    struct link_orders orders;
    _Atomic uint64_t serial; /* orders given */
    _Atomic uint64_t kicks;
    _Atomic uint64_t done_serial; /* of the grant that the owner is done with */
    _Atomic uint32_t throttle_latched;
    _Atomic uint32_t stop;
    _Atomic uint32_t woken; /* 1: wake_fd was written and not yet read */
    int wake_fd;            /* the owner wakes the thread */
    int news_fd;            /* the thread wakes the owner, */
    int frames_fd;          /* for a frame with this one */
    pthread_t thread;

    /* the owner's */
    uint64_t last_t_ns;
    uint64_t taken_serial;    /* of the grant taken */
    uint32_t seen_phase;      /* as the status was read last */
    uint64_t asked_serial[4]; /* of payload level, laser, target, heater; 0: judged */
    uint64_t records_told;
    uint64_t records_refused;
    uint64_t grants_taken;
};

/* Thread: an event of the session, or none; and what there is to see, published. */
void link_device_event(struct link_device *device, const struct link_event *event, uint64_t now_ns);
void link_device_publish(struct link_device *device);

/* Owner: whether NODE_RESET came. It takes the newest view: one that was taken before is none. */
int link_device_dead(struct link_device *device);

/* Thread: the same. */
static inline int link_device_was_reset(const struct link_device *device)
{
    return device->view.status.phase == HAL_LINK_RESET;
}

/* Operations of hal_backend.h. */
int32_t link_snapshot(struct hal *dev, struct hal_frame *frame);
int32_t link_set_payload_level(struct hal *dev, uint32_t level);
int32_t link_set_heater(struct hal *dev, uint32_t on);
int32_t link_point_terminal(struct hal *dev, uint32_t target_id);
int32_t link_set_laser(struct hal *dev, uint32_t on);
int32_t link_set_payload_busy(struct hal *dev, uint32_t permille);
int32_t link_kick_watchdog(struct hal *dev);
int32_t link_term_read(struct hal *dev, uint32_t first, uint32_t count, uint32_t *values);
int32_t link_term_write(struct hal *dev, uint32_t reg, uint32_t value);

/* pthread_create()'s start routine; the argument is the device. */
void *link_device_run(void *argument);

/* Owner: what the thread shall look at is in place. */
void link_device_wake(struct link_device *device);

/* Owner: the newest view, its own until the next call. */
const struct link_view *link_device_view(struct link_device *device);

#endif
