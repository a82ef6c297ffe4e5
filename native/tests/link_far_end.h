/*
 * link_far_end.h - the bench at the far end of a line, in C, for the tests of the backend "link": a
 * session of its own on a descriptor, serving what a bench serves. Real time; every wait is for a
 * condition and bounded, and no promise is about how long it took.
 */
#ifndef LUMENODE_LINK_FAR_END_H
#define LUMENODE_LINK_FAR_END_H

#include "check.h"
#include "hal.h"
#include "link_session.h"
#include "terminal_registers.h"
#include "tick.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAR_FRAMES = 4, FAR_FRAME_BYTES = HAL_FRAME_BYTES_MAX, FAR_RECORDS = 2 };
#define FAR_PATIENCE_NS 20000000000u

struct far_end {
    int fd;
    struct link_session session;
    struct link_ring tx;
    struct link_ring rx;
    struct link_ring records;
    uint64_t memory[2 * FAR_FRAMES * (FAR_FRAME_BYTES + 8) / 8 + 8];
    uint64_t record_memory[FAR_RECORDS * (LINK_PAYLOAD_BYTES_MAX + 8) / 8];
    uint8_t out[LINK_WIRE_BYTES_MAX * 4];
    uint32_t out_at;
    uint32_t out_filled;

    struct link_sensors sensors;
    struct link_actuators told; /* as the node wants it */
    struct link_actuators held; /* as it is: what is stuck stays */
    uint32_t stuck_level;       /* 1: the payload level does not move */
    uint32_t registers[TERM_REG_COUNT];
    int32_t register_code;   /* negative: every request is answered with it */
    uint32_t deaf;           /* 1: nothing is read, nothing is written */
    uint32_t mute_registers; /* 1: requests for registers are not answered */
    uint32_t registers_written;
    uint32_t last_register;
    struct link_done done;
    uint32_t dones;
    uint8_t record[LINK_PAYLOAD_BYTES_MAX];
    uint32_t record_bytes;
    uint32_t records_heard;
};

static void far_open(struct far_end *far, int fd, uint8_t mode)
{
    static uint32_t seed = 1000;
    uint8_t *memory = (uint8_t *)far->memory;
    struct link_session_config config = {
        .role = LINK_ROLE_BENCH,
        .mode = mode,
        .payload_bytes = LINK_PAYLOAD_BYTES_MAX,
        .period_us = 1000000,
        .seed = ++seed,
        .tx = &far->tx,
        .rx = &far->rx,
        .records = &far->records,
    };

    memset(far, 0, sizeof *far);
    far->fd = fd;
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    memory = link_ring_init(&far->tx, memory, FAR_FRAMES, FAR_FRAME_BYTES);
    (void)link_ring_init(&far->rx, memory, FAR_FRAMES, FAR_FRAME_BYTES);
    link_ring_init(&far->records, (uint8_t *)far->record_memory, FAR_RECORDS,
                   LINK_PAYLOAD_BYTES_MAX);
    link_session_init(&far->session, &config, tick_monotonic_ns());
    far->sensors.sensors.valid = HAL_SENSOR_ALL;
    far->sensors.sensors.boot_count = 1;
}

static void far_actuate(struct far_end *far, const uint8_t *payload)
{
    uint8_t answer[LINK_ACTUATORS_BYTES];
    uint32_t level = far->held.payload_level;

    link_get_actuators(payload, &far->told);
    far->held = far->told;
    if (far->stuck_level != 0) {
        far->held.payload_level = level;
    }
    (void)link_put_actuators(&far->held, answer);
    (void)link_session_post(&far->session, LINK_ACTUATED, answer, sizeof answer);
}

static void far_answer_registers(struct far_end *far, uint32_t id, uint16_t first, uint16_t count)
{
    uint8_t answer[LINK_REG_VALUES_BYTES + 4 * TERM_REG_COUNT];
    struct link_reg_values head = {
        .id = id,
        .first = first,
        .count = far->register_code < 0 ? 0 : count,
        .code = far->register_code,
    };
    uint32_t bytes = link_put_reg_values(&head, answer);

    for (uint32_t i = 0; i < head.count; i++) {
        struct link_word word = {far->registers[first + i]};

        bytes += link_put_word(&word, answer + bytes);
    }
    if (far->mute_registers == 0) {
        (void)link_session_post(&far->session, LINK_REG_VALUES, answer, bytes);
    }
}

static void far_message(struct far_end *far, const struct link_message *message)
{
    struct link_reg_read read;
    struct link_reg_write write;

    switch (message->header.type) {
    case LINK_ACTUATORS: far_actuate(far, message->payload); break;
    case LINK_REG_READ:
        link_get_reg_read(message->payload, &read);
        far_answer_registers(far, read.id, read.first, read.count);
        break;
    case LINK_REG_WRITE:
        link_get_reg_write(message->payload, &write);
        far->registers[write.reg] =
            far->register_code < 0 ? far->registers[write.reg] : write.value;
        far->registers_written++;
        far->last_register = write.reg;
        far_answer_registers(far, write.id, write.reg, 1);
        break;
    case LINK_DONE:
        link_get_done(message->payload, &far->done);
        far->dones++;
        break;
    case LINK_TELL:
        far->record_bytes = message->header.payload_bytes;
        memcpy(far->record, message->payload, far->record_bytes);
        far->records_heard++;
        break;
    default: break;
    }
}

static void far_read(struct far_end *far)
{
    uint8_t in[8192];
    ssize_t got = read(far->fd, in, sizeof in);
    uint64_t now_ns = tick_monotonic_ns();
    struct link_event event = {0};
    uint32_t at = 0;

    if (got <= 0) {
        return;
    }
    do {
        at += link_session_feed(&far->session, in + at, (uint32_t)got - at, now_ns, &event);
        if (event.type == LINK_EVENT_MESSAGE) {
            far_message(far, &event.message);
        }
    } while (event.type != LINK_EVENT_NONE);
}

static void far_write(struct far_end *far)
{
    if (far->out_at == far->out_filled) {
        far->out_at = 0;
        far->out_filled = link_session_drain(&far->session, tick_monotonic_ns(), far->out,
                                             sizeof far->out, sizeof far->out);
    }
    if (far->out_at < far->out_filled) {
        ssize_t put = write(far->fd, far->out + far->out_at, far->out_filled - far->out_at);

        far->out_at += put > 0 ? (uint32_t)put : 0;
    }
}

/* One turn: what came, what is due, what waits; at most a millisecond of waiting. */
static void far_turn(struct far_end *far)
{
    struct pollfd line = {.fd = far->fd, .events = POLLIN};
    struct link_event event;

    (void)poll(&line, far->deaf != 0 ? 0 : 1, 1);
    if (far->deaf != 0) {
        return;
    }
    far_read(far);
    do {
        (void)link_session_step(&far->session, tick_monotonic_ns(), &event);
    } while (event.type != LINK_EVENT_NONE);
    far_write(far);
}

/* Turns until the condition holds; the test fails when it never does. */
#define FAR_UNTIL(far, condition)                                                                  \
    do {                                                                                           \
        uint64_t until_ns = tick_monotonic_ns() + FAR_PATIENCE_NS;                                 \
                                                                                                   \
        while (!(condition)) {                                                                     \
            CHECK(tick_monotonic_ns() < until_ns);                                                 \
            far_turn(far);                                                                         \
        }                                                                                          \
    } while (0)

/* A bench with a peer shows its sensors. */
static void far_show(struct far_end *far)
{
    CHECK(link_session_show_sensors(&far->session, &far->sensors) == HAL_OK);
    far_turn(far);
}

#endif
