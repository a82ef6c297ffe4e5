/*
 * plan_columns.h - a linear programme being written column by column (plan_rows.c), and where each
 * thing stands in it.
 */
#ifndef LUMENODE_PLAN_COLUMNS_H
#define LUMENODE_PLAN_COLUMNS_H

#include "plan.h"

/* Units inside the programme keep its numbers near one: kJ, Gbit, hundreds of frames, thousands of
 * value, seconds, watts, kelvins above this. */
#define PLAN_KJ     1e3
#define PLAN_GBIT   1e9
#define PLAN_FRAMES 1e2
#define PLAN_VALUE  1e3
#define PLAN_BASE_K 200.0

/* Rows of one slot, in this order; the last row of all is the terminal one. */
struct plan_rows {
    int32_t queue; /* + class */
    int32_t store; /* + kind */
    int32_t energy;
    int32_t slow; /* + slow node */
    int32_t time;
    int32_t room;
    int32_t link;
    int32_t power;
    int32_t fast; /* + fast node */
    int32_t next; /* first row of the next slot */
};

/* Columns of one slot whose values the answer needs; the first of each run. */
struct plan_places {
    int32_t work; /* + n-th possible pair of mode and class */
    int32_t send; /* + kind; -1 without a link */
    int32_t energy;
    int32_t bought_energy;
    int32_t slow; /* + 2 x slow node, then its bought cooling */
};

/* The programme under way: arrays with room for all of it. */
struct plan_columns {
    int32_t column_count;
    int32_t entry_count;
    int32_t *start;
    int32_t *row;
    double *value;
    double *cost;
    double *upper;
    double *right;
    double *row_scale;
};

/* Rows of slot `s`. */
struct plan_rows plan_rows_of(const struct plan_node *node, int32_t s);

/* Writes the columns and right sides of one slot; `next` is NULL for the last one. */
struct plan_places plan_write_slot(const struct plan_node *node, const struct plan_start *start,
                                   const struct plan_slot *slot, const struct plan_slot *next,
                                   int32_t s, struct plan_columns *out);

/* Writes the terminal condition, behind the last slot. */
void plan_write_end(const struct plan_node *node, int32_t slot_count, struct plan_columns *out);

#endif
