/* The backend "link": what is sensed and what is set, from memory and into memory, whatever the line
 * does; see backend_link.h. */
#include "backend_link_state.h"
#include "shared_word.h"
#include "tick.h"

#include <string.h>

#define LOCAL_BITS ((uint32_t)(HAL_SENSOR_TX_FIFO | HAL_SENSOR_RX_PENDING))
#define READ_BACK_BITS                                                                             \
    ((uint32_t)(HAL_SENSOR_PAYLOAD_LEVEL | HAL_SENSOR_LASER_ON | HAL_SENSOR_TARGET_ID |            \
                HAL_SENSOR_HEATER_ON))
#define NS_PER_MS 1000000u

enum { ASKED_LEVEL, ASKED_LASER, ASKED_TARGET, ASKED_HEATER };

static int is_fresh(const struct link_device *device, const struct link_view *view, uint64_t now_ns)
{
    return view->status.phase == HAL_LINK_UP && view->sensors_known != 0 &&
           (device->config->mode == LINK_MODE_LOCK_STEP ||
            now_ns - view->sensors_ns <= (uint64_t)device->config->stale_ms * NS_PER_MS);
}

static void fill_time(struct link_device *device, const struct link_view *view, uint64_t now_ns,
                      struct hal_frame *frame)
{
    const struct hal_sim_sensors *s = &view->sensors.sensors;
    int free_run = device->config->mode == LINK_MODE_FREE_RUN;
    uint64_t t_ns = free_run ? now_ns : s->t_ns;

    /* A bench that restarted begins at zero; time goes on from where it was. */
    device->last_t_ns = t_ns > device->last_t_ns ? t_ns : device->last_t_ns;
    frame->t_ns = device->last_t_ns;
    if (view->status.sensors_seen == 0) {
        frame->utc_ns = free_run ? tick_utc_ns() : 0;
    } else {
        uint64_t age_ns = free_run ? now_ns - view->sensors_ns : 0;

        frame->utc_ns = (int64_t)((uint64_t)s->utc_ns + age_ns);
    }
}

static void fill_sensors(const struct link_view *view, struct hal_frame *frame)
{
    const struct hal_sim_sensors *s = &view->sensors.sensors;

    frame->array_mw = s->array_mw;
    frame->bus_mw = s->bus_mw;
    frame->battery_mv = s->battery_mv;
    frame->battery_ma = s->battery_ma;
    frame->battery_mdegc = s->battery_mdegc;
    frame->payload_mw = s->payload_mw;
    frame->laser_mw = s->laser_mw;
    frame->die_mdegc = s->die_mdegc;
    frame->sink_mdegc = s->sink_mdegc;
    frame->radiator_mdegc = s->radiator_mdegc;
    frame->sun_permille = s->sun_permille;
    frame->term_flags = s->term_flags;
    frame->rx_power_mdbm = s->rx_power_mdbm;
    frame->term_mdegc = s->term_mdegc;
    frame->reset_cause = s->reset_cause;
    frame->boot_count = s->boot_count;
    frame->throttle_live = view->sensors.throttle_live;
    frame->estimated = view->sensors.estimated;
}

/* Counts a setter's value that was not taken, once, when its read-back is there. */
static void judge(struct hal *dev, const struct link_view *view, uint32_t which, uint32_t read_back,
                  const uint32_t *asked)
{
    struct link_device *device = dev->data;
    uint64_t serial = device->asked_serial[which];

    if (serial == 0 || view->actuated_serial < serial || view->actuated_known == 0) {
        return;
    }
    device->asked_serial[which] = 0;
    dev->counters.readback_differs += read_back != shared_word_load(asked);
}

static void fill_actuators(struct hal *dev, const struct link_view *view, struct hal_frame *frame)
{
    struct link_device *device = dev->data;
    const struct link_actuators *actuated = &view->actuated;
    const struct link_orders *orders = &device->orders;

    frame->payload_level = actuated->payload_level;
    frame->laser_on = actuated->laser_on;
    frame->target_id = actuated->target_id;
    frame->heater_on = actuated->heater_on;
    frame->payload_busy_permille = shared_word_load(&orders->payload_busy_permille);
    judge(dev, view, ASKED_LEVEL, actuated->payload_level, &orders->payload_level);
    judge(dev, view, ASKED_LASER, actuated->laser_on, &orders->laser_on);
    judge(dev, view, ASKED_TARGET, actuated->target_id, &orders->target_id);
    judge(dev, view, ASKED_HEATER, actuated->heater_on, &orders->heater_on);
}

