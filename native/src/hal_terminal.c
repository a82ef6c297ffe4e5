/* The front of hal.h, the laser terminal: the backend's own, or the one at the far end of a serial line
 * that the configuration names (term_link.h), which then stands in for it behind every backend. */
#include "hal_backend.h"
#include "hal_front.h"
#include "hal_wake.h"
#include "term_link.h"

#define ALIGN 16u

/* All that a terminal shows of itself. */
#define TERMINAL_SENSORS                                                                           \
    (HAL_SENSOR_TERM_FLAGS | HAL_SENSOR_RX_POWER | HAL_SENSOR_TERM_TEMP | HAL_SENSOR_LASER |       \
     HAL_SENSOR_TX_FIFO | HAL_SENSOR_TX_TOTAL | HAL_SENSOR_RX_PENDING | HAL_SENSOR_LASER_ON |      \
     HAL_SENSOR_TARGET_ID)

static struct term_link_config line_config(const struct hal_config *config)
{
    return (struct term_link_config){
        .path = config->terminal->device,
        .baud = config->terminal->baud,
        .tx_fifo_frames = config->tx_fifo_frames,
        .rx_fifo_frames = config->rx_fifo_frames,
        .max_frame_bytes = config->max_frame_bytes,
        .calls = config->terminal->calls,
    };
}

int64_t hal_terminal_bytes(const struct hal_config *config)
{
    if (config->terminal == NULL) {
        return 0;
    }
    const struct term_link_config line = line_config(config);

    return term_link_bytes(&line);
}

uint64_t hal_data_bytes(const struct hal_api *api, const struct hal_config *config)
{
    uint64_t own_bytes = (api->data_bytes(config) + ALIGN - 1) / ALIGN * ALIGN;

    return own_bytes + (uint64_t)hal_terminal_bytes(config);
}

int32_t hal_terminal_open(struct hal *dev, const struct hal_api *api)
{
    if (dev->config->terminal == NULL) {
        return HAL_OK;
    }
    const struct term_link_config line = line_config(dev->config);
    uint64_t bytes = (uint64_t)hal_terminal_bytes(dev->config);
    uint8_t *memory = (uint8_t *)dev->data + hal_data_bytes(api, dev->config) - bytes;

    return term_link_open(&dev->terminal, &line, memory, bytes);
}

void hal_terminal_fill(struct hal *dev, struct hal_frame *frame)
{
    if (dev->terminal == NULL) {
        return;
    }
    frame->valid &= ~(uint32_t)TERMINAL_SENSORS | dev->api->beside_terminal;
    frame->estimated &= ~(uint32_t)TERMINAL_SENSORS | dev->api->beside_terminal;
    term_link_fill(dev->terminal, frame, &dev->counters);
}

int32_t hal_terminal_point(struct hal *dev, uint32_t target_id)
{
    return dev->terminal != NULL ? term_link_point(dev->terminal, target_id)
                                 : dev->api->point_terminal(dev, target_id);
}

/* A board's own inhibit line goes with the laser of a terminal: first dark, last lit is the terminal. */
static int32_t set_inhibit_line(struct hal *dev, uint32_t on)
{
    int32_t answer = dev->api->set_laser(dev, on);

    return answer == HAL_E_UNSUPPORTED ? HAL_OK : answer;
}

static int32_t light(struct hal *dev)
{
    int32_t released = set_inhibit_line(dev, 1);

    if (released < 0) {
        return released;
    }
    int32_t lit = term_link_set_laser(dev->terminal, 1);

    if (lit < 0) {
        (void)set_inhibit_line(dev, 0);
    }
    return lit;
}

static int32_t darken(struct hal *dev)
{
    int32_t told = term_link_set_laser(dev->terminal, 0);
    int32_t inhibited = set_inhibit_line(dev, 0);

    return inhibited < 0 ? inhibited : told;
}

