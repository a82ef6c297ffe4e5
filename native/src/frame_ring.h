/*
 * frame_ring.h - a FIFO of frames in slots of one size, in memory the owner gives. Inside backends
 * only: callers have tested lengths already.
 */
#ifndef LUMENODE_FRAME_RING_H
#define LUMENODE_FRAME_RING_H

#include "hal.h"

struct frame_ring {
    uint32_t *lengths_bytes; /* capacity of them */
    uint8_t *slots;          /* capacity * slot_bytes */
    uint32_t slot_bytes;
    uint32_t capacity;
    uint32_t head; /* oldest */
    uint32_t count;
};

/* Copies a frame of 1 to slot_bytes behind the newest. @return 1 taken, 0 full. */
int frame_ring_push(struct frame_ring *ring, const uint8_t *frame, uint32_t frame_bytes);

/* Takes the oldest frame. @return its length, 0 when there is none, HAL_E_RANGE when it does not
 * fit the buffer; it then stays. */
int32_t frame_ring_pop(struct frame_ring *ring, uint8_t *buffer, uint64_t buffer_bytes);

/* Empties the ring. @return frames lost by it. */
uint32_t frame_ring_flush(struct frame_ring *ring);

#endif
