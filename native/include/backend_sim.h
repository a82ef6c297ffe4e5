/*
 * backend_sim.h - the bench's side of the backend "sim".
 *
 * The flight software holds one end of the device through hal.h; the bench holds the other end
 * through these functions: it writes what the sensors show, reads what the actuators were told,
 * takes the frames the laser sent and feeds the ones it received. Both ends are the same
 * `struct hal`, in one thread.
 *
 * Until a bench attaches the sensors show a node at rest in full sun, every bit valid, and the time
 * is the machine's own; from then on time, too, is only what the bench writes.
 *
 * Every function returns HAL_E_STATE when the device is closed, HAL_E_UNSUPPORTED when it is not a
 * "sim" device, HAL_E_RANGE for NULL.
 */
#ifndef LUMENODE_BACKEND_SIM_H
#define LUMENODE_BACKEND_SIM_H

#include "hal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Actuators that can be stuck; bits of hal_sim_sensors.stuck. */
enum hal_sim_actuator {
    HAL_SIM_PAYLOAD_LEVEL = 1 << 0,
    HAL_SIM_LASER = 1 << 1,
    HAL_SIM_TARGET = 1 << 2,
    HAL_SIM_HEATER = 1 << 3
};

/* Calls of the node's side that can be made to fail; bits of hal_sim_fail(). */
enum hal_sim_call {
    HAL_SIM_CALL_SNAPSHOT = 1 << 0,
    HAL_SIM_CALL_PAYLOAD_LEVEL = 1 << 1,
    HAL_SIM_CALL_HEATER = 1 << 2,
    HAL_SIM_CALL_TARGET = 1 << 3,
    HAL_SIM_CALL_LASER = 1 << 4,
    HAL_SIM_CALL_SUBMIT = 1 << 5,
    HAL_SIM_CALL_RECEIVE = 1 << 6,
    HAL_SIM_CALL_WATCHDOG = 1 << 7
};

/* What the bench decides: names, units and meaning as in struct hal_frame. Without padding. */
struct hal_sim_sensors {
    uint64_t t_ns; /* must not go back: HAL_E_RANGE, nothing is written */
    int64_t utc_ns;
    uint32_t valid; /* enum hal_sensor_bit, of every field of the frame, read-backs included */
    uint32_t
        stuck; /* enum hal_sim_actuator: these ignore the setters and read back the old value */
    int32_t array_mw;
    int32_t bus_mw;
    int32_t battery_mv;
    int32_t battery_ma;
    int32_t battery_mdegc;
    int32_t payload_mw;
    int32_t laser_mw;
    int32_t die_mdegc;
    int32_t sink_mdegc;
    int32_t radiator_mdegc;
    int32_t sun_permille;
    uint32_t term_flags;
    int32_t rx_power_mdbm;
    int32_t term_mdegc;
    uint32_t reset_cause;
    uint32_t boot_count;
};

/* What the flight software told the node. */
struct hal_sim_actuators {
    uint32_t payload_level;
    uint32_t laser_on;
    uint32_t target_id;
    uint32_t heater_on;
    uint64_t watchdog_kicks;
};

/* Takes the device's time over: 0, with UTC 0, until it is written. Once taken it stays; attaching
 * again changes nothing. The writers below attach by themselves. Worst case 1 us. */
int32_t hal_sim_attach(struct hal *dev);

/* All sensors in one call. Worst case 2 us. */
int32_t hal_sim_write_sensors(struct hal *dev, const struct hal_sim_sensors *sensors);

/* What the sensors show now; for a bench that changes a few fields. Worst case 2 us. */
int32_t hal_sim_read_sensors(struct hal *dev, struct hal_sim_sensors *sensors);

/* Only the time, the rest stays. HAL_E_RANGE when t_ns goes back. Worst case 1 us. */
int32_t hal_sim_set_time(struct hal *dev, uint64_t t_ns, int64_t utc_ns);

/* All actuators in one call. Worst case 1 us. */
int32_t hal_sim_read_actuators(struct hal *dev, struct hal_sim_actuators *actuators);

/*
 * Takes up to `frames_max` of the oldest transmitted frames, end to end, into `buffer`;
 * `lengths_bytes[i]` (room for frames_max) is the length of each. It stops before a frame that no
 * longer fits. Each frame taken gives back one credit and counts in tx_frames_total.
 * @return frames taken, zero or more. Worst case 60 us a frame.
 */
int32_t hal_sim_drain_tx(struct hal *dev, uint8_t *buffer, uint64_t buffer_bytes,
                         uint32_t *lengths_bytes, uint32_t frames_max);

/*
 * The terminal received this frame. @return frames now pending, 1 or more. HAL_E_BUSY: the receive
 * FIFO is full; the frame is lost and counts in rx_overflow. HAL_E_RANGE: empty or too long.
 * Worst case 60 us.
 */
int32_t hal_sim_push_rx(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes);

/*
 * From now on the calls in the mask `calls` fail with `code` and do nothing else; an empty mask
 * heals them all. HAL_E_RANGE: `code` is not a negative value of enum hal_err. Worst case 1 us.
 */
int32_t hal_sim_fail(struct hal *dev, uint32_t calls, int32_t code);

/*
 * What a reset does to the hardware: actuators off and stowed, both FIFOs emptied (the frames are
 * lost: tx_flushed, rx_flushed), boot_count one more, reset_cause as given. Counters and time go
 * on. Worst case 2 us.
 */
int32_t hal_sim_reset(struct hal *dev, uint32_t reset_cause);

#ifdef __cplusplus
}
#endif

#endif
