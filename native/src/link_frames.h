/*
 * link_frames.h - laser frames as chunks, and the credit under which they flow; one object a
 * direction. A frame is numbered from 0 after HELLO; credit and losses are told in those numbers.
 */
#ifndef LUMENODE_LINK_FRAMES_H
#define LUMENODE_LINK_FRAMES_H

#include "link_payloads.h"
#include "link_ring.h"

/* Outgoing. Whoever submits writes `ring` while link_frames_room() is not 0. */
struct link_frames_out {
    struct link_ring *ring;
    _Atomic uint64_t limit; /* records of the ring that may ever be written; 0: no session */
    uint64_t base;          /* the ring's head at HELLO: number 0 */
    uint32_t offset;        /* octets of the front frame already sent */
    uint64_t flushed;       /* frames void because the session ended */
};

void link_frames_out_init(struct link_frames_out *out, struct link_ring *ring);

/* The session ended: what waits is void, and nothing more is taken. */
void link_frames_out_stop(struct link_frames_out *out);

/* A session begins with so much credit. */
void link_frames_out_start(struct link_frames_out *out, uint64_t granted);

/* The peer grants so many frames in all; fewer than before is an old message. */
void link_frames_out_grant(struct link_frames_out *out, uint64_t granted);

/* Frames that may be submitted now. For the thread that writes the ring. */
uint32_t link_frames_room(const struct link_frames_out *out);

/* Frames sent whole since HELLO. */
uint32_t link_frames_sent(const struct link_frames_out *out);

/* The payload of the next chunk, of at most `payload_bytes_max` octets, into `payload`. @return
 * its length, 0 when no frame waits. */
uint32_t link_frames_next_chunk(struct link_frames_out *out, uint32_t payload_bytes_max,
                                uint8_t *payload);

/* Incoming. Chunks are put together in the ring's next free slot. */
struct link_frames_in {
    struct link_ring *ring;
    uint64_t passed;      /* frames that are whole or given up: the number of the next one */
    uint32_t filled;      /* octets of the frame that is coming in */
    uint32_t frame_bytes; /* of that frame; 0 before its first chunk */
    uint32_t broken_now;  /* 1: a chunk of it is missing */
    uint64_t told;        /* credit as last told */
    uint64_t received;    /* whole frames since opening */
    uint64_t broken;      /* frames with a chunk missing, or missing altogether */
    uint64_t malformed;   /* chunks outside their frame, or of a frame longer than allowed */
    uint64_t overflowed;  /* frames sent without credit, with no room for them */
};

void link_frames_in_init(struct link_frames_in *in, struct link_ring *ring);

/* A session begins; a frame in the middle is given up, whole ones stay to be taken. */
void link_frames_in_start(struct link_frames_in *in);

/* One chunk. @return 1 when it completed a frame. */
int link_frames_take_chunk(struct link_frames_in *in, const uint8_t *payload, uint32_t bytes);

/* The peer has sent so many frames by now: what is not here is lost. */
void link_frames_settle(struct link_frames_in *in, uint32_t frames_sent);

/* Frames granted in all: what has passed, and the room there is. Never falls. */
uint64_t link_frames_granted(const struct link_frames_in *in);

#endif
