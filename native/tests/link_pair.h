/*
 * link_pair.h - two sessions and the line between them, in virtual time: a node and a bench for the
 * tests of the bench link. The line can lose, repeat and damage messages, be cut and take its time.
 */
#ifndef LUMENODE_LINK_PAIR_H
#define LUMENODE_LINK_PAIR_H

#include "check.h"
#include "link_session.h"

#include <string.h>

enum { PAIR_FRAMES = 4, PAIR_FRAME_BYTES = 9000, PAIR_RECORDS = 4, PAIR_MESSAGES = 256 };

/* What an end was told, newest last. */
struct pair_seen {
    uint32_t events[LINK_EVENT_MESSAGE + 1]; /* by type */
    uint32_t messages[LINK_TYPE_MAX + 1];    /* by type */
    uint8_t order[PAIR_MESSAGES];            /* types, in order */
    uint32_t ordered;
    uint8_t last[LINK_TYPE_MAX + 1][LINK_PAYLOAD_BYTES_MAX]; /* payload of the last of a type */
    uint32_t last_bytes[LINK_TYPE_MAX + 1];
};

struct pair_end {
    struct link_session session;
    struct link_ring tx;
    struct link_ring rx;
    struct link_ring records;
    uint64_t tx_memory[PAIR_FRAMES * (PAIR_FRAME_BYTES + 8) / 8];
    uint64_t rx_memory[PAIR_FRAMES * (PAIR_FRAME_BYTES + 8) / 8];
    uint64_t record_memory[PAIR_RECORDS * (LINK_PAYLOAD_BYTES_MAX + 8) / 8];
    struct pair_seen seen;
    int64_t clock_ns; /* this end's clock minus the pair's */
    uint32_t deaf;    /* 1: the line towards this end is cut */
};

struct pair {
    struct pair_end node;
    struct pair_end bench;
    uint64_t now_ns;
    uint64_t delay_ns; /* of each direction; the line is otherwise as fast as it likes */
};

static void pair_open_end(struct pair_end *end, uint8_t role, uint8_t mode, uint32_t seed,
                          uint64_t now_ns)
{
    struct link_session_config config = {
        .role = role,
        .mode = mode,
        .payload_bytes = LINK_PAYLOAD_BYTES_MAX,
        .period_us = 100000,
        .boot_count = 7,
        .seed = seed,
        .tx = &end->tx,
        .rx = &end->rx,
        .records = &end->records,
    };

    link_ring_init(&end->tx, (uint8_t *)end->tx_memory, PAIR_FRAMES, PAIR_FRAME_BYTES);
    link_ring_init(&end->rx, (uint8_t *)end->rx_memory, PAIR_FRAMES, PAIR_FRAME_BYTES);
    link_ring_init(&end->records, (uint8_t *)end->record_memory, PAIR_RECORDS,
                   LINK_PAYLOAD_BYTES_MAX);
    memset(&end->seen, 0, sizeof end->seen);
    link_session_init(&end->session, &config, now_ns + (uint64_t)end->clock_ns);
}

static void pair_open(struct pair *pair, uint8_t mode)
{
    memset(pair, 0, sizeof *pair);
    pair->now_ns = 1000000000;
    pair->node.clock_ns = 5000000000;
    pair_open_end(&pair->node, LINK_ROLE_NODE, mode, 11, pair->now_ns);
    pair_open_end(&pair->bench, LINK_ROLE_BENCH, mode, 22, pair->now_ns);
}

static void pair_note(struct pair_end *end, const struct link_event *event)
{
    struct pair_seen *seen = &end->seen;
    uint8_t type = event->message.header.type;

    seen->events[event->type]++;
    if (event->type != LINK_EVENT_MESSAGE) {
        return;
    }
    seen->messages[type]++;
    seen->order[seen->ordered++ % PAIR_MESSAGES] = type;
    seen->last_bytes[type] = event->message.header.payload_bytes;
    memcpy(seen->last[type], event->message.payload, event->message.header.payload_bytes);
}

static void pair_feed(struct pair_end *end, const uint8_t *octets, uint32_t bytes, uint64_t now_ns)
{
    struct link_event event;
    uint32_t at = 0;

    do {
        at += link_session_feed(&end->session, octets + at, bytes - at, now_ns, &event);
        if (event.type != LINK_EVENT_NONE) {
            pair_note(end, &event);
        }
    } while (event.type != LINK_EVENT_NONE || at < bytes);
}

static uint64_t pair_step(struct pair_end *end, uint64_t now_ns)
{
    struct link_event event;
    uint64_t next_ns = 0;

    do {
        next_ns = link_session_step(&end->session, now_ns, &event);
        if (event.type != LINK_EVENT_NONE) {
            pair_note(end, &event);
        }
    } while (event.type != LINK_EVENT_NONE);
    return next_ns;
}

/* One end's waiting octets to the other. @return octets moved. */
static uint32_t pair_move(struct pair *pair, struct pair_end *from, struct pair_end *to)
{
    static uint8_t line[1 << 16];
    uint64_t sent_ns = pair->now_ns + (uint64_t)from->clock_ns;
    uint32_t bytes = link_session_drain(&from->session, sent_ns, line, sizeof line, sizeof line);

    if (bytes > 0 && to->deaf == 0) {
        pair->now_ns += pair->delay_ns;
        pair_feed(to, line, bytes, pair->now_ns + (uint64_t)to->clock_ns);
    }
    return bytes;
}

/* Until nothing is left to say at this instant. */
static void pair_settle(struct pair *pair)
{
    uint32_t moved = 0;

    do {
        (void)pair_step(&pair->node, pair->now_ns + (uint64_t)pair->node.clock_ns);
        (void)pair_step(&pair->bench, pair->now_ns + (uint64_t)pair->bench.clock_ns);
        moved = pair_move(pair, &pair->node, &pair->bench);
        moved += pair_move(pair, &pair->bench, &pair->node);
    } while (moved > 0);
}

/* Time goes on, in steps of what both ends asked for. */
static void pair_run(struct pair *pair, uint64_t for_ns)
{
    uint64_t end_ns = pair->now_ns + for_ns;

    while (pair->now_ns < end_ns) {
        pair_settle(pair);
        uint64_t node_ns = pair_step(&pair->node, pair->now_ns + (uint64_t)pair->node.clock_ns) -
                           (uint64_t)pair->node.clock_ns;
        uint64_t bench_ns = pair_step(&pair->bench, pair->now_ns + (uint64_t)pair->bench.clock_ns) -
                            (uint64_t)pair->bench.clock_ns;
        uint64_t next_ns = node_ns < bench_ns ? node_ns : bench_ns;

        CHECK(next_ns > pair->now_ns);
        pair->now_ns = next_ns < end_ns ? next_ns : end_ns;
    }
    pair_settle(pair);
}

static int pair_is_up(const struct pair *pair)
{
    return pair->node.session.state == LINK_STATE_UP && pair->bench.session.state == LINK_STATE_UP;
}

#endif
