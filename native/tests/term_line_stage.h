/*
 * term_line_stage.h - the terminal of term_stage.h at the far end of a pseudo-terminal, for tests of what
 * keeps the line: plugged in, unplugged, and plugged in again under the same name.
 */
#ifndef LUMENODE_TERM_LINE_STAGE_H
#define LUMENODE_TERM_LINE_STAGE_H

#include "term_stage.h"
#include "tick.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define PATIENCE_NS 20000000000ull /* how long a loaded machine may take; nothing is measured */

static struct stage terminal;
static int master = -1;
static int slave = -1;
static char path[64];

/* The device's name stays the same over a replug, as udev's names do. */
static void plug_in(uint32_t seed)
{
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
    CHECK(slave >= 0);
    struct termios raw;

    CHECK(tcgetattr(slave, &raw) == 0);
    cfmakeraw(&raw);
    CHECK(tcsetattr(slave, TCSANOW, &raw) == 0);
    (void)unlink(path);
    CHECK(symlink(ptsname(master), path) == 0);
    stage_open(&terminal, seed, tick_monotonic_ns());
}

static void unplug(void)
{
    (void)unlink(path);
    CHECK(close(slave) == 0 && close(master) == 0);
    master = slave = -1;
}

/* The terminal's own life for a moment. */
static void live(void)
{
    uint8_t octets[1 << 14];
    struct pollfd ready = {.fd = master, .events = POLLIN};

    (void)poll(&ready, 1, 1);
    ssize_t taken = read(master, octets, 4096);
    uint64_t now_ns = tick_monotonic_ns();

    if (taken > 0) {
        stage_feed(&terminal, octets, (uint32_t)taken, now_ns);
    }
    stage_step(&terminal, now_ns);
    uint32_t bytes = link_session_drain(&terminal.session, now_ns, octets, sizeof octets, 4096);

    for (uint32_t done = 0; done < bytes;) {
        ssize_t written = write(master, octets + done, bytes - done);

        CHECK(written > 0 || errno == EAGAIN);
        done += written > 0 ? (uint32_t)written : 0;
    }
}

/* Names the device; once, before anything else. */
static void name_line(const char *test)
{
    (void)snprintf(path, sizeof path, "build/%s-%d", test, (int)getpid());
}

#define LIVE_UNTIL(condition)                                                                      \
    do {                                                                                           \
        uint64_t end_ns = tick_monotonic_ns() + PATIENCE_NS;                                       \
        while (!(condition)) {                                                                     \
            CHECK(tick_monotonic_ns() < end_ns);                                                   \
            if (master >= 0) {                                                                     \
                live();                                                                            \
            } else {                                                                               \
                (void)poll(NULL, 0, 1);                                                            \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#endif
