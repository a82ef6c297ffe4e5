/*
 * link_session.h - one end of the bench link, whichever: who the peer is, what was lost, what may
 * be sent when. Pure: octets in, octets out, `now_ns` (this machine's monotonic clock) an argument.
 *
 * Pump.      Feed what came (link_session_feed), step what is due (link_session_step), drain what
 *            waits (link_session_drain), in any order and by one thread; the first two hand out at
 *            most one event a call, so call them until there is none.
 * Answered   by the session itself: hello, heartbeats, time, echo, bit tests, credit, repeated
 *            grants. Everything else is an event for the owner.
 * Frames     go through two rings of link_ring.h that the owner gives; their other ends may be
 *            another thread's. Records for LINK_TELL likewise.
 * Bounds.    Memory is the structure and the rings. Samples give way to newer ones; commands are
 *            refused when their queue is full, never dropped. Each has its counter.
 */
#ifndef LUMENODE_LINK_SESSION_H
#define LUMENODE_LINK_SESSION_H

#include "link_clock.h"
#include "link_codec.h"
#include "link_frames.h"
#include "link_outbox.h"
#include "link_payloads.h"
#include "link_sequence.h"
#include "link_states.h"

#ifdef __cplusplus
extern "C" {
#endif

struct link_session_config {
    uint8_t role;              /* enum link_role */
    uint8_t mode;              /* enum link_mode */
    uint16_t payload_bytes;    /* longest chunk sent, LINK_CHUNK_BYTES + 1 to
                                  LINK_PAYLOAD_BYTES_MAX: a slow line wants short ones, so that
                                  what is urgent need not wait */
    uint32_t period_us;        /* of a tick */
    uint32_t boot_count;       /* as told to the peer */
    uint32_t seed;             /* of the session numbers, drawn at random by the owner */
    struct link_ring *tx;      /* frames to send, written by the owner */
    struct link_ring *rx;      /* frames received, taken by the owner; its slots bound them */
    struct link_ring *records; /* for LINK_TELL, written by the owner; or NULL */
};

enum link_event_type {
    LINK_EVENT_NONE = 0,
    LINK_EVENT_UP = 1,      /* session->peer says with whom */
    LINK_EVENT_DOWN = 2,    /* all that was outstanding is void */
    LINK_EVENT_REFUSED = 3, /* session->refusal says why; link_session_step() goes on trying */
    LINK_EVENT_FRAME = 4,   /* one more frame in config.rx */
    LINK_EVENT_MESSAGE = 5  /* `message`, valid until the next feed */
};

struct link_event {
    uint32_t type; /* enum link_event_type */
    struct link_message message;
};

/* All since link_session_init(). */
struct link_session_counters {
    uint64_t rx_messages; /* of the peer's session, in sequence */
    uint64_t rx_foreign;  /* of another session, or while there was none */
    uint64_t rx_ignored;  /* contradictory, or answers to what was not asked */
    uint64_t tx_messages;
    uint64_t tx_octets;
    uint64_t tx_dropped; /* samples that gave way to newer ones, tests without room, records void */
    uint64_t tx_refused; /* commands without room in their queue */
    uint64_t ups;
    uint64_t downs;
    uint64_t late;         /* SENSORS later than one and a half periods, in free-run */
    uint64_t grants_early; /* grants whose SENSORS were missing; the bench repeats both */
    uint64_t bits_tested;
    uint64_t bit_errors;
};

/* One end. The owner reads; it writes nothing. */
struct link_session {
    struct link_session_config config;
    struct link_session_counters counters;
    struct link_decoder decoder;
    struct link_sequence rx[LINK_CHANNELS];
    uint16_t tx_seq[LINK_CHANNELS];
    struct link_frames_out out;
    struct link_frames_in in;
    struct link_outbox outbox;
    struct link_clock clock;

    uint32_t state;        /* enum link_state */
    uint32_t refusal;      /* enum link_refusal; 0: none */
    uint32_t own_session;  /* never 0 */
    uint32_t peer_session; /* 0: none known */
    uint32_t drawn;        /* session numbers so far */
    struct link_hello peer;
    struct link_heartbeat peer_heartbeat; /* all 0 before its first */

    struct link_actuators wanted; /* node: as last set, under the session's number */
    uint32_t actuated_number;     /* node: the newest that was read back */
    struct link_credit light;     /* bench: what link_session_tell_light() told */
    struct link_sensors sensors;  /* bench: the newest to show */
    struct link_grant grant;      /* bench: to give; node: the newest handed out, tick 0: none */
    struct link_done done;        /* node: the newest; tick 0: none */
    uint64_t sensors_tick;        /* node: of the newest SENSORS */

    uint32_t waits; /* enum link_waiting */
    uint32_t owed;  /* events to hand out, 1 << enum link_event_type */
    struct link_message message;
    uint32_t time_id;   /* of the newest TIME_REQUEST */
    uint32_t time_open; /* 1: it has no answer yet */

    uint64_t opened_ns;
    uint64_t heard_ns;
    uint64_t sensors_ns; /* when SENSORS came last; 0: not in this session */
    uint64_t hello_due_ns;
    uint64_t heartbeat_due_ns;
    uint64_t actuators_due_ns;
    uint64_t credit_due_ns;
};

/* Messages of which only the newest is worth sending; bits of link_session.waits. */
enum link_waiting {
    LINK_WAITS_ZEROS = 1 << 0, /* the two that open a stream */
    LINK_WAITS_REFUSE = 1 << 1,
    LINK_WAITS_REPLY = 1 << 2,
    LINK_WAITS_HELLO = 1 << 3,
    LINK_WAITS_ACTUATORS = 1 << 4,
    LINK_WAITS_HEARTBEAT = 1 << 5,
    LINK_WAITS_TIME = 1 << 6,
    LINK_WAITS_SENSORS = 1 << 7,
    LINK_WAITS_CREDIT = 1 << 8,
    LINK_WAITS_GRANT = 1 << 9,
    LINK_WAITS_DONE = 1 << 10
};

/* A session in state OPENING that will say HELLO at once. The rings must be initialised. */
void link_session_init(struct link_session *session, const struct link_session_config *config,
                       uint64_t now_ns);

/* The line was cut, or opened again: draws a new session number and starts at HELLO. */
void link_session_line_lost(struct link_session *session, uint64_t now_ns);

/*
 * Takes octets up to the first event. @return how many; with `event->type` NONE it is all of them.
 * Worst case 100 us for 4,096 octets.
 */
uint32_t link_session_feed(struct link_session *session, const uint8_t *octets, uint32_t bytes,
                           uint64_t now_ns, struct link_event *event);

/* Does what time brings. @return when it wants to be called next, at the latest. */
uint64_t link_session_step(struct link_session *session, uint64_t now_ns, struct link_event *event);

/*
 * Octets to write now, whole messages in order of priority: until nothing waits, `enough` octets
 * are there, or the `room` may not hold the next (LINK_WIRE_BYTES_MAX).
 * @return how many. Worst case 20 us a message.
 */
uint32_t link_session_drain(struct link_session *session, uint64_t now_ns, uint8_t *octets,
                            uint32_t room, uint32_t enough);

/* Whether link_session_drain() would give something. */
int link_session_waiting(const struct link_session *session);

/* Our counters, as HEARTBEAT tells them. */
void link_session_read_heartbeat(const struct link_session *session, uint64_t now_ns,
                                 struct link_heartbeat *heartbeat);

/*
 * Queues a command or an answer: ACTUATED, REG_READ, REG_WRITE, REG_VALUES, NODE_RESET.
 * HAL_E_STATE: no peer. HAL_E_BUSY: no room. HAL_E_RANGE: another type, or too long.
 */
int32_t link_session_post(struct link_session *session, uint8_t type, const uint8_t *payload,
                          uint32_t payload_bytes);

/* Queues ECHO, BIT_TEST: likewise; up to LINK_PAYLOAD_BYTES_MAX octets. */
int32_t link_session_test(struct link_session *session, uint8_t type, const uint8_t *payload,
                          uint32_t payload_bytes);

/* Node: what everything shall be; `number` is the session's own. Repeated until it is read back,
 * told again to whoever comes next. Without a change nothing is sent. */
void link_session_set_actuators(struct link_session *session, const struct link_actuators *wanted,
                                uint64_t now_ns);

/* Node: the same once more, under a new number, because what was read back is something else. */
void link_session_repeat_actuators(struct link_session *session, uint64_t now_ns);

/* Node: the granted tick is done; DONE goes after all that waits, credit included. HAL_E_STATE: that tick is not the
 * one granted. */
int32_t link_session_tick_done(struct link_session *session, uint64_t tick);

/* Bench: sensors; the newest replaces one that still waits. HAL_E_STATE: no peer. */
int32_t link_session_show_sensors(struct link_session *session, const struct link_sensors *sensors);

/* Bench: a grant, after all that waits. HAL_E_STATE: no peer. */
int32_t link_session_grant(struct link_session *session, const struct link_grant *grant);

/* Bench: what became of the node's frames; goes with the next CREDIT, which is due now. The field
 * frames_granted is not read: it is the session's. */
void link_session_tell_light(struct link_session *session, const struct link_credit *light,
                             uint64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif
