/*
 * link_outbox.h - what waits to be sent on the channels of control and of tests: two bounded FIFOs.
 * Commands are few and short; a full queue refuses the newest and drops none.
 */
#ifndef LUMENODE_LINK_OUTBOX_H
#define LUMENODE_LINK_OUTBOX_H

#include "bench_link.h"

#define LINK_SMALL_BYTES_MAX 168u /* a whole register map, with its head */
#define LINK_SMALL_WAITING   32u
#define LINK_TESTS_WAITING   4u

struct link_small {
    uint8_t type; /* enum link_type */
    uint8_t bytes;
    uint8_t payload[LINK_SMALL_BYTES_MAX];
};

/* A message to be encoded. */
struct link_draft {
    uint8_t type;
    uint16_t bytes;
    uint8_t payload[LINK_PAYLOAD_BYTES_MAX];
};

struct link_outbox {
    struct link_small small[LINK_SMALL_WAITING];
    uint32_t small_head;
    uint32_t small_count;
    struct link_draft tests[LINK_TESTS_WAITING];
    uint32_t tests_head;
    uint32_t tests_count;
};

/* @return 1 taken; 0: full, or longer than LINK_SMALL_BYTES_MAX. */
int link_outbox_put(struct link_outbox *outbox, uint8_t type, const uint8_t *payload,
                    uint32_t bytes);
int link_outbox_put_test(struct link_outbox *outbox, uint8_t type, const uint8_t *payload,
                         uint32_t bytes);

/* The oldest. @return 1 taken into `draft`, 0 nothing waits. */
int link_outbox_take(struct link_outbox *outbox, struct link_draft *draft);
int link_outbox_take_test(struct link_outbox *outbox, struct link_draft *draft);

/* Drops all. @return how many. */
uint32_t link_outbox_clear(struct link_outbox *outbox);

#endif
