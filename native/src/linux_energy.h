/*
 * linux_energy.h - energy out of power readings: trapezoids, and a count of what was left out. Pure.
 */
#ifndef LUMENODE_LINUX_ENERGY_H
#define LUMENODE_LINUX_ENERGY_H

#include <stdint.h>

struct linux_energy {
    uint64_t uj;
    uint64_t gaps;  /* intervals left out: no power known at an end, or too long between them */
    uint64_t t_ns;  /* of the last reading; 0: none yet */
    uint32_t known; /* whether it told a power */
    int32_t mw;
    uint64_t rest_pj; /* less than a microjoule */
};

/* Adds the interval from the last reading to this one; `known` 0: no power was told. An interval of
 * more than `longest_ns` is a gap. Power below zero counts as none. */
void linux_energy_step(struct linux_energy *energy, uint32_t known, int32_t mw, uint64_t now_ns,
                       uint64_t longest_ns);

#endif
