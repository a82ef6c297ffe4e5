/* The backend "sim", the node's end: what the bench wrote is read, what is set the bench can read.
 * Everything lives in the arena. */
#include "backend_sim_state.h"
#include "hal_backend.h"
#include "shared_word.h"
#include "tick.h"

#include <string.h>

_Static_assert(sizeof(struct hal_sim_sensors) == 88, "no padding: the bench packs it");
_Static_assert(sizeof(struct sim) % 8 == 0, "the rings behind it need alignment");

/* A node at rest: dawn-dusk orbit in full sun, battery of eight cells nearly full, board idle. */
static const struct hal_sim_sensors AT_REST = {
    .valid = HAL_SENSOR_ALL,
    .array_mw = 40000,
    .bus_mw = 18000,
    .battery_mv = 32400,
    .battery_ma = -650,
    .battery_mdegc = 18000,
    .payload_mw = 0,
    .laser_mw = 0,
    .die_mdegc = 24000,
    .sink_mdegc = 22000,
    .radiator_mdegc = 8000,
    .sun_permille = 1000,
    .term_flags = 0,
    .rx_power_mdbm = -70000,
    .term_mdegc = 17000,
    .reset_cause = HAL_RESET_POWER_CUT,
    .boot_count = 1,
};

static uint64_t sim_data_bytes(const struct hal_config *config)
{
    uint64_t frames = (uint64_t)config->tx_fifo_frames + config->rx_fifo_frames;

    return sizeof(struct sim) + frames * (sizeof(uint32_t) + config->max_frame_bytes);
}

static int32_t sim_open(struct hal *dev)
{
    const struct hal_config *config = dev->config;
    struct sim *sim = dev->data;
    uint32_t *lengths = (uint32_t *)(sim + 1);
    uint8_t *slots = (uint8_t *)(lengths + config->tx_fifo_frames + config->rx_fifo_frames);

    *sim = (struct sim){.sensors = AT_REST};
    sim->tx = (struct frame_ring){
        .lengths_bytes = lengths,
        .slots = slots,
        .slot_bytes = config->max_frame_bytes,
        .capacity = config->tx_fifo_frames,
    };
    sim->rx = (struct frame_ring){
        .lengths_bytes = lengths + config->tx_fifo_frames,
        .slots = slots + (size_t)config->tx_fifo_frames * config->max_frame_bytes,
        .slot_bytes = config->max_frame_bytes,
        .capacity = config->rx_fifo_frames,
    };
    sim_reset_terminal(dev);
    return HAL_OK;
}

static void sim_close(struct hal *dev)
{
    (void)dev; /* the arena is the caller's; there is nothing to give back */
}

void sim_take_time(struct sim *sim)
{
    if (sim->bench_has_time == 0) {
        sim->sensors.t_ns = tick_monotonic_ns();
        sim->sensors.utc_ns = tick_utc_ns();
    }
}

static int fails(const struct sim *sim, uint32_t call)
{
    return (sim->fail_calls & call) != 0;
}

static int32_t sim_snapshot(struct hal *dev, struct hal_frame *frame)
{
    struct sim *sim = dev->data;
    const struct hal_sim_sensors *s = &sim->sensors;

    if (fails(sim, HAL_SIM_CALL_SNAPSHOT)) {
        return sim->fail_code;
    }
    sim_take_time(sim);
    frame->t_ns = s->t_ns;
    frame->utc_ns = s->utc_ns;
    frame->valid = s->valid;
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
    frame->tx_fifo_free = sim->tx.capacity - sim->tx.count;
    frame->tx_frames_total = sim->tx_frames_total;
    frame->rx_pending = sim->rx.count;
    frame->payload_level = shared_word_load(&sim->actuators.payload_level);
    frame->laser_on = shared_word_load(&sim->actuators.laser_on);
    frame->target_id = sim->actuators.target_id;
    frame->heater_on = sim->actuators.heater_on;
    frame->reset_cause = s->reset_cause;
    frame->boot_count = s->boot_count;
    frame->throttle_live = 0; /* a simulated board never slows itself down */
    frame->throttle_latched = 0;
    frame->payload_busy_permille = sim->payload_busy_permille;
    frame->estimated = 0;
    return HAL_OK;
}

