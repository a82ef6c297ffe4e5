/*
 * link_ring.h - a FIFO of records between one thread that writes and one that reads, without a
 * lock: neither ever waits for the other. In memory the owner gives.
 *
 * Both indices only rise, one a record, so that they also say how many ever went through. The
 * writer's store of `tail` publishes a record, the reader's store of `head` gives its slot back.
 */
#ifndef LUMENODE_LINK_RING_H
#define LUMENODE_LINK_RING_H

#include <stdatomic.h>
#include <stdint.h>

struct link_ring {
    _Atomic uint64_t head; /* records taken or dropped; the reader's */
    _Atomic uint64_t tail; /* records written; the writer's */
    uint32_t *lengths_bytes;
    uint8_t *slots;
    uint32_t slot_bytes;
    uint32_t capacity;
};

/* Bytes of memory for so many slots, a multiple of 8. */
uint64_t link_ring_bytes(uint32_t capacity, uint32_t slot_bytes);

/* An empty ring in `memory`, 4-byte aligned. @return the first byte behind what it took. */
uint8_t *link_ring_init(struct link_ring *ring, uint8_t *memory, uint32_t capacity,
                        uint32_t slot_bytes);

/* Records that wait: exact for either side's own purpose, a lower bound of what the other did. */
uint32_t link_ring_count(const struct link_ring *ring);

/* Writer: the next free slot, of slot_bytes, or NULL when there is none; then what is in it. */
uint8_t *link_ring_slot(struct link_ring *ring);
void link_ring_commit(struct link_ring *ring, uint32_t bytes);

/* Writer: copies a record of at most slot_bytes. @return 1 taken, 0 full. */
int link_ring_push(struct link_ring *ring, const uint8_t *record, uint32_t bytes);

/* Reader: the oldest record, in place until it is dropped; NULL when none waits. */
const uint8_t *link_ring_front(const struct link_ring *ring, uint32_t *bytes);
void link_ring_drop(struct link_ring *ring);

/* Reader: takes the oldest into `buffer`. @return its length, 0 when there is none, HAL_E_RANGE
 * when it does not fit; it then stays. */
int32_t link_ring_pop(struct link_ring *ring, uint8_t *buffer, uint32_t buffer_bytes);

/* Reader: drops all that wait. @return how many. */
uint32_t link_ring_flush(struct link_ring *ring);

#endif