int32_t hal_terminal_set_laser(struct hal *dev, uint32_t on)
{
    if (dev->terminal == NULL) {
        return dev->api->set_laser(dev, on);
    }
    return on != 0 ? light(dev) : darken(dev);
}

int32_t hal_terminal_write(struct hal *dev, uint32_t reg, uint32_t value)
{
    if (dev->terminal == NULL) {
        return dev->api->term_write(dev, reg, value);
    }
    if (reg == TERM_REG_LASER_ENABLE) {
        int32_t set = hal_terminal_set_laser(dev, value);

        return set < 0 ? set : HAL_OK;
    }
    int32_t inhibited = HAL_OK;

    if (reg == TERM_REG_RESET || (reg == TERM_REG_INHIBIT && value != 0)) {
        inhibited = set_inhibit_line(dev, 0);
    }
    int32_t written = term_link_write(dev->terminal, reg, value);

    return written < 0 ? written : inhibited < 0 ? inhibited : HAL_OK;
}

void hal_terminal_plan(struct hal *dev, struct guard_plan *plan)
{
    if (dev->terminal != NULL && plan->count < GUARD_STEPS_MAX) {
        const uint8_t *word = (const uint8_t *)term_link_inhibit_word(dev->terminal);

        plan->steps[plan->count++] = (struct guard_plan_step){
            .kind = GUARD_STORE,
            .offset = (uint64_t)(word - (const uint8_t *)dev->data),
            .value = 1,
        };
    }
}

int32_t hal_submit_frame(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (frame == NULL || frame_bytes < 1 || frame_bytes > dev->config->max_frame_bytes) {
        dev->counters.tx_rejected_size++;
        return HAL_E_RANGE;
    }
    int32_t credits = dev->terminal != NULL ? term_link_submit(dev->terminal, frame, frame_bytes)
                                            : dev->api->submit_frame(dev, frame, frame_bytes);

    if (credits >= 0) {
        dev->counters.tx_accepted++;
    } else if (credits == HAL_E_BUSY) {
        dev->counters.tx_rejected_full++;
    } else {
        dev->counters.tx_failed++;
    }
    return credits;
}

int32_t hal_receive_frame(struct hal *dev, uint8_t *buffer, uint32_t buffer_bytes)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (buffer == NULL) {
        return HAL_E_RANGE;
    }
    int32_t frame_bytes = dev->terminal != NULL
                              ? term_link_receive(dev->terminal, buffer, buffer_bytes)
                              : dev->api->receive_frame(dev, buffer, buffer_bytes);

    if (frame_bytes > 0) {
        dev->counters.rx_delivered++;
    } else if (frame_bytes == HAL_E_RANGE) {
        dev->counters.rx_too_long++;
    } else if (frame_bytes < 0) {
        dev->counters.rx_failed++;
    }
    return frame_bytes;
}

int32_t hal_term_read(struct hal *dev, uint32_t first, uint32_t count, uint32_t *values)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (values == NULL || count < 1 || first >= TERM_REG_COUNT || count > TERM_REG_COUNT - first) {
        return HAL_E_RANGE;
    }
    return dev->terminal != NULL ? term_link_read(dev->terminal, first, count, values)
                                 : dev->api->term_read(dev, first, count, values);
}

int32_t hal_term_line(struct hal *dev, struct term_link_view *view)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (view == NULL) {
        return HAL_E_RANGE;
    }
    return dev->terminal == NULL ? HAL_E_UNSUPPORTED : term_link_look(dev->terminal, view);
}

int32_t hal_receive_fd(struct hal *dev)
{
    int32_t state = hal_test_open(dev);

    if (state < 0) {
        return state;
    }
    if (dev->terminal != NULL) {
        return term_link_receive_fd(dev->terminal);
    }
    return dev->api->receive_fd != NULL ? dev->api->receive_fd(dev) : HAL_E_UNSUPPORTED;
}
