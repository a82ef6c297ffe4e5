/* The governor's planner: writes the programme, solves it, reads the plan off; see plan.h. */
#include "plan.h"

#include "plan_columns.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double tolerance = 1e-4;
static const int32_t iterations_max = 40;

/* Sizes of the programme of so many slots. */
struct sizes {
    int32_t rows;
    int32_t columns;
    int32_t entries;
    int32_t bandwidth;
};

static int within(int32_t value, int32_t last)
{
    return value >= 1 && value <= last;
}

static int sound(const struct plan_node *node, int32_t slot_count)
{
    if (node == NULL || !within(slot_count, PLAN_SLOTS_MAX) ||
        !within(node->mode_count, PLAN_MODES_MAX) || !within(node->class_count, PLAN_CLASSES_MAX) ||
        !within(node->variant_count, PLAN_VARIANTS_MAX) ||
        !within(node->slow_count, PLAN_SLOW_MAX) || node->fast_count < 0 ||
        node->fast_count > PLAN_FAST_MAX) {
        return 0;
    }
    for (int32_t m = 0; m < node->mode_count; m++) {
        if (node->mode_variant[m] < 0 || node->mode_variant[m] >= node->variant_count) {
            return 0;
        }
    }
    return node->energy_max_j > node->energy_floor_j && node->charge_w_max > 0.0 &&
           node->discharge_w_max > 0.0 && node->end_price_per_j > 0.0;
}

static struct sizes measure(const struct plan_node *node, int32_t slot_count)
{
    const int32_t kinds = node->variant_count * node->class_count;
    const int32_t pairs = node->mode_count * node->class_count;
    const struct plan_rows at = plan_rows_of(node, 0);
    const int32_t columns =
        pairs + 2 * node->class_count + 2 * kinds + 4 + 2 * node->slow_count + 4 + node->fast_count;
    const int32_t entries = pairs * (4 + node->slow_count + node->fast_count) +
                            3 * node->class_count + kinds * (6 + node->slow_count) + 7 +
                            node->slow_count * (2 + node->slow_count + node->fast_count) + 4 +
                            node->fast_count;

    /* The widest column joins a row to the same row of the next slot, or a store to the room. */
    return (struct sizes){
        .rows = slot_count * at.next + 1,
        .columns = slot_count * columns + 2,
        .entries = slot_count * entries + 2,
        .bandwidth = at.next,
    };
}

int64_t plan_scratch_bytes(const struct plan_node *node, int32_t slot_count)
{
    if (!sound(node, slot_count)) {
        return LP_E_RANGE;
    }
    const struct sizes n = measure(node, slot_count);
    const int64_t doubles = (int64_t)n.columns * 3 + (int64_t)n.rows * 3 + n.entries +
                            lp_scratch_count(n.columns, n.rows, n.bandwidth);
    const int64_t integers = (int64_t)n.columns + 2 + n.entries;

    return doubles * (int64_t)sizeof(double) + (integers + 1) / 2 * 2 * (int64_t)sizeof(int32_t) +
           slot_count * (int64_t)sizeof(struct plan_places);
}

/* Memory of one planning, cut out of the scratch. */
struct workspace {
    struct plan_columns columns;
    double *x;
    double *price;
    double *solver;
    struct plan_places *places;
};

static struct workspace cut(const struct sizes *n, int32_t slot_count, void *scratch)
{
    double *doubles = scratch;
    struct workspace w;

    w.columns = (struct plan_columns){.cost = doubles, .upper = doubles + n->columns};
    w.x = w.columns.upper + n->columns;
    w.columns.right = w.x + n->columns;
    w.columns.row_scale = w.columns.right + n->rows;
    w.price = w.columns.row_scale + n->rows;
    w.columns.value = w.price + n->rows;
    w.solver = w.columns.value + n->entries;
    w.columns.start = (int32_t *)(w.solver + lp_scratch_count(n->columns, n->rows, n->bandwidth));
    w.columns.row = w.columns.start + n->columns + 2;
    w.places = (struct plan_places *)(w.columns.row + n->entries);
    memset(w.columns.right, 0, sizeof(double) * 2 * (size_t)n->rows);
    w.columns.start[0] = 0;
    (void)slot_count;
    return w;
}

/* Every row is divided by its largest entry, so that none rules the residuals. */
static void balance(struct plan_columns *columns, int32_t rows)
{
    for (int32_t i = 0; i < columns->entry_count; i++) {
        columns->value[i] /= columns->row_scale[columns->row[i]];
    }
    for (int32_t i = 0; i < rows; i++) {
        columns->right[i] /= columns->row_scale[i];
    }
}

