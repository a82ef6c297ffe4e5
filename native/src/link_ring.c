/* A FIFO between two threads; see link_ring.h. */
#include "link_ring.h"

#include "hal.h"

#include <string.h>

static uint64_t tail_of(const struct link_ring *ring)
{
    return atomic_load_explicit(&ring->tail, memory_order_acquire);
}

static uint64_t head_of(const struct link_ring *ring)
{
    return atomic_load_explicit(&ring->head, memory_order_acquire);
}

static uint32_t slot_of(const struct link_ring *ring, uint64_t index)
{
    return (uint32_t)(index % ring->capacity);
}

static uint8_t *bytes_at(const struct link_ring *ring, uint64_t index)
{
    return ring->slots + (size_t)slot_of(ring, index) * ring->slot_bytes;
}

uint64_t link_ring_bytes(uint32_t capacity, uint32_t slot_bytes)
{
    uint64_t bytes = (uint64_t)capacity * (sizeof(uint32_t) + slot_bytes);

    return (bytes + 7) & ~(uint64_t)7;
}

uint8_t *link_ring_init(struct link_ring *ring, uint8_t *memory, uint32_t capacity,
                        uint32_t slot_bytes)
{
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    ring->lengths_bytes = (uint32_t *)(void *)memory;
    ring->slots = memory + (size_t)capacity * sizeof(uint32_t);
    ring->slot_bytes = slot_bytes;
    ring->capacity = capacity;
    return memory + link_ring_bytes(capacity, slot_bytes);
}

uint32_t link_ring_count(const struct link_ring *ring)
{
    uint64_t head = head_of(ring);

    return (uint32_t)(tail_of(ring) - head);
}

uint8_t *link_ring_slot(struct link_ring *ring)
{
    uint64_t tail = tail_of(ring);

    return tail - head_of(ring) == ring->capacity ? NULL : bytes_at(ring, tail);
}

void link_ring_commit(struct link_ring *ring, uint32_t bytes)
{
    uint64_t tail = tail_of(ring);

    ring->lengths_bytes[slot_of(ring, tail)] = bytes;
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

int link_ring_push(struct link_ring *ring, const uint8_t *record, uint32_t bytes)
{
    uint8_t *slot = link_ring_slot(ring);

    if (slot == NULL) {
        return 0;
    }
    memcpy(slot, record, bytes);
    link_ring_commit(ring, bytes);
    return 1;
}

const uint8_t *link_ring_front(const struct link_ring *ring, uint32_t *bytes)
{
    uint64_t head = head_of(ring);

    if (tail_of(ring) == head) {
        return NULL;
    }
    *bytes = ring->lengths_bytes[slot_of(ring, head)];
    return bytes_at(ring, head);
}

void link_ring_drop(struct link_ring *ring)
{
    atomic_store_explicit(&ring->head, head_of(ring) + 1, memory_order_release);
}

int32_t link_ring_pop(struct link_ring *ring, uint8_t *buffer, uint32_t buffer_bytes)
{
    uint32_t bytes = 0;
    const uint8_t *record = link_ring_front(ring, &bytes);

    if (record == NULL) {
        return 0;
    }
    if (bytes > buffer_bytes) {
        return HAL_E_RANGE;
    }
    memcpy(buffer, record, bytes);
    link_ring_drop(ring);
    return (int32_t)bytes;
}

uint32_t link_ring_flush(struct link_ring *ring)
{
    uint64_t head = head_of(ring);
    uint64_t tail = tail_of(ring);

    atomic_store_explicit(&ring->head, tail, memory_order_release);
    return (uint32_t)(tail - head);
}
