/* The governor's linear programme, slot by slot; see plan.h for what its rows mean. */
#include "plan_columns.h"

#include <math.h>
#include <stddef.h>

/* A joule that is needed to keep a limit and cannot be had costs so many times one that is missing
 * at the end, which in turn costs more than any value it could make. More would only cost the
 * solver its precision. */
static const double emergency = 10.0;
static const double least_link_gbit = 1e-6;

struct plan_rows plan_rows_of(const struct plan_node *node, int32_t s)
{
    const int32_t kinds = node->variant_count * node->class_count;
    const int32_t rows = node->class_count + kinds + 1 + node->slow_count + 4 + node->fast_count;
    struct plan_rows at = {.queue = s * rows};

    at.store = at.queue + node->class_count;
    at.energy = at.store + kinds;
    at.slow = at.energy + 1;
    at.time = at.slow + node->slow_count;
    at.room = at.time + 1;
    at.link = at.room + 1;
    at.power = at.link + 1;
    at.fast = at.power + 1;
    at.next = at.queue + rows;
    return at;
}

static int32_t begin(struct plan_columns *out, double cost, double upper)
{
    const int32_t at = out->column_count++;

    out->cost[at] = cost / PLAN_VALUE;
    out->upper[at] = upper;
    out->start[at + 1] = out->entry_count;
    return at;
}

/* The next entry of the column begun last; rows rise. */
static void put(struct plan_columns *out, int32_t row, double value)
{
    if (value == 0.0) {
        return;
    }
    out->row[out->entry_count] = row;
    out->value[out->entry_count] = value;
    out->entry_count++;
    out->start[out->column_count] = out->entry_count;
    out->row_scale[row] = fmax(out->row_scale[row], fabs(value));
}

static void slack(struct plan_columns *out, int32_t row, double right)
{
    (void)begin(out, 0.0, (double)INFINITY);
    put(out, row, 1.0);
    out->right[row] = right;
}

static int32_t write_work(const struct plan_node *node, const struct plan_rows *at, double length_s,
                          struct plan_columns *out)
{
    const int32_t first = out->column_count;

    for (int32_t m = 0; m < node->mode_count; m++) {
        for (int32_t c = 0; c < node->class_count; c++) {
            const double frames = node->frames_per_s[m][c] * length_s;
            const int32_t v = node->mode_variant[m];

            if (frames <= 0.0) {
                continue;
            }
            (void)begin(out, 0.0, 1.0);
            put(out, at->queue + c, frames / PLAN_FRAMES);
            put(out, at->store + v * node->class_count + c,
                -frames * node->result_bits[v][c] / PLAN_GBIT);
            for (int32_t i = 0; i < node->slow_count; i++) {
                put(out, at->slow + i, -node->mode_slow_w[m][i]);
            }
            put(out, at->time, 1.0);
            put(out, at->power, node->mode_w[m]);
            for (int32_t i = 0; i < node->fast_count; i++) {
                put(out, at->fast + i, node->mode_fast_k[m][i]);
            }
        }
    }
    return first;
}

static void write_queues(const struct plan_node *node, const struct plan_rows *at, int last,
                         struct plan_columns *out)
{
    for (int32_t c = 0; c < node->class_count; c++) {
        (void)begin(out, 0.0, node->frames_max[c] / PLAN_FRAMES); /* still waiting at the end */
        put(out, at->queue + c, 1.0);
        put(out, at->next + c, last ? 0.0 : -1.0);
        (void)begin(out, 0.0, (double)INFINITY); /* lost: no room */
        put(out, at->queue + c, 1.0);
    }
}

static void write_store(const struct plan_node *node, const struct plan_rows *at, int last,
                        struct plan_columns *out)
{
    const int32_t kinds = node->variant_count * node->class_count;

    for (int32_t k = 0; k < kinds; k++) {
        (void)begin(out, 0.0, (double)INFINITY);
        put(out, at->store + k, 1.0);
        put(out, at->room, 1.0);
        put(out, at->next + node->class_count + k, last ? 0.0 : -1.0);
    }
}

static int32_t write_link(const struct plan_node *node, const struct plan_rows *at,
                          const struct plan_slot *slot, struct plan_columns *out)
{
    if (!(slot->link_bits > 0.0 && slot->link_bps > 0.0)) {
        return -1;
    }
    const int32_t first = out->column_count;
    const double on = PLAN_GBIT / (slot->link_bps * slot->length_s); /* share of the slot a Gbit */

    for (int32_t v = 0; v < node->variant_count; v++) {
        for (int32_t c = 0; c < node->class_count; c++) {
            const double density = node->value[v][c] / node->result_bits[v][c] * PLAN_GBIT;

            (void)begin(out, -density * slot->worth, (double)INFINITY);
            put(out, at->store + v * node->class_count + c, 1.0);
            for (int32_t i = 0; i < node->slow_count; i++) {
                put(out, at->slow + i, -node->link_slow_w[i] * on);
            }
            put(out, at->link, 1.0);
            put(out, at->power, node->link_w * on);
        }
    }
    return first;
}

static void write_energy(const struct plan_node *node, const struct plan_rows *at, double length_s,
                         int last, struct plan_places *places, struct plan_columns *out)
{
    const int32_t kinds = node->variant_count * node->class_count;

    places->energy = begin(out, 0.0, (node->energy_max_j - node->energy_floor_j) / PLAN_KJ);
    put(out, at->energy, 1.0);
    put(out, last ? at->next : at->next + node->class_count + kinds, last ? 1.0 : -1.0);
    (void)begin(out, 0.0, node->charge_w_max);
    put(out, at->energy, -length_s * node->charge_efficiency / PLAN_KJ);
    put(out, at->power, 1.0);
    (void)begin(out, 0.0, node->discharge_w_max);
    put(out, at->energy, length_s / node->discharge_efficiency / PLAN_KJ);
    put(out, at->power, -1.0);
    places->bought_energy =
        begin(out, emergency * node->end_price_per_j * PLAN_KJ, (double)INFINITY);
    put(out, at->energy, -1.0);
}

