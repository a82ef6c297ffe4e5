/* What the flight thread asks of a terminal's client, answered from memory; see term_link.h. */
#include "hal.h"
#include "linux_syscalls.h"
#include "term_link_state.h"

#include <string.h>
#include <unistd.h>

void term_link_wake(const struct term_link *link)
{
    const uint64_t one = 1;

    (void)write(link->wake_fd, &one, sizeof one);
}

static int is_stale(const struct term_link *link, const struct term_link_view *view)
{
    uint64_t now_ns = link->sys->now_ns(link->sys->context);

    return view->regs_t_ns == 0 || now_ns - view->regs_t_ns > TERM_LINK_STALE_NS;
}

int32_t term_link_read(struct term_link *link, uint32_t first, uint32_t count, uint32_t *values)
{
    if (link == NULL || values == NULL || count < 1 || first >= TERM_REG_COUNT ||
        count > TERM_REG_COUNT - first) {
        return HAL_E_RANGE;
    }
    const struct term_link_view *view = term_client_look(&link->client);

    if (is_stale(link, view)) {
        return HAL_E_STALE;
    }
    memcpy(values, view->regs + first, (size_t)count * sizeof *values);
    return HAL_OK;
}

int32_t term_link_write(struct term_link *link, uint32_t reg, uint32_t value)
{
    int32_t allowed = link == NULL ? HAL_E_RANGE : terminal_register_check(reg, value);

    if (allowed < 0) {
        return allowed;
    }
    int32_t ordered = term_client_order(&link->client, reg, value);

    term_link_wake(link);
    return ordered;
}

/* A setter's answer: what was asked for, unless it is known that it cannot be. */
static int32_t answer(int32_t written, uint32_t value)
{
    return written < 0 ? written : (int32_t)value;
}

int32_t term_link_set_laser(struct term_link *link, uint32_t on)
{
    return answer(term_link_write(link, TERM_REG_LASER_ENABLE, on), on);
}

int32_t term_link_point(struct term_link *link, uint32_t target_id)
{
    return answer(term_link_write(link, TERM_REG_TARGET_ID, target_id), target_id);
}

int32_t term_link_submit(struct term_link *link, const uint8_t *frame, uint32_t frame_bytes)
{
    if (link == NULL || frame == NULL || frame_bytes < 1 ||
        frame_bytes > link->config.max_frame_bytes) {
        return HAL_E_RANGE;
    }
    const struct term_link_view *view = term_client_look(&link->client);
    uint32_t room = term_link_credit(link);

    if (view->frame_bytes_max != 0 && frame_bytes > view->frame_bytes_max) {
        return HAL_E_RANGE;
    }
    if (room == 0 || !link_ring_push(&link->client.tx, frame, frame_bytes)) {
        return HAL_E_BUSY;
    }
    term_link_wake(link);
    return (int32_t)(room - 1);
}

int32_t term_link_receive(struct term_link *link, uint8_t *buffer, uint32_t buffer_bytes)
{
    if (link == NULL || buffer == NULL) {
        return HAL_E_RANGE;
    }
    int32_t taken = link_ring_pop(&link->client.rx, buffer, buffer_bytes);

    if (taken > 0) {
        term_link_wake(link); /* the room is credit for the terminal */
    }
    return taken;
}

int32_t term_link_receive_fd(const struct term_link *link)
{
    return link == NULL ? HAL_E_RANGE : link->frames_fd;
}

uint32_t term_link_credit(const struct term_link *link)
{
    return link_frames_room(&link->client.session.out);
}

uint32_t term_link_pending(const struct term_link *link)
{
    return link_ring_count(&link->client.rx);
}

int32_t term_link_look(struct term_link *link, struct term_link_view *view)
{
    if (link == NULL || view == NULL) {
        return HAL_E_RANGE;
    }
    *view = *term_client_look(&link->client);
    return HAL_OK;
}

/* A register, when there is a value in it. */
static void show_word(const struct term_link_view *view, uint32_t reg, uint32_t bit,
                      uint32_t *field, uint32_t *valid)
{
    if (view->regs[reg] != TERM_ABSENT) {
        *field = view->regs[reg];
        *valid |= bit;
    }
}

/* The same for a signed one. */
static void show(const struct term_link_view *view, uint32_t reg, uint32_t bit, int32_t *field,
                 uint32_t *valid)
{
    if (view->regs[reg] != TERM_ABSENT) {
        *field = (int32_t)view->regs[reg];
        *valid |= bit;
    }
}

static void show_hottest(const struct term_link_view *view, struct hal_frame *frame)
{
    frame->term_mdegc = INT32_MIN; /* what TERM_ABSENT is, signed */
    for (uint32_t reg = TERM_REG_LASER_MDEGC; reg <= TERM_REG_ELECTRONICS_MDEGC; reg++) {
        if ((int32_t)view->regs[reg] > frame->term_mdegc) {
            frame->term_mdegc = (int32_t)view->regs[reg];
            frame->valid |= HAL_SENSOR_TERM_TEMP;
        }
    }
}

void term_link_fill(struct term_link *link, struct hal_frame *frame, struct hal_counters *counters)
{
    const struct term_link_view *view = term_client_look(&link->client);

    frame->tx_fifo_free = term_link_credit(link);
    frame->tx_frames_total = view->counters.tx_by_light;
    frame->rx_pending = term_link_pending(link);
    frame->valid |= HAL_SENSOR_TX_FIFO | HAL_SENSOR_TX_TOTAL | HAL_SENSOR_RX_PENDING;
    counters->tx_flushed = view->counters.tx_flushed;
    counters->rx_overflow = view->counters.rx_overflow;
    if (is_stale(link, view)) {
        return;
    }
    show_word(view, TERM_REG_FLAGS, HAL_SENSOR_TERM_FLAGS, &frame->term_flags, &frame->valid);
    show_word(view, TERM_REG_LASER_ENABLE, HAL_SENSOR_LASER_ON, &frame->laser_on, &frame->valid);
    show_word(view, TERM_REG_TARGET_ID, HAL_SENSOR_TARGET_ID, &frame->target_id, &frame->valid);
    show(view, TERM_REG_RX_POWER_MDBM, HAL_SENSOR_RX_POWER, &frame->rx_power_mdbm, &frame->valid);
    show(view, TERM_REG_POWER_MW, HAL_SENSOR_LASER, &frame->laser_mw, &frame->valid);
    show_hottest(view, frame);
}

uint32_t *term_link_inhibit_word(struct term_link *link)
{
    return &link->client.inhibit;
}