static double price_of(const struct workspace *w, int32_t row)
{
    return w->price[row] / w->columns.row_scale[row];
}

static void read_slot(const struct plan_node *node, const struct workspace *w,
                      const struct plan_slot *slot, int32_t s, struct plan_share *share)
{
    const struct plan_rows at = plan_rows_of(node, s);
    const struct plan_places *place = &w->places[s];
    int32_t pair = place->work;

    *share = (struct plan_share){0};
    for (int32_t m = 0; m < node->mode_count; m++) {
        for (int32_t c = 0; c < node->class_count; c++) {
            if (node->frames_per_s[m][c] > 0.0) {
                share->work[m][c] = w->x[pair++];
            }
        }
    }
    for (int32_t v = 0; place->send >= 0 && v < node->variant_count; v++) {
        for (int32_t c = 0; c < node->class_count; c++) {
            share->sent_bits[v][c] = w->x[place->send + v * node->class_count + c] * PLAN_GBIT;
        }
    }
    share->energy_j = w->x[place->energy] * PLAN_KJ + node->energy_floor_j;
    share->price_per_j = -price_of(w, at.energy) * PLAN_VALUE / PLAN_KJ;
    share->price_per_link_bit = -price_of(w, at.link) * PLAN_VALUE / PLAN_GBIT;
    share->price_per_s = -price_of(w, at.time) * PLAN_VALUE / slot->length_s;
    for (int32_t i = 0; i < node->slow_count; i++) {
        share->slow_k[i] = w->x[place->slow + 2 * i] + PLAN_BASE_K;
        share->price_per_slow_j[i] = price_of(w, at.slow + i) * PLAN_VALUE / slot->length_s;
    }
}

static void read_outcome(const struct plan_node *node, const struct workspace *w,
                         const struct plan_slot *slots, const struct plan_share *shares,
                         int32_t slot_count, struct plan_outcome *outcome)
{
    const int32_t end = w->columns.column_count - 2; /* what is short of the target, in kJ */

    for (int32_t s = 0; s < slot_count; s++) {
        for (int32_t v = 0; v < node->variant_count; v++) {
            for (int32_t c = 0; c < node->class_count; c++) {
                outcome->value +=
                    shares[s].sent_bits[v][c] * node->value[v][c] / node->result_bits[v][c];
            }
        }
        outcome->bought_j += w->x[w->places[s].bought_energy] * PLAN_KJ;
        for (int32_t i = 0; i < node->slow_count; i++) {
            outcome->bought_heat_j += w->x[w->places[s].slow + 2 * i + 1] * slots[s].length_s;
        }
    }
    outcome->value -= w->x[end] * PLAN_KJ * node->end_price_per_j;
}

int32_t plan_make(const struct plan_node *node, const struct plan_start *start,
                  const struct plan_slot *slots, int32_t slot_count, struct plan_share *shares,
                  struct plan_outcome *outcome, void *scratch, int64_t scratch_bytes)
{
    if (!sound(node, slot_count) || start == NULL || slots == NULL || shares == NULL ||
        outcome == NULL || scratch == NULL ||
        scratch_bytes < plan_scratch_bytes(node, slot_count)) {
        return LP_E_RANGE;
    }
    for (int32_t s = 0; s < slot_count; s++) {
        if (!(slots[s].length_s > 0.0)) {
            return LP_E_RANGE;
        }
    }
    const struct sizes n = measure(node, slot_count);
    struct workspace w = cut(&n, slot_count, scratch);

    for (int32_t s = 0; s < slot_count; s++) {
        w.places[s] = plan_write_slot(node, start, &slots[s],
                                      s + 1 < slot_count ? &slots[s + 1] : NULL, s, &w.columns);
    }
    plan_write_end(node, slot_count, &w.columns);
    balance(&w.columns, n.rows);
    const struct lp_problem problem = {
        .column_count = w.columns.column_count,
        .row_count = n.rows,
        .bandwidth = n.bandwidth,
        .start = w.columns.start,
        .row = w.columns.row,
        .value = w.columns.value,
        .right = w.columns.right,
        .cost = w.columns.cost,
        .upper = w.columns.upper,
    };
    struct plan_outcome found = {0};
    const int32_t status =
        lp_solve(&problem, tolerance, iterations_max, w.x, w.price, w.solver, &found.solver);

    if (status == LP_E_RANGE) {
        return status;
    }
    for (int32_t s = 0; s < slot_count; s++) {
        read_slot(node, &w, &slots[s], s, &shares[s]);
    }
    read_outcome(node, &w, slots, shares, slot_count, &found);
    *outcome = found;
    return status;
}