/* A stuck actuator keeps what it has; the read-back tells. */
static int32_t actuate(const struct sim *sim, uint32_t call, uint32_t actuator, uint32_t *held,
                       uint32_t value)
{
    if (fails(sim, call)) {
        return sim->fail_code;
    }
    if ((sim->sensors.stuck & actuator) == 0) {
        shared_word_store(held, value);
    }
    return (int32_t)shared_word_load(held);
}

static int32_t sim_set_payload_level(struct hal *dev, uint32_t level)
{
    struct sim *sim = dev->data;

    return actuate(sim, HAL_SIM_CALL_PAYLOAD_LEVEL, HAL_SIM_PAYLOAD_LEVEL,
                   &sim->actuators.payload_level, level);
}

static int32_t sim_set_heater(struct hal *dev, uint32_t on)
{
    struct sim *sim = dev->data;

    return actuate(sim, HAL_SIM_CALL_HEATER, HAL_SIM_HEATER, &sim->actuators.heater_on, on);
}

static int32_t sim_point_terminal(struct hal *dev, uint32_t target_id)
{
    struct sim *sim = dev->data;

    return actuate(sim, HAL_SIM_CALL_TARGET, HAL_SIM_TARGET, &sim->actuators.target_id, target_id);
}

static int32_t sim_set_laser(struct hal *dev, uint32_t on)
{
    struct sim *sim = dev->data;

    return actuate(sim, HAL_SIM_CALL_LASER, HAL_SIM_LASER, &sim->actuators.laser_on,
                   shared_word_load(&sim->term_inhibit) == 0 ? on : 0);
}

static int32_t sim_submit_frame(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes)
{
    struct sim *sim = dev->data;

    if (fails(sim, HAL_SIM_CALL_SUBMIT)) {
        return sim->fail_code;
    }
    if (!frame_ring_push(&sim->tx, frame, frame_bytes)) {
        return HAL_E_BUSY;
    }
    return (int32_t)(sim->tx.capacity - sim->tx.count);
}

static int32_t sim_receive_frame(struct hal *dev, uint8_t *buffer, uint32_t buffer_bytes)
{
    struct sim *sim = dev->data;

    if (fails(sim, HAL_SIM_CALL_RECEIVE)) {
        return sim->fail_code;
    }
    return frame_ring_pop(&sim->rx, buffer, buffer_bytes);
}

static int32_t sim_kick_watchdog(struct hal *dev)
{
    struct sim *sim = dev->data;

    if (fails(sim, HAL_SIM_CALL_WATCHDOG)) {
        return sim->fail_code;
    }
    sim->actuators.watchdog_kicks++;
    return HAL_OK;
}

static int32_t sim_set_payload_busy(struct hal *dev, uint32_t permille)
{
    struct sim *sim = dev->data;

    sim->payload_busy_permille = permille;
    return (int32_t)permille;
}

static struct guard_plan_step store(size_t offset, uint32_t value)
{
    return (struct guard_plan_step){.kind = GUARD_STORE, .offset = offset, .value = value};
}

/* Words of the arena: what a stuck actuator holds is let go as well. */
static int32_t sim_safe_plan(struct hal *dev, struct guard_plan *plan)
{
    (void)dev;
    plan->steps[plan->count++] = store(offsetof(struct sim, term_inhibit), 1);
    plan->steps[plan->count++] = store(offsetof(struct sim, actuators.laser_on), 0);
    plan->steps[plan->count++] = store(offsetof(struct sim, actuators.payload_level), 0);
    return HAL_OK;
}

const struct hal_api hal_sim_api = {
    .name = "sim",
    .data_bytes = sim_data_bytes,
    .open = sim_open,
    .close = sim_close,
    .snapshot = sim_snapshot,
    .set_payload_level = sim_set_payload_level,
    .set_heater = sim_set_heater,
    .point_terminal = sim_point_terminal,
    .set_laser = sim_set_laser,
    .submit_frame = sim_submit_frame,
    .receive_frame = sim_receive_frame,
    .kick_watchdog = sim_kick_watchdog,
    .set_payload_busy = sim_set_payload_busy,
    .term_read = sim_term_read,
    .term_write = sim_term_write,
    .safe_plan = sim_safe_plan,
};
