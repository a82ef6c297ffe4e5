/* Sequence numbers of one channel; see link_sequence.h. */
#include "link_sequence.h"

#define BEHIND 0x8000u

void link_sequence_restart(struct link_sequence *sequence)
{
    sequence->expected = 0;
}

int link_sequence_take(struct link_sequence *sequence, uint16_t seq)
{
    uint16_t ahead = (uint16_t)(seq - sequence->expected);

    if (ahead >= BEHIND) {
        sequence->stale++;
        return 0;
    }
    sequence->lost += ahead;
    sequence->expected = (uint16_t)(seq + 1u);
    return 1;
}
