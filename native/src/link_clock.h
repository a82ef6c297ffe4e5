/*
 * link_clock.h - where the peer's clock stands, from the four timestamps of a request and its reply
 * (RFC 5905, 8): t1 asked, t2 received there, t3 answered there, t4 received here.
 *
 * The exchange with the shortest delay among the last LINK_CLOCK_WINDOW is believed (the clock
 * filter of RFC 5905, 10): its error is at most half its delay, whatever the two ways took.
 */
#ifndef LUMENODE_LINK_CLOCK_H
#define LUMENODE_LINK_CLOCK_H

#include <stdint.h>

#define LINK_CLOCK_WINDOW 8u
/* A rate is only told over a span in which it exceeds the error of its two ends. */
#define LINK_CLOCK_SKEW_SPAN_NS 10000000000

struct link_exchange {
    uint64_t at_ns; /* t4, this side's clock */
    int64_t offset_ns;
    int64_t delay_ns;
};

struct link_clock {
    struct link_exchange window[LINK_CLOCK_WINDOW];
    struct link_exchange first; /* the best of the first window; base of the skew */
    uint32_t taken;             /* exchanges so far */
};

/* Forgets all: another peer, another clock. */
void link_clock_restart(struct link_clock *clock);

/* Takes one exchange. @return 1 taken, 0 refused: its times contradict each other. */
int link_clock_take(struct link_clock *clock, uint64_t t1_ns, uint64_t t2_ns, uint64_t t3_ns,
                    uint64_t t4_ns);

struct link_clock_estimate {
    int64_t offset_ns;      /* the peer's monotonic clock minus this side's */
    int64_t delay_ns;       /* there and back; -1: no exchange yet, the rest is 0 */
    int64_t uncertainty_ns; /* of the offset */
    int32_t skew_ppb;       /* the peer's clock runs faster by so much; 0 until it can be told */
};

void link_clock_read(const struct link_clock *clock, struct link_clock_estimate *estimate);

#endif
