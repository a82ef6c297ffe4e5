/* Chunks of frames, and their credit; see link_frames.h. */
#include "link_frames.h"

#include <string.h>

void link_frames_out_init(struct link_frames_out *out, struct link_ring *ring)
{
    *out = (struct link_frames_out){.ring = ring};
    atomic_init(&out->limit, 0);
}

void link_frames_out_stop(struct link_frames_out *out)
{
    atomic_store(&out->limit, 0);
    out->flushed += link_ring_flush(out->ring);
    out->offset = 0;
}

void link_frames_out_start(struct link_frames_out *out, uint64_t granted)
{
    out->flushed += link_ring_flush(out->ring);
    out->offset = 0;
    out->base = atomic_load(&out->ring->head);
    atomic_store(&out->limit, out->base + granted);
}

void link_frames_out_grant(struct link_frames_out *out, uint64_t granted)
{
    if (out->base + granted > atomic_load(&out->limit)) {
        atomic_store(&out->limit, out->base + granted);
    }
}

uint32_t link_frames_room(const struct link_frames_out *out)
{
    uint64_t limit = atomic_load(&out->limit);
    uint64_t written = atomic_load(&out->ring->tail);
    uint64_t free = out->ring->capacity - link_ring_count(out->ring);
    uint64_t credit = limit > written ? limit - written : 0;

    return (uint32_t)(credit < free ? credit : free);
}

uint32_t link_frames_sent(const struct link_frames_out *out)
{
    return (uint32_t)(atomic_load(&out->ring->head) - out->base);
}

uint32_t link_frames_next_chunk(struct link_frames_out *out, uint32_t payload_bytes_max,
                                uint8_t *payload)
{
    uint32_t frame_bytes = 0;
    const uint8_t *frame = link_ring_front(out->ring, &frame_bytes);

    if (frame == NULL) {
        return 0;
    }
    struct link_chunk chunk = {
        .frame_id = link_frames_sent(out),
        .frame_bytes = frame_bytes,
        .offset = out->offset,
    };
    uint32_t rest = frame_bytes - out->offset;
    uint32_t room = payload_bytes_max - LINK_CHUNK_BYTES;
    uint32_t octets = rest < room ? rest : room;
    uint32_t filled = link_put_chunk(&chunk, payload);

    memcpy(payload + filled, frame + out->offset, octets);
    out->offset += octets;
    if (out->offset == frame_bytes) {
        link_ring_drop(out->ring);
        out->offset = 0;
    }
    return filled + octets;
}

void link_frames_in_init(struct link_frames_in *in, struct link_ring *ring)
{
    *in = (struct link_frames_in){.ring = ring};
}

static void next_frame(struct link_frames_in *in, uint64_t passed)
{
    in->passed = passed;
    in->filled = 0;
    in->frame_bytes = 0;
    in->broken_now = 0;
}

void link_frames_in_start(struct link_frames_in *in)
{
    in->broken += in->filled > 0 || in->broken_now != 0;
    next_frame(in, 0);
    in->told = 0;
}

/* Gives up all in front of a number. An older one changes nothing. */
static void give_up_to(struct link_frames_in *in, uint32_t number)
{
    uint32_t ahead = number - (uint32_t)in->passed;

    if (ahead > 0 && ahead <= INT32_MAX) {
        in->broken += ahead;
        next_frame(in, in->passed + ahead);
    }
}

void link_frames_settle(struct link_frames_in *in, uint32_t frames_sent)
{
    give_up_to(in, frames_sent);
}

/* Whether this chunk is the one that belongs next into the frame coming in. */
static int follows(const struct link_frames_in *in, const struct link_chunk *chunk)
{
    return in->broken_now == 0 && chunk->offset == in->filled &&
           (in->frame_bytes == 0 || chunk->frame_bytes == in->frame_bytes);
}

int link_frames_take_chunk(struct link_frames_in *in, const uint8_t *payload, uint32_t bytes)
{
    struct link_chunk chunk;
    uint32_t octets = bytes - LINK_CHUNK_BYTES;

    link_get_chunk(payload, &chunk);
    if (chunk.frame_bytes > in->ring->slot_bytes || chunk.offset > chunk.frame_bytes ||
        octets > chunk.frame_bytes - chunk.offset) {
        in->malformed++;
        return 0;
    }
    give_up_to(in, chunk.frame_id);
    if (chunk.frame_id != (uint32_t)in->passed) {
        return 0; /* of a frame given up before */
    }
    uint8_t *slot = link_ring_slot(in->ring);

    if (slot == NULL) {
        in->overflowed++;
        next_frame(in, in->passed + 1);
        return 0;
    }
    if (!follows(in, &chunk)) {
        in->broken_now = 1;
        return 0;
    }
    memcpy(slot + in->filled, payload + LINK_CHUNK_BYTES, octets);
    in->filled += octets;
    in->frame_bytes = chunk.frame_bytes;
    if (in->filled < in->frame_bytes) {
        return 0;
    }
    link_ring_commit(in->ring, in->frame_bytes);
    in->received++;
    next_frame(in, in->passed + 1);
    return 1;
}

uint64_t link_frames_granted(const struct link_frames_in *in)
{
    return in->passed + in->ring->capacity - link_ring_count(in->ring);
}
