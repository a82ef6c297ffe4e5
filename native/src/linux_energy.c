/* Energy out of power readings; see linux_energy.h. */
#include "linux_energy.h"

#define PJ_PER_UJ 1000000

void linux_energy_step(struct linux_energy *energy, uint32_t known, int32_t mw, uint64_t now_ns,
                       uint64_t longest_ns)
{
    uint64_t interval_ns = now_ns - energy->t_ns;
    int32_t drawn_mw = mw > 0 ? mw : 0;

    if (energy->t_ns != 0) {
        if (known != 0 && energy->known != 0 && interval_ns <= longest_ns) {
            /* mW x ns = pJ; half of the sum of both ends */
            uint64_t twice_mw = (uint64_t)drawn_mw + (uint64_t)energy->mw;
            uint64_t pj = twice_mw * interval_ns / 2 + energy->rest_pj;

            energy->uj += pj / PJ_PER_UJ;
            energy->rest_pj = pj % PJ_PER_UJ;
        } else {
            energy->gaps++;
        }
    }
    energy->t_ns = now_ns;
    energy->known = known;
    energy->mw = drawn_mw;
}
