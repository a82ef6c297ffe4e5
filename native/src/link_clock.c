/* The peer's clock; see link_clock.h. */
#include "link_clock.h"

static const int64_t PPB = 1000000000;

void link_clock_restart(struct link_clock *clock)
{
    *clock = (struct link_clock){0};
}

static const struct link_exchange *best_of(const struct link_clock *clock)
{
    uint32_t held = clock->taken < LINK_CLOCK_WINDOW ? clock->taken : LINK_CLOCK_WINDOW;
    const struct link_exchange *best = &clock->window[0];

    for (uint32_t i = 1; i < held; i++) {
        if (clock->window[i].delay_ns < best->delay_ns) {
            best = &clock->window[i];
        }
    }
    return best;
}

int link_clock_take(struct link_clock *clock, uint64_t t1_ns, uint64_t t2_ns, uint64_t t3_ns,
                    uint64_t t4_ns)
{
    uint64_t away_ns = t4_ns - t1_ns;
    uint64_t there_ns = t3_ns - t2_ns;

    /* Each clock by itself only rises, and the answer was not under way for hours. */
    if (t4_ns < t1_ns || t3_ns < t2_ns || there_ns > away_ns || away_ns > INT64_MAX / 4) {
        return 0;
    }
    /* ((t2 - t1) + (t3 - t4)) / 2, modulo 2^64 until the end: offsets are differences. */
    int64_t out_ns = (int64_t)(t2_ns - t1_ns);
    int64_t back_ns = (int64_t)(t3_ns - t4_ns);

    clock->window[clock->taken % LINK_CLOCK_WINDOW] = (struct link_exchange){
        .at_ns = t4_ns,
        .offset_ns = out_ns / 2 + back_ns / 2 + (out_ns % 2 + back_ns % 2) / 2,
        .delay_ns = (int64_t)(away_ns - there_ns),
    };
    clock->taken++;
    if (clock->taken <= LINK_CLOCK_WINDOW) {
        clock->first = *best_of(clock);
    }
    return 1;
}

void link_clock_read(const struct link_clock *clock, struct link_clock_estimate *estimate)
{
    *estimate = (struct link_clock_estimate){.delay_ns = -1};
    if (clock->taken == 0) {
        return;
    }
    const struct link_exchange *best = best_of(clock);
    int64_t span_ns = (int64_t)(best->at_ns - clock->first.at_ns);

    estimate->offset_ns = best->offset_ns;
    estimate->delay_ns = best->delay_ns;
    estimate->uncertainty_ns = best->delay_ns / 2;
    if (span_ns >= LINK_CLOCK_SKEW_SPAN_NS) {
        int64_t moved_ns = (int64_t)((uint64_t)best->offset_ns - (uint64_t)clock->first.offset_ns);
        int64_t skew = (int64_t)((double)moved_ns * (double)PPB / (double)span_ns);

        estimate->skew_ppb = skew > INT32_MAX   ? INT32_MAX
                             : skew < INT32_MIN ? INT32_MIN
                                                : (int32_t)skew;
    }
}