int32_t link_snapshot(struct hal *dev, struct hal_frame *frame)
{
    struct link_device *device = dev->data;
    const struct link_view *view = link_device_view(device);
    uint64_t now_ns = tick_monotonic_ns();

    if (view->status.phase == HAL_LINK_RESET) {
        return HAL_E_NODEV;
    }
    fill_time(device, view, now_ns, frame);
    fill_sensors(view, frame);
    fill_actuators(dev, view, frame);
    frame->valid = LOCAL_BITS;
    if (is_fresh(device, view, now_ns)) {
        frame->valid = view->sensors.sensors.valid;
        frame->valid &= view->actuated_known != 0 ? ~0u : ~READ_BACK_BITS;
    }
    frame->throttle_latched = atomic_load(&device->throttle_latched);
    frame->tx_fifo_free = link_frames_room(&device->session.out);
    frame->tx_frames_total = view->light.frames_by_light;
    frame->rx_pending = link_ring_count(&device->rx);
    dev->counters.rx_overflow = view->light.frames_overflowed + view->status.frames_overflowed;
    dev->counters.tx_flushed = view->light.frames_flushed + view->status.frames_flushed;
    return HAL_OK;
}

static void give_order(struct link_device *device, uint32_t *word, uint32_t value)
{
    shared_word_store(word, value);
    (void)atomic_fetch_add(&device->serial, 1);
    if (device->config->mode == LINK_MODE_FREE_RUN) {
        link_device_wake(device);
    }
}

static int32_t ask(struct hal *dev, uint32_t which, uint32_t *word, uint32_t value)
{
    struct link_device *device = dev->data;

    if (link_device_dead(device)) {
        return HAL_E_NODEV;
    }
    give_order(device, word, value);
    device->asked_serial[which] = atomic_load(&device->serial);
    return (int32_t)value;
}

int32_t link_set_payload_level(struct hal *dev, uint32_t level)
{
    struct link_device *device = dev->data;

    return ask(dev, ASKED_LEVEL, &device->orders.payload_level, level);
}

int32_t link_set_heater(struct hal *dev, uint32_t on)
{
    struct link_device *device = dev->data;

    return ask(dev, ASKED_HEATER, &device->orders.heater_on, on);
}

int32_t link_point_terminal(struct hal *dev, uint32_t target_id)
{
    struct link_device *device = dev->data;

    return ask(dev, ASKED_TARGET, &device->orders.target_id, target_id);
}

int32_t link_set_laser(struct hal *dev, uint32_t on)
{
    struct link_device *device = dev->data;

    uint32_t allowed = shared_word_load(&device->orders.inhibit) == 0 ? on : 0;

    return ask(dev, ASKED_LASER, &device->orders.laser_on, allowed);
}

int32_t link_set_payload_busy(struct hal *dev, uint32_t permille)
{
    struct link_device *device = dev->data;

    if (link_device_dead(device)) {
        return HAL_E_NODEV;
    }
    give_order(device, &device->orders.payload_busy_permille, permille);
    return (int32_t)permille;
}

int32_t link_kick_watchdog(struct hal *dev)
{
    struct link_device *device = dev->data;

    if (link_device_dead(device)) {
        return HAL_E_NODEV;
    }
    (void)atomic_fetch_add(&device->kicks, 1);
    if (link_device_view(device)->status.phase != HAL_LINK_UP) {
        return HAL_E_IO; /* it will be told, but who watches now does not hear it */
    }
    if (device->config->mode == LINK_MODE_FREE_RUN) {
        link_device_wake(device);
    }
    return HAL_OK;
}

/* Read with every period, or tick; one missing answer is no silence yet. */
static int registers_are_fresh(const struct link_device *device, const struct link_view *view)
{
    uint64_t age_ns = tick_monotonic_ns() - view->register_ns;

    return view->status.phase == HAL_LINK_UP && view->register_known != 0 &&
           (device->config->mode == LINK_MODE_LOCK_STEP ||
            age_ns <= (uint64_t)device->config->stale_ms * NS_PER_MS);
}

int32_t link_term_read(struct hal *dev, uint32_t first, uint32_t count, uint32_t *values)
{
    struct link_device *device = dev->data;
    const struct link_view *view = link_device_view(device);

    if (view->status.phase == HAL_LINK_RESET) {
        return HAL_E_NODEV;
    }
    if (view->status.phase == HAL_LINK_UP && view->register_code < 0) {
        return view->register_code;
    }
    if (!registers_are_fresh(device, view)) {
        return HAL_E_STALE;
    }
    memcpy(values, view->registers + first, count * sizeof values[0]);
    return HAL_OK;
}

int32_t link_term_write(struct hal *dev, uint32_t reg, uint32_t value)
{
    struct link_device *device = dev->data;
    const struct link_register_order order = {.reg = reg, .value = value};

    if (link_device_dead(device)) {
        return HAL_E_NODEV;
    }
    if (reg == TERM_REG_TARGET_ID) {
        (void)link_point_terminal(dev, value);
        return HAL_OK;
    }
    if (reg == TERM_REG_LASER_ENABLE) {
        (void)link_set_laser(dev, value);
        return HAL_OK;
    }
    if (reg == TERM_REG_INHIBIT) {
        shared_word_store(&device->orders.inhibit, value);
        if (value != 0) {
            (void)link_set_laser(dev, 0);
        }
        link_device_wake(device);
        return HAL_OK;
    }
    if (!link_ring_push(&device->writes, (const uint8_t *)&order, sizeof order)) {
        return HAL_E_BUSY;
    }
    link_device_wake(device);
    return HAL_OK;
}
