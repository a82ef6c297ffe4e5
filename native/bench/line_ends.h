/*
 * line_ends.h - both ends of a bench link on a pseudo-terminal, for link_loops.c: the bench's in C
 * and without a thread, the node's as the "link" device. Whatever fails ends the program.
 */
#ifndef LUMENODE_LINE_ENDS_H
#define LUMENODE_LINE_ENDS_H

#define _GNU_SOURCE
#include "backend_link.h"
#include "hal.h"
#include "link_session.h"
#include "tick.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { FRAMES = 8, FRAME_BYTES = 4096, PATH_BYTES = 128 };

static void require(int holds, const char *what)
{
    if (!holds) {
        perror(what);
        abort();
    }
}

#define REQUIRE(condition) require(condition, #condition)

struct terminal {
    int master;
    int slave;
    char path[PATH_BYTES];
};

static void open_terminal(struct terminal *terminal)
{
    struct termios raw;

    REQUIRE(openpty(&terminal->master, &terminal->slave, terminal->path, NULL, NULL) == 0);
    REQUIRE(tcgetattr(terminal->slave, &raw) == 0);
    cfmakeraw(&raw);
    REQUIRE(tcsetattr(terminal->slave, TCSANOW, &raw) == 0);
    REQUIRE(fcntl(terminal->master, F_SETFL, O_NONBLOCK) == 0);
}

static void wait_for(int fd, short events)
{
    struct pollfd fds = {.fd = fd, .events = events};

    REQUIRE(poll(&fds, 1, 10000) == 1);
}

static void write_all(int fd, const uint8_t *octets, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t put = write(fd, octets + at, bytes - at);

        if (put < 0) {
            wait_for(fd, POLLOUT);
        }
        at += put > 0 ? (size_t)put : 0;
    }
}

/* A bench's end of a line. */
struct far {
    struct terminal terminal;
    struct link_session session;
    struct link_ring tx;
    struct link_ring rx;
    uint8_t *memory;
    uint64_t echoes; /* that came back */
};

static void open_far(struct far *far)
{
    uint64_t bytes = link_ring_bytes(FRAMES, FRAME_BYTES);
    struct link_session_config config = {
        .role = LINK_ROLE_BENCH,
        .mode = LINK_MODE_FREE_RUN,
        .payload_bytes = LINK_PAYLOAD_BYTES_MAX,
        .period_us = 1000000,
        .seed = (uint32_t)tick_monotonic_ns(),
        .tx = &far->tx,
        .rx = &far->rx,
    };

    far->memory = malloc(2 * (size_t)bytes);
    REQUIRE(far->memory != NULL);
    (void)link_ring_init(&far->rx, link_ring_init(&far->tx, far->memory, FRAMES, FRAME_BYTES),
                         FRAMES, FRAME_BYTES);
    link_session_init(&far->session, &config, tick_monotonic_ns());
}

static void feed_far(struct far *far, const uint8_t *octets, uint32_t bytes)
{
    struct link_event event;
    uint32_t at = 0;

    do {
        at +=
            link_session_feed(&far->session, octets + at, bytes - at, tick_monotonic_ns(), &event);
        far->echoes +=
            event.type == LINK_EVENT_MESSAGE && event.message.header.type == LINK_ECHO_REPLY;
    } while (event.type != LINK_EVENT_NONE);
}

/* One turn of the bench's end: what is due, what waits, and what comes within `wait_ms`. */
static void turn_far(struct far *far, int wait_ms)
{
    static uint8_t octets[8 * LINK_WIRE_BYTES_MAX];
    struct pollfd fds = {.fd = far->terminal.master, .events = POLLIN};
    uint64_t now_ns = tick_monotonic_ns();
    struct link_event event;

    (void)link_session_step(&far->session, now_ns, &event);
    uint32_t bytes =
        link_session_drain(&far->session, now_ns, octets, sizeof octets, sizeof octets);

    write_all(far->terminal.master, octets, bytes);
    if (poll(&fds, 1, wait_ms) == 1) {
        ssize_t got = read(far->terminal.master, octets, sizeof octets);

        if (got > 0) {
            feed_far(far, octets, (uint32_t)got);
        }
    }
}

struct node {
    struct hal_config config;
    struct hal_link_config line;
    struct hal dev;
    void *arena;
};

static void open_node(struct node *node, const char *path)
{
    memset(node, 0, sizeof *node);
    REQUIRE(hal_config_init(&node->config, "link") == HAL_OK);
    REQUIRE(hal_link_config_init(&node->line) == HAL_OK);
    node->line.path = path;
    node->config.backend_config = &node->line;
    node->config.max_frame_bytes = FRAME_BYTES;
    int64_t bytes = hal_arena_bytes(&node->config);

    REQUIRE(bytes > 0);
    node->arena = malloc((size_t)bytes);
    REQUIRE(node->arena != NULL);
    REQUIRE(hal_open(&node->dev, &node->config, node->arena, (uint64_t)bytes) == HAL_OK);
}

static void close_node(struct node *node)
{
    hal_close(&node->dev);
    free(node->arena);
}

#endif
