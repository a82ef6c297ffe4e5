/*
 * link_session_parts.h - what the files of a session share: link_session.c (states, time, the
 * owner's calls), link_session_receive.c, link_session_send.c.
 */
#ifndef LUMENODE_LINK_SESSION_PARTS_H
#define LUMENODE_LINK_SESSION_PARTS_H

#include "link_session.h"

/* Credit is told when a quarter of it is new, or this long after the first of it. */
#define LINK_CREDIT_DELAY_NS 2000000

/* Moves the state machine; session->message is the greeting behind the input, if one is. */
void link_session_input(struct link_session *session, enum link_input input, uint64_t now_ns);

/* Hands out what is owed. @return 1 when `event` was filled. */
int link_session_hand_out(struct link_session *session, struct link_event *event);

/* What this end says of itself. */
void link_session_own_hello(const struct link_session *session, struct link_hello *hello);

#endif
