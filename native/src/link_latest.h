/*
 * link_latest.h - the newest of a value between one thread that writes it and one that reads it.
 * Neither waits for the other: of three copies one is being written, one is being read, and the
 * newest whole one lies between them.
 */
#ifndef LUMENODE_LINK_LATEST_H
#define LUMENODE_LINK_LATEST_H

#include <stdatomic.h>
#include <stdint.h>

struct link_latest {
    _Atomic uint32_t between; /* number of the copy, and whether the reader has not seen it */
    uint32_t writing;         /* the writer's */
    uint32_t reading;         /* the reader's */
};

/* Copies 0, 1 and 2 exist; all are what the reader sees first. */
void link_latest_init(struct link_latest *latest);

/* Writer: the copy to fill is latest->writing; afterwards another one is. */
void link_latest_publish(struct link_latest *latest);

/* Reader: number of the newest copy, its own until the next call. */
uint32_t link_latest_take(struct link_latest *latest);

#endif
