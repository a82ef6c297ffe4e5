/*
 * link_states.h - how two ends find each other: the states of a session and every transition.
 *
 * Theory of operation. Each end says HELLO with its own session number until a HELLO_REPLY names
 * that number: then the other end knows it. It knows the other end from the first HELLO or
 * HELLO_REPLY it gets. With both it is UP. A number that is new means that the other end has
 * restarted, and what was before is void. An end that lost its line or hears nothing any more
 * draws a new number, so that nothing of the old session can be taken for the new one.
 */
#ifndef LUMENODE_LINK_STATES_H
#define LUMENODE_LINK_STATES_H

#include <stdint.h>

enum link_state {
    LINK_STATE_OPENING = 0, /* says HELLO; knows nobody */
    LINK_STATE_KNOWN = 1,   /* knows the peer; not answered yet */
    LINK_STATE_UP = 2,      /* each knows the other */
    LINK_STATE_REFUSED = 3  /* the two do not fit; says HELLO on, in case the peer is replaced */
};
#define LINK_STATES 4

enum link_input {
    LINK_INPUT_HELLO_NEW = 0,   /* a HELLO that fits, of a session not known */
    LINK_INPUT_HELLO_AGAIN = 1, /* of the session known */
    LINK_INPUT_REPLY_NEW = 2,   /* a HELLO_REPLY to us that fits, of a session not known */
    LINK_INPUT_REPLY = 3,       /* of the session known */
    LINK_INPUT_MESSAGE = 4,     /* any other message of the session known */
    LINK_INPUT_UNFIT = 5,       /* a HELLO or HELLO_REPLY that does not fit */
    LINK_INPUT_REFUSE = 6,      /* the peer says that we do not fit */
    LINK_INPUT_SILENT = 7,      /* nothing heard for too long */
    LINK_INPUT_LINE = 8         /* the line was cut, or opened again */
};
#define LINK_INPUTS 9

/* What goes with a transition, done in the order of the bits. */
enum link_action {
    LINK_ACTION_DOWN = 1 << 0,   /* what was with the old peer is void */
    LINK_ACTION_RENEW = 1 << 1,  /* draw a session number, forget the peer */
    LINK_ACTION_LEARN = 1 << 2,  /* the peer's number and values; all counts from 0 */
    LINK_ACTION_ANSWER = 1 << 3, /* HELLO_REPLY */
    LINK_ACTION_REFUSE = 1 << 4, /* REFUSE */
    LINK_ACTION_UP = 1 << 5,     /* begin */
    LINK_ACTION_TELL = 1 << 6    /* tell the owner that the two do not fit */
};

struct link_transition {
    uint8_t next;    /* enum link_state */
    uint8_t actions; /* enum link_action */
};

struct link_transition link_transition_of(enum link_state state, enum link_input input);

#endif
