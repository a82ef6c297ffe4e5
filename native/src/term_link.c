/* The thread that keeps a laser terminal's line, and the calls that answer from memory; see
 * term_link.h. */
#define _GNU_SOURCE
#include "term_link.h"

#include "hal.h"
#include "link_line.h"
#include "linux_syscalls.h"
#include "term_link_state.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ALIGN       16u
#define WAIT_MAX_NS 20000000 /* the inhibit word is looked at so often */
#define RX_PER_TURN 16u      /* reads before the rest has its turn */

static uint64_t rounded(uint64_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static int within(uint32_t value, uint32_t last)
{
    return value >= 1 && value <= last;
}

int64_t term_link_bytes(const struct term_link_config *config)
{
    if (config == NULL || config->path == NULL || config->path[0] == '\0' ||
        !within(config->tx_fifo_frames, HAL_FIFO_FRAMES_MAX) ||
        !within(config->rx_fifo_frames, HAL_FIFO_FRAMES_MAX) ||
        !within(config->max_frame_bytes, HAL_FRAME_BYTES_MAX)) {
        return HAL_E_RANGE;
    }
    return (int64_t)(rounded(sizeof(struct term_link)) + term_client_ring_bytes(config));
}

static uint64_t now_of(const struct term_link *link)
{
    return link->sys->now_ns(link->sys->context);
}

/* The device has gone: what was half written is void. */
static void lose_line(struct term_link *link)
{
    uint64_t now_ns = now_of(link);

    link_line_close(&link->line);
    link->reopen_ns = now_ns + TERM_LINK_REOPEN_NS;
    link->out_filled = 0;
    link->out_done = 0;
    term_client_line(&link->client, 0, now_ns);
}

static void find_line(struct term_link *link)
{
    uint64_t now_ns = now_of(link);

    if (now_ns < link->reopen_ns) {
        return;
    }
    if (link_line_open(&link->line, link->sys, &link->port) < 0) {
        link->reopen_ns = now_ns + TERM_LINK_REOPEN_NS;
        return;
    }
    term_client_line(&link->client, 1, now_of(link));
}

/* Only once the frames lie in the ring. */
static void signal_frames(struct term_link *link)
{
    const uint64_t one = 1;
    uint64_t received = link->client.session.in.received;

    if (received != link->frames_signaled) {
        link->frames_signaled = received;
        (void)write(link->frames_fd, &one, sizeof one);
    }
}

static void read_line(struct term_link *link)
{
    for (uint32_t turn = 0; turn < RX_PER_TURN; turn++) {
        int32_t taken = link_line_read(&link->line, link->in, TERM_LINK_IN_BYTES);

        if (taken < 0) {
            lose_line(link);
        }
        if (taken <= 0) {
            return;
        }
        term_client_receive(&link->client, link->in, (uint32_t)taken, now_of(link));
        signal_frames(link);
    }
}

/* @return 1 while octets wait for the port. */
static int write_line(struct term_link *link)
{
    for (;;) {
        if (link->out_done == link->out_filled) {
            link->out_done = 0;
            link->out_filled = term_client_drain(&link->client, now_of(link), link->out,
                                                 TERM_LINK_OUT_BYTES, TERM_LINK_OUT_ENOUGH);
        }
        uint32_t most = link_line_allowance(&link->line, link->out_filled - link->out_done);

        if (most == 0) {
            return link->out_filled > link->out_done;
        }
        int32_t written = link_line_write(&link->line, link->out + link->out_done, most);

        if (written < 0) {
            lose_line(link);
        }
        if (written <= 0) {
            return written == 0;
        }
        link->out_done += (uint32_t)written;
    }
}

static int timeout_ms(uint64_t now_ns, uint64_t due_ns)
{
    uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;

    return (int)(((wait_ns < WAIT_MAX_NS ? wait_ns : WAIT_MAX_NS) + 999999) / 1000000);
}

/* Waits for octets, room, a wake-up or time. A UART that has enough in front of it is looked at again
 * in a millisecond: its driver would call it writable. */
static int wait_for_any(struct term_link *link, int writes, uint64_t due_ns)
{
    uint64_t now_ns = now_of(link);
    uint64_t ignored = 0;
    int paced = writes && link->line.is_uart != 0;
    int16_t port_events = (int16_t)(POLLIN | (writes && !paced ? POLLOUT : 0));
    struct pollfd fds[2] = {
        {.fd = link->wake_fd, .events = POLLIN},
        {.fd = link->line.fd, .events = port_events},
    };
    int wait_ms = timeout_ms(now_ns, paced ? now_ns + 1000000 : due_ns);
    int64_t found = link->sys->poll(link->sys->context, fds, link->line.fd >= 0 ? 2 : 1, wait_ms);

    if (found > 0 && fds[0].revents != 0) {
        (void)read(link->wake_fd, &ignored, sizeof ignored);
    }
    return found > 0 && link->line.fd >= 0 &&
           (fds[1].revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) != 0;
}

static void *run(void *argument)
{
    struct term_link *link = argument;

    while (atomic_load(&link->stop) == 0) {
        if (link->line.fd < 0) {
            find_line(link);
        }
        uint64_t due_ns = term_client_step(&link->client, now_of(link));
        int writes = link->line.fd >= 0 && write_line(link);

        if (wait_for_any(link, writes, due_ns)) {
            read_line(link);
        }
    }
    if (link->line.fd >= 0) {
        /* The last orders: darkness goes in front of what waits. Who does not hear it goes dark of
         * its own. */
        (void)term_client_step(&link->client, now_of(link));
        (void)write_line(link);
    }
    link_line_close(&link->line);
    return NULL;
}

/* Signals belong to the thread that handles them, which is never this one. */
static int start_thread(struct term_link *link)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&link->thread, NULL, run, link);

    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

