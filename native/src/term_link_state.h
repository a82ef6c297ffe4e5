/*
 * term_link_state.h - what a terminal's client is made of, shared by its thread (term_link.c) and the
 * calls that answer from memory (term_calls.c).
 */
#ifndef LUMENODE_TERM_LINK_STATE_H
#define LUMENODE_TERM_LINK_STATE_H

#include "link_line.h"
#include "term_client.h"

#include <pthread.h>
#include <stdatomic.h>

#define TERM_LINK_IN_BYTES   4096u
#define TERM_LINK_OUT_BYTES  8448u /* of whole messages, the longest of them below */
#define TERM_LINK_OUT_ENOUGH 4096u

_Static_assert(TERM_LINK_OUT_BYTES >= TERM_LINK_OUT_ENOUGH + LINK_WIRE_BYTES_MAX,
               "a drain may overshoot by a message");

struct term_link {
    struct term_link_config config;
    const struct linux_syscalls *sys;
    pthread_t thread;
    atomic_int stop;
    int wake_fd;
    int frames_fd;            /* the thread tells the owner of frames */
    uint64_t frames_signaled; /* the thread's: frames received when it did */
    struct hal_link_config port;
    struct link_line line; /* the thread's */
    uint64_t reopen_ns;
    uint32_t out_filled;
    uint32_t out_done;
    uint8_t out[TERM_LINK_OUT_BYTES];
    uint8_t in[TERM_LINK_IN_BYTES];
    struct term_client client;
};

/* Has the thread look at once. */
void term_link_wake(const struct term_link *link);

#endif
