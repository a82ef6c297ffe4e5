/* The backend "sim", the bench's end; see backend_sim.h. */
#include "backend_sim_state.h"
#include "hal_backend.h"

static int32_t find_sim(struct hal *dev, const void *argument, struct sim **sim)
{
    if (dev == NULL || argument == NULL) {
        return HAL_E_RANGE;
    }
    if (dev->api == NULL) {
        return HAL_E_STATE;
    }
    if (dev->api != &hal_sim_api) {
        return HAL_E_UNSUPPORTED;
    }
    *sim = dev->data;
    return HAL_OK;
}

int32_t hal_sim_attach(struct hal *dev)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, dev, &sim);

    if (found < 0) {
        return found;
    }
    if (sim->bench_has_time == 0) {
        sim->sensors.t_ns = 0;
        sim->sensors.utc_ns = 0;
        sim->bench_has_time = 1;
    }
    return HAL_OK;
}

int32_t hal_sim_write_sensors(struct hal *dev, const struct hal_sim_sensors *sensors)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, sensors, &sim);

    if (found < 0) {
        return found;
    }
    if (sim->bench_has_time != 0 && sensors->t_ns < sim->sensors.t_ns) {
        return HAL_E_RANGE;
    }
    sim->sensors = *sensors;
    sim->bench_has_time = 1;
    return HAL_OK;
}

int32_t hal_sim_read_sensors(struct hal *dev, struct hal_sim_sensors *sensors)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, sensors, &sim);

    if (found < 0) {
        return found;
    }
    sim_take_time(sim);
    *sensors = sim->sensors;
    return HAL_OK;
}

int32_t hal_sim_set_time(struct hal *dev, uint64_t t_ns, int64_t utc_ns)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, dev, &sim);

    if (found < 0) {
        return found;
    }
    if (sim->bench_has_time != 0 && t_ns < sim->sensors.t_ns) {
        return HAL_E_RANGE;
    }
    sim->sensors.t_ns = t_ns;
    sim->sensors.utc_ns = utc_ns;
    sim->bench_has_time = 1;
    return HAL_OK;
}

int32_t hal_sim_read_actuators(struct hal *dev, struct hal_sim_actuators *actuators)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, actuators, &sim);

    if (found < 0) {
        return found;
    }
    *actuators = sim->actuators;
    return HAL_OK;
}

int32_t hal_sim_drain_tx(struct hal *dev, uint8_t *buffer, uint64_t buffer_bytes,
                         uint32_t *lengths_bytes, uint32_t frames_max)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, buffer, &sim);
    int32_t taken = 0;

    if (found < 0 || lengths_bytes == NULL) {
        return found < 0 ? found : HAL_E_RANGE;
    }
    while ((uint32_t)taken < frames_max) {
        int32_t frame_bytes = frame_ring_pop(&sim->tx, buffer, buffer_bytes);

        if (frame_bytes <= 0) {
            break;
        }
        lengths_bytes[taken] = (uint32_t)frame_bytes;
        buffer += frame_bytes;
        buffer_bytes -= (uint64_t)frame_bytes;
        sim->tx_frames_total++;
        taken++;
    }
    return taken;
}

int32_t hal_sim_push_rx(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, frame, &sim);

    if (found < 0) {
        return found;
    }
    if (frame_bytes < 1 || frame_bytes > dev->config->max_frame_bytes) {
        return HAL_E_RANGE;
    }
    if (!frame_ring_push(&sim->rx, frame, frame_bytes)) {
        dev->counters.rx_overflow++;
        return HAL_E_BUSY;
    }
    return (int32_t)sim->rx.count;
}

int32_t hal_sim_fail(struct hal *dev, uint32_t calls, int32_t code)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, dev, &sim);

    if (found < 0) {
        return found;
    }
    if (code >= 0 || code < HAL_E_INHIBITED) {
        return HAL_E_RANGE;
    }
    sim->fail_calls = calls;
    sim->fail_code = code;
    return HAL_OK;
}

int32_t hal_sim_reset(struct hal *dev, uint32_t reset_cause)
{
    struct sim *sim = NULL;
    int32_t found = find_sim(dev, dev, &sim);

    if (found < 0) {
        return found;
    }
    uint64_t kicks = sim->actuators.watchdog_kicks;

    sim->actuators = (struct hal_sim_actuators){.watchdog_kicks = kicks};
    sim->payload_busy_permille = 0;
    sim_reset_terminal(dev);
    sim->sensors.reset_cause = reset_cause;
    sim->sensors.boot_count++;
    return HAL_OK;
}
