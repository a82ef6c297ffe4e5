/*
 * backend_sim_state.h - the state behind a "sim" device, shared by its two ends: backend_sim.c (the
 * node's) and backend_sim_bench.c (the bench's).
 */
#ifndef LUMENODE_BACKEND_SIM_STATE_H
#define LUMENODE_BACKEND_SIM_STATE_H

#include "backend_sim.h"
#include "frame_ring.h"

struct sim {
    struct hal_sim_sensors sensors;
    struct hal_sim_actuators actuators;
    struct frame_ring tx;
    struct frame_ring rx;
    uint64_t tx_frames_total;
    uint32_t term_inhibit;      /* registers of the terminal that the sensors do not show */
    uint32_t term_azimuth_udeg; /* two's complement */
    uint32_t term_elevation_udeg;
    uint32_t term_scan_urad;
    uint32_t term_tx_power_permille;
    uint64_t term_tx_before; /* counters of the device at the terminal's last reset */
    uint64_t term_rejected_before;
    uint64_t term_rx_before;
    uint64_t term_overflow_before;
    uint32_t payload_busy_permille;
    uint32_t fail_calls; /* enum hal_sim_call: these answer fail_code */
    int32_t fail_code;
    uint32_t bench_has_time; /* 0 until the bench wrote: the machine's clock is used */
};

/* Before the bench wrote a time, the machine's own goes into `sensors`. */
void sim_take_time(struct sim *sim);

/* A reset of the terminal alone: as after power-up; the frames lost are counted. */
void sim_reset_terminal(struct hal *dev);

/* The register map of the terminal; backend_sim_terminal.c. */
int32_t sim_term_read(struct hal *dev, uint32_t first, uint32_t count, uint32_t *values);
int32_t sim_term_write(struct hal *dev, uint32_t reg, uint32_t value);

#endif