static double tangent_w_k(const struct plan_node *node, const struct plan_slot *slot, int32_t i)
{
    return 4.0 * slot->slow_radiance[i] * pow(node->radiance_at_k[i], 3.0);
}

/* Kelvin above the programme's zero that a slow node may have at the end of a slot. */
static double slow_room(const struct plan_node *node, const struct plan_slot *slot, int32_t i)
{
    const double own = node->slow_limit_k[i];

    return (slot->slow_limit_k[i] > PLAN_BASE_K ? fmin(own, slot->slow_limit_k[i]) : own) -
           PLAN_BASE_K;
}

static int32_t write_heat(const struct plan_node *node, const struct plan_rows *at,
                          const struct plan_slot *slot, const struct plan_slot *next,
                          struct plan_columns *out)
{
    const int32_t kinds = node->variant_count * node->class_count;
    const int32_t first = out->column_count;

    for (int32_t i = 0; i < node->slow_count; i++) {
        const double own = node->slow_capacity_j_k[i] / slot->length_s + tangent_w_k(node, slot, i);

        (void)begin(out, 0.0, slow_room(node, slot, i));
        for (int32_t j = 0; j < node->slow_count; j++) {
            put(out, at->slow + j, node->slow_link_w_k[j][i] + (i == j ? own : 0.0));
        }
        for (int32_t j = 0; j < node->fast_count; j++) {
            put(out, at->fast + j, node->fast_from_slow[j][i]);
        }
        if (next != NULL) {
            put(out, at->next + node->class_count + kinds + 1 + i,
                -node->slow_capacity_j_k[i] / next->length_s);
        }
        (void)begin(out, emergency * node->end_price_per_j * slot->length_s, (double)INFINITY);
        put(out, at->slow + i, 1.0);
    }
    return first;
}

static void write_heat_right(const struct plan_node *node, const struct plan_rows *at,
                             const struct plan_start *start, const struct plan_slot *slot,
                             int first, struct plan_columns *out)
{
    for (int32_t i = 0; i < node->slow_count; i++) {
        const double capacity = node->slow_capacity_j_k[i] / slot->length_s;
        const double tangent = tangent_w_k(node, slot, i);
        /* radiance T^4 at the tangent's touch is tangent / 4 x T */
        double right = slot->slow_heat_w[i] + 0.75 * tangent * node->radiance_at_k[i];

        for (int32_t j = 0; j < node->slow_count; j++) {
            right -= node->slow_link_w_k[i][j] * PLAN_BASE_K;
        }
        right -= (capacity + tangent) * PLAN_BASE_K;
        right += capacity * (first ? start->slow_k[i] : PLAN_BASE_K);
        out->right[at->slow + i] = right;
    }
    for (int32_t i = 0; i < node->fast_count; i++) {
        double room = node->fast_limit_k[i] - slot->fast_k[i];

        for (int32_t j = 0; j < node->slow_count; j++) {
            room -= node->fast_from_slow[i][j] * PLAN_BASE_K;
        }
        slack(out, at->fast + i, room);
    }
}

static void write_stock(const struct plan_node *node, const struct plan_rows *at,
                        const struct plan_start *start, const struct plan_slot *slot, int first,
                        struct plan_columns *out)
{
    for (int32_t c = 0; c < node->class_count; c++) {
        out->right[at->queue + c] =
            (slot->arrivals[c] + (first ? start->waiting[c] : 0.0)) / PLAN_FRAMES;
        for (int32_t v = 0; v < node->variant_count; v++) {
            out->right[at->store + v * node->class_count + c] =
                first ? start->stored_bits[v][c] / PLAN_GBIT : 0.0;
        }
    }
    out->right[at->energy] = first ? (start->energy_j - node->energy_floor_j) / PLAN_KJ : 0.0;
}

struct plan_places plan_write_slot(const struct plan_node *node, const struct plan_start *start,
                                   const struct plan_slot *slot, const struct plan_slot *next,
                                   int32_t s, struct plan_columns *out)
{
    const struct plan_rows at = plan_rows_of(node, s);
    const int last = next == NULL;
    struct plan_places places = {.work = write_work(node, &at, slot->length_s, out)};

    write_stock(node, &at, start, slot, s == 0, out);
    write_queues(node, &at, last, out);
    write_store(node, &at, last, out);
    places.send = write_link(node, &at, slot, out);
    write_energy(node, &at, slot->length_s, last, &places, out);
    places.slow = write_heat(node, &at, slot, next, out);
    slack(out, at.time, 1.0);
    slack(out, at.room, node->store_bits_max / PLAN_GBIT);
    slack(out, at.link, fmax(slot->link_bits / PLAN_GBIT, least_link_gbit));
    slack(out, at.power, slot->surplus_w);
    write_heat_right(node, &at, start, slot, s == 0, out);
    return places;
}

void plan_write_end(const struct plan_node *node, int32_t slot_count, struct plan_columns *out)
{
    const int32_t row = plan_rows_of(node, slot_count).queue;

    (void)begin(out, node->end_price_per_j * PLAN_KJ, (double)INFINITY); /* short of the target */
    put(out, row, 1.0);
    (void)begin(out, 0.0, (double)INFINITY); /* above it */
    put(out, row, -1.0);
    out->right[row] = (node->energy_end_j - node->energy_floor_j) / PLAN_KJ;
}
