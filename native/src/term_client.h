/*
 * term_client.h - the node's end of a laser terminal's line, without the line: a session of the bench
 * link, the register map as last read, writes that wait. Pure: octets in, octets out, `now_ns` given.
 *
 * Pumped by one thread (receive, step, drain). The thread of the flight software touches only the
 * rings, the words and the views, each of which either may use at any time.
 */
#ifndef LUMENODE_TERM_CLIENT_H
#define LUMENODE_TERM_CLIENT_H

#include "link_latest.h"
#include "link_ring.h"
#include "link_session.h"
#include "term_link.h"
#include "term_writes.h"

#define TERM_CLIENT_ORDERS          64u
#define TERM_CLIENT_ANSWER_NS       200000000 /* a read without an answer by then is asked again */
#define TERM_CLIENT_POLL_WIRE_BYTES 240u      /* a request for the whole map and its answer */

/* A wish of the flight thread's on its way to the queue of writes. */
struct term_order {
    uint32_t reg;
    uint32_t value;
};

struct term_client {
    struct link_session session;
    struct link_ring tx;       /* frames, written by the flight thread */
    struct link_ring rx;       /* frames, taken by the flight thread */
    struct link_ring orders;   /* struct term_order, written by the flight thread */
    struct link_latest latest; /* of `views`, read by the flight thread */
    struct term_link_view views[3];
    uint32_t inhibit;    /* shared_word.h: the guard's, or the flight thread's */
    uint32_t darkenings; /* shared_word.h: how often the flight thread asked for LASER_ENABLE = 0 */
    struct term_writes writes;
    struct term_link_view known; /* what the next view will say */
    uint32_t inhibit_seen;
    uint32_t darkenings_seen;
    uint32_t up;
    uint32_t poll_id;
    uint32_t poll_open; /* 1: asked, not answered */
    uint32_t line_open;
    uint64_t poll_sent_ns;
    uint64_t poll_due_ns;
    uint64_t poll_every_ns;
    struct link_credit light;  /* what became of this session's frames, as last told */
    struct link_credit before; /* and of all those before it */
};

/* Bytes of memory for the rings; a multiple of 8. */
uint64_t term_client_ring_bytes(const struct term_link_config *config);

/* `rings` has term_client_ring_bytes(), 8-byte aligned; `seed` is drawn at random. */
void term_client_init(struct term_client *client, const struct term_link_config *config,
                      uint8_t *rings, uint32_t seed, uint64_t now_ns);

/* The line was opened, or has gone. */
void term_client_line(struct term_client *client, int open, uint64_t now_ns);

/* Takes octets as they came. */
void term_client_receive(struct term_client *client, const uint8_t *octets, uint32_t bytes,
                         uint64_t now_ns);

/* Does what time and the flight thread bring, and publishes. @return when it wants to be called
 * next, at the latest. */
uint64_t term_client_step(struct term_client *client, uint64_t now_ns);

/* Octets to write now; link_session_drain(). */
uint32_t term_client_drain(struct term_client *client, uint64_t now_ns, uint8_t *octets,
                           uint32_t room, uint32_t enough);

/* For the flight thread: asks for a write. HAL_OK, HAL_E_BUSY, HAL_E_TIMEOUT (term_link.h). */
int32_t term_client_order(struct term_client *client, uint32_t reg, uint32_t value);

/* For the flight thread: what is known, its own until the next call. */
const struct term_link_view *term_client_look(struct term_client *client);

/* For term_client_step(): takes what was asked for. */
void term_client_take_orders(struct term_client *client);

#endif
