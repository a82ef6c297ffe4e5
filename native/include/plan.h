/*
 * plan.h - what to compute, when, and with which model, until the horizon: the governor's planner.
 *
 * The day ahead is cut into slots. In each slot the payload spends fractions of its time in modes (a
 * power level with a model variant) on classes of frames, and the link sends results. A linear
 * programme (lp_banded.h) finds the plan of greatest delivered value that keeps battery and
 * temperatures inside their limits; its prices say what energy, heat and link are worth.
 *
 * Energy.  Charge and discharge are apart, with their efficiencies; what the battery cannot take is
 *          shunted; ending below the target costs `end_price` a joule.
 * Heat.    Slow nodes (minutes and more) are states, carried by implicit Euler with the radiator's
 *          law as its tangent at `radiance_at_k` (it radiates less than the truth elsewhere: the
 *          plan errs to the cool side). Fast nodes are in balance with them at any time. The caller
 *          has reduced the network to these terms (Planner in flight/thermal).
 * Safety.  Limits the state has already passed cannot make the programme fail: energy and cooling
 *          can be bought at a price beyond any value, and the answer says how much was.
 *
 * Pure: no clock, no state between calls, no allocation.
 */
#ifndef LUMENODE_PLAN_H
#define LUMENODE_PLAN_H

#include <stdint.h>

#include "lp_banded.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLAN_MODES_MAX    32
#define PLAN_CLASSES_MAX  6
#define PLAN_VARIANTS_MAX 6
#define PLAN_KINDS_MAX    36 /* variants x classes */
#define PLAN_SLOW_MAX     3
#define PLAN_FAST_MAX     5
#define PLAN_SLOTS_MAX    192

/* The node; constant for a flight, but for what is learned. Index order: mode, variant, class. */
struct plan_node {
    int32_t mode_count;
    int32_t variant_count;
    int32_t class_count;
    int32_t slow_count;
    int32_t fast_count;
    int32_t mode_variant[PLAN_MODES_MAX];
    double mode_w[PLAN_MODES_MAX];                         /* above idle */
    double frames_per_s[PLAN_MODES_MAX][PLAN_CLASSES_MAX]; /* 0: not possible */
    double value[PLAN_VARIANTS_MAX][PLAN_CLASSES_MAX];     /* of a delivered result */
    double result_bits[PLAN_VARIANTS_MAX][PLAN_CLASSES_MAX];
    double frames_max[PLAN_CLASSES_MAX]; /* that may wait */
    double store_bits_max;
    double link_w;         /* while it sends */
    double energy_floor_j; /* with the plan's own margin */
    double energy_max_j;
    double energy_end_j;    /* wanted at the horizon */
    double end_price_per_j; /* more than a joule can be worth; > 0 */
    double charge_efficiency;
    double discharge_efficiency;
    double charge_w_max;
    double discharge_w_max;
    double slow_capacity_j_k[PLAN_SLOW_MAX];
    double slow_limit_k[PLAN_SLOW_MAX];                 /* with the plan's own margin */
    double slow_link_w_k[PLAN_SLOW_MAX][PLAN_SLOW_MAX]; /* conduction, fast nodes eliminated */
    double mode_slow_w[PLAN_MODES_MAX][PLAN_SLOW_MAX];  /* heat above idle that arrives there */
    double link_slow_w[PLAN_SLOW_MAX];                  /* likewise of the link */
    double radiance_at_k[PLAN_SLOW_MAX];                /* where the tangent touches */
    double fast_limit_k[PLAN_FAST_MAX];
    double fast_from_slow[PLAN_FAST_MAX][PLAN_SLOW_MAX];
    double mode_fast_k[PLAN_MODES_MAX][PLAN_FAST_MAX]; /* rise above idle in balance */
};

struct plan_slot {
    double length_s;
    double surplus_w;                    /* array less base and idle loads; may be negative */
    double arrivals[PLAN_CLASSES_MAX];   /* frames in the slot */
    double link_bits;                    /* that the link is expected to carry in it */
    double link_bps;                     /* while it does; 0 without a contact */
    double worth;                        /* of value delivered in it, 1 or a little less */
    double slow_heat_w[PLAN_SLOW_MAX];   /* all but modes and link */
    double slow_radiance[PLAN_SLOW_MAX]; /* emissivity x area x sigma, W/K^4 */
    double slow_limit_k[PLAN_SLOW_MAX];  /* below the node's own for what comes later; 0: that */
    double fast_k[PLAN_FAST_MAX];        /* of idle alone, above fast_from_slow x slow */
};

/* Where the node stands at the beginning of the first slot. */
struct plan_start {
    double energy_j;
    double slow_k[PLAN_SLOW_MAX];
    double waiting[PLAN_CLASSES_MAX];                        /* frames */
    double stored_bits[PLAN_VARIANTS_MAX][PLAN_CLASSES_MAX]; /* results */
};

/* The plan of one slot. */
struct plan_share {
    double work[PLAN_MODES_MAX][PLAN_CLASSES_MAX]; /* fraction of the slot */
    double sent_bits[PLAN_VARIANTS_MAX][PLAN_CLASSES_MAX];
    double energy_j;                        /* at its end */
    double slow_k[PLAN_SLOW_MAX];           /* at its end */
    double price_per_j;                     /* value of one more joule in the battery then */
    double price_per_link_bit;              /* value of one more bit of link */
    double price_per_slow_j[PLAN_SLOW_MAX]; /* value of one joule of heat less */
    double price_per_s;                     /* value of one more second of payload time */
};

struct plan_outcome {
    struct lp_answer solver;
    double value;         /* expected to be delivered, terminal penalty off */
    double bought_j;      /* energy that had to be conjured: a limit cannot be kept */
    double bought_heat_j; /* cooling likewise */
};

/* Bytes of scratch for so many slots of this node. LP_E_RANGE: a count out of bounds. */
int64_t plan_scratch_bytes(const struct plan_node *node, int32_t slot_count);

/*
 * Plans. `shares` (slot_count) and `outcome` are the caller's and written; `scratch` is 8-byte
 * aligned. @return enum lp_status; on LP_E_RANGE nothing is written.
 */
int32_t plan_make(const struct plan_node *node, const struct plan_start *start,
                  const struct plan_slot *slots, int32_t slot_count, struct plan_share *shares,
                  struct plan_outcome *outcome, void *scratch, int64_t scratch_bytes);

#ifdef __cplusplus
}
#endif

#endif
