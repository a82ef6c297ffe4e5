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
    uint32_t fail_calls; /* enum hal_sim_call: these answer fail_code */
    int32_t fail_code;
    uint32_t bench_has_time; /* 0 until the bench wrote: the machine's clock is used */
};

/* Before the bench wrote a time, the machine's own goes into `sensors`. */
void sim_take_time(struct sim *sim);

#endif
