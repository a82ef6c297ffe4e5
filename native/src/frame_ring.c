/* A FIFO of frames; see frame_ring.h. */
#include "frame_ring.h"

#include <string.h>

static uint8_t *slot_at(const struct frame_ring *ring, uint32_t index)
{
    return ring->slots + (size_t)index * ring->slot_bytes;
}

int frame_ring_push(struct frame_ring *ring, const uint8_t *frame, uint32_t frame_bytes)
{
    if (ring->count == ring->capacity) {
        return 0;
    }
    uint32_t tail = (ring->head + ring->count) % ring->capacity;

    memcpy(slot_at(ring, tail), frame, frame_bytes);
    ring->lengths_bytes[tail] = frame_bytes;
    ring->count++;
    return 1;
}

int32_t frame_ring_pop(struct frame_ring *ring, uint8_t *buffer, uint64_t buffer_bytes)
{
    if (ring->count == 0) {
        return 0;
    }
    uint32_t frame_bytes = ring->lengths_bytes[ring->head];

    if (frame_bytes > buffer_bytes) {
        return HAL_E_RANGE;
    }
    memcpy(buffer, slot_at(ring, ring->head), frame_bytes);
    ring->head = (ring->head + 1) % ring->capacity;
    ring->count--;
    return (int32_t)frame_bytes;
}

uint32_t frame_ring_flush(struct frame_ring *ring)
{
    uint32_t lost = ring->count;

    ring->head = 0;
    ring->count = 0;
    return lost;
}
