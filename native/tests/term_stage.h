/*
 * term_stage.h - a laser terminal for tests of its client: a register map behind a session of the
 * bench link, without optics. It obeys what it is told, and keeps what it was told in order.
 */
#ifndef LUMENODE_TERM_STAGE_H
#define LUMENODE_TERM_STAGE_H

#include "check.h"
#include "hal.h"
#include "link_session.h"
#include "terminal_registers.h"

#include <string.h>

enum { STAGE_FRAMES = 4, STAGE_FRAME_BYTES = 6000, STAGE_WRITES = 64 };

struct stage {
    struct link_session session;
    struct link_ring tx; /* towards the node: "received by light" */
    struct link_ring rx; /* from the node: the terminal's transmit FIFO */
    uint64_t tx_memory[STAGE_FRAMES * (STAGE_FRAME_BYTES + 8) / 8];
    uint64_t rx_memory[STAGE_FRAMES * (STAGE_FRAME_BYTES + 8) / 8];
    uint32_t regs[TERM_REG_COUNT];
    struct link_credit light;
    uint32_t written_reg[STAGE_WRITES]; /* in the order in which they came, repeats too */
    uint32_t written_value[STAGE_WRITES];
    uint32_t written;
    uint32_t mute;    /* 1: answers no reading and no writing */
    uint32_t refuses; /* 1: refuses every write */
};

static void stage_open(struct stage *stage, uint32_t seed, uint64_t now_ns)
{
    const struct link_session_config config = {
        .role = LINK_ROLE_TERMINAL,
        .mode = LINK_MODE_FREE_RUN,
        .payload_bytes = LINK_PAYLOAD_BYTES_MAX,
        .seed = seed,
        .tx = &stage->tx,
        .rx = &stage->rx,
    };

    memset(stage, 0, sizeof *stage);
    (void)link_ring_init(&stage->tx, (uint8_t *)stage->tx_memory, STAGE_FRAMES, STAGE_FRAME_BYTES);
    (void)link_ring_init(&stage->rx, (uint8_t *)stage->rx_memory, STAGE_FRAMES, STAGE_FRAME_BYTES);
    stage->regs[TERM_REG_MAGIC] = TERM_MAGIC;
    link_session_init(&stage->session, &config, now_ns);
}

static void stage_answer(struct stage *stage, uint32_t id, uint32_t first, uint32_t count,
                         int32_t code)
{
    uint8_t payload[LINK_REG_VALUES_BYTES + 4 * TERM_REG_COUNT];
    const struct link_reg_values head = {
        .id = id,
        .first = (uint16_t)first,
        .count = (uint16_t)count,
        .code = code,
    };
    uint32_t filled = link_put_reg_values(&head, payload);

    for (uint32_t i = 0; i < count; i++) {
        const struct link_word word = {stage->regs[first + i]};

        filled += link_put_word(&word, payload + filled);
    }
    CHECK(link_session_post(&stage->session, LINK_REG_VALUES, payload, filled) == HAL_OK);
}

static void stage_write(struct stage *stage, const uint8_t *payload)
{
    struct link_reg_write write;

    link_get_reg_write(payload, &write);
    CHECK(terminal_register_check(write.reg, write.value) == HAL_OK);
    CHECK(stage->written < STAGE_WRITES);
    stage->written_reg[stage->written] = write.reg;
    stage->written_value[stage->written++] = write.value;
    if (stage->mute != 0) {
        return;
    }
    if (stage->refuses != 0) {
        stage_answer(stage, write.id, write.reg, 0, HAL_E_IO);
        return;
    }
    if (write.reg == TERM_REG_RESET) {
        memset(stage->regs + TERM_REG_TARGET_ID, 0,
               (TERM_REG_RESET - TERM_REG_TARGET_ID) * sizeof stage->regs[0]);
    } else {
        stage->regs[write.reg] = write.value;
    }
    if (write.reg == TERM_REG_INHIBIT && write.value != 0) {
        stage->regs[TERM_REG_LASER_ENABLE] = 0;
    }
    stage_answer(stage, write.id, write.reg, 1, HAL_OK);
}

static void stage_take(struct stage *stage, const struct link_event *event)
{
    struct link_reg_read read;

    if (event->type == LINK_EVENT_UP) {
        stage->regs[TERM_REG_LASER_ENABLE] = 0;
    }
    if (event->type != LINK_EVENT_MESSAGE) {
        return;
    }
    if (event->message.header.type == LINK_REG_READ && stage->mute == 0) {
        link_get_reg_read(event->message.payload, &read);
        stage_answer(stage, read.id, read.first, read.count, HAL_OK);
    } else if (event->message.header.type == LINK_REG_WRITE) {
        stage_write(stage, event->message.payload);
    }
}

static void stage_feed(struct stage *stage, const uint8_t *octets, uint32_t bytes, uint64_t now_ns)
{
    struct link_event event = {.type = LINK_EVENT_NONE};
    uint32_t at = 0;

    do {
        at += link_session_feed(&stage->session, octets + at, bytes - at, now_ns, &event);
        stage_take(stage, &event);
    } while (event.type != LINK_EVENT_NONE || at < bytes);
}

static void stage_step(struct stage *stage, uint64_t now_ns)
{
    struct link_event event;

    do {
        (void)link_session_step(&stage->session, now_ns, &event);
        stage_take(stage, &event);
    } while (event.type != LINK_EVENT_NONE);
}

/* So many of the frames that wait leave by light. */
static void stage_send_by_light(struct stage *stage, uint32_t frames, uint64_t now_ns)
{
    for (uint32_t i = 0; i < frames; i++) {
        CHECK(link_ring_count(&stage->rx) > 0);
        link_ring_drop(&stage->rx);
        stage->light.frames_by_light++;
    }
    link_session_tell_light(&stage->session, &stage->light, now_ns);
}

#endif