/* A session number that no earlier session had: from the kernel's generator. */
static uint32_t draw_seed(const struct linux_syscalls *sys)
{
    uint32_t seed = (uint32_t)sys->now_ns(sys->context);
    int fd = (int)linux_open(sys, "/dev/urandom", O_RDONLY);

    if (fd >= 0) {
        (void)linux_read(sys, fd, &seed, sizeof seed);
        linux_close(sys, &fd);
    }
    return seed;
}

static void close_descriptors(const struct term_link *link)
{
    if (link->wake_fd >= 0) {
        (void)close(link->wake_fd);
    }
    if (link->frames_fd >= 0) {
        (void)close(link->frames_fd);
    }
}

int32_t term_link_open(struct term_link **link, const struct term_link_config *config, void *memory,
                       uint64_t memory_bytes)
{
    int64_t needed = term_link_bytes(config);

    if (link == NULL || memory == NULL || needed < 0 || memory_bytes < (uint64_t)needed ||
        (uintptr_t)memory % ALIGN != 0) {
        return HAL_E_RANGE;
    }
    struct term_link *made = memory;

    memset(made, 0, sizeof *made);
    made->config = *config;
    made->sys = config->calls != NULL ? config->calls : linux_syscalls_real();
    made->line = (struct link_line){.sys = made->sys, .fd = -1};
    made->port = (struct hal_link_config){.path = config->path, .fd = -1, .baud = config->baud};
    uint8_t *rings = (uint8_t *)memory + rounded(sizeof *made);

    term_client_init(&made->client, config, rings, draw_seed(made->sys), now_of(made));
    made->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    made->frames_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->wake_fd < 0 || made->frames_fd < 0 || start_thread(made) != 0) {
        close_descriptors(made);
        return HAL_E_BUSY;
    }
    *link = made;
    return HAL_OK;
}

void term_link_close(struct term_link *link)
{
    if (link == NULL) {
        return;
    }
    atomic_store(&link->stop, 1);
    term_link_wake(link);
    (void)pthread_join(link->thread, NULL);
    close_descriptors(link);
}
