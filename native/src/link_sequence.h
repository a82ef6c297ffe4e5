/*
 * link_sequence.h - what one channel received, by its sequence numbers: in order, after a gap, or
 * not for the first time. Serial number arithmetic (RFC 1982) modulo 2^16.
 */
#ifndef LUMENODE_LINK_SEQUENCE_H
#define LUMENODE_LINK_SEQUENCE_H

#include <stdint.h>

struct link_sequence {
    uint16_t expected; /* of the next message */
    uint64_t lost;     /* numbers passed over; one that comes late after all stays lost */
    uint64_t stale;    /* not taken: seen before, or passed over before */
};

/* Starts again at 0; what was counted stays. */
void link_sequence_restart(struct link_sequence *sequence);

/* Judges the next message's number. @return 1 take it, 0 drop it. A gap of up to 32,767 counts as
 * lost messages; a number up to 32,768 behind is stale. */
int link_sequence_take(struct link_sequence *sequence, uint16_t seq);

#endif
