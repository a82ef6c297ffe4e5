/* Rows of the catalogue: added, found, changed, dropped; see product_catalogue.h. */
#include "product_catalogue.h"

#include "catalogue_columns.h"
#include "segment_scan.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum { ROOM_LEAST = 1024, GONE_LEAST = 256, GONE_PARTS = 4, FLAGS = 0x7F, MANIFEST_SHIFT = 40 };

struct catalogue *catalogue_new(void)
{
    struct catalogue *catalogue = calloc(1, sizeof *catalogue);

    if (catalogue != NULL) {
        catalogue->due_ns = INT64_MAX;
    }
    return catalogue;
}

void catalogue_free(struct catalogue *catalogue)
{
    if (catalogue != NULL) {
        for (int i = 0; i < COLUMNS; i++) {
            free(catalogue->column[i]);
        }
        free(catalogue);
    }
}

/* A column that has grown before another could not is longer than `room` says, which harms nobody. */
int32_t catalogue_make_room(struct catalogue *catalogue)
{
    uint64_t room = catalogue->room + catalogue->room / 4 + ROOM_LEAST;

    if (catalogue->rows + catalogue->staged < catalogue->room) {
        return CATALOGUE_OK;
    }
    if (room > SIZE_MAX / sizeof(uint64_t)) {
        return CATALOGUE_E_MEMORY;
    }
    for (int i = 0; i < COLUMNS; i++) {
        uint64_t *grown = realloc(catalogue->column[i], (size_t)room * sizeof *grown);

        if (grown == NULL) {
            return CATALOGUE_E_MEMORY;
        }
        catalogue->column[i] = grown;
    }
    catalogue->room = room;
    return CATALOGUE_OK;
}

uint64_t catalogue_at(const struct catalogue *catalogue, uint64_t product_id)
{
    const uint64_t *head = catalogue->column[HEAD];
    uint64_t low = 0, high = catalogue->rows;

    if (high > 0 && catalogue_id(head[high - 1]) < product_id) {
        return high;
    }
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;

        if (catalogue_id(head[middle]) < product_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void catalogue_read(const struct catalogue *catalogue, uint64_t at, struct catalogue_row *row)
{
    const uint64_t head = catalogue->column[HEAD][at];
    const uint64_t size = catalogue->column[SIZE][at];
    const uint64_t place = catalogue->column[PLACE][at];

    *row = (struct catalogue_row){
        .product_id = catalogue_id(head),
        .key = catalogue_key((int64_t)catalogue->column[RANK][at]),
        .value_millis = (int64_t)catalogue->column[VALUE][at],
        .deadline_ns = (int64_t)catalogue->column[DEADLINE][at],
        .size_bytes = size & CATALOGUE_SIZE_BYTES_MAX,
        .segment = (uint32_t)(place >> 32),
        .offset = (uint32_t)place,
        .manifest_bytes = (uint16_t)(size >> MANIFEST_SHIFT),
        .klass = (uint8_t)catalogue_klass(head),
        .producer = (uint8_t)catalogue_producer(head),
        .state = (uint8_t)(head >> STATE_SHIFT & 3),
        .flags = (uint8_t)(head & FLAGS),
    };
}

void catalogue_write(struct catalogue *catalogue, uint64_t at, const struct catalogue_row *row)
{
    catalogue->column[HEAD][at] = row->product_id << ID_SHIFT |
                                  (uint64_t)row->klass << KLASS_SHIFT |
                                  (uint64_t)row->producer << PRODUCER_SHIFT |
                                  (uint64_t)row->state << STATE_SHIFT | row->flags;
    catalogue->column[RANK][at] = (uint64_t)catalogue_rank(row->key);
    catalogue->column[VALUE][at] = (uint64_t)row->value_millis;
    catalogue->column[DEADLINE][at] = (uint64_t)row->deadline_ns;
    catalogue->column[SIZE][at] = row->size_bytes | (uint64_t)row->manifest_bytes << MANIFEST_SHIFT;
    catalogue->column[PLACE][at] = (uint64_t)row->segment << 32 | row->offset;
}

static void add(struct catalogue_sums *sums, uint64_t sign, const struct catalogue *catalogue,
                uint64_t at)
{
    sums->products += sign;
    sums->size_bytes += sign * (catalogue->column[SIZE][at] & CATALOGUE_SIZE_BYTES_MAX);
    sums->value_millis += sign * catalogue->column[VALUE][at];
}

void catalogue_account(struct catalogue *catalogue, uint64_t at, uint64_t sign)
{
    const uint64_t head = catalogue->column[HEAD][at];
    const uint32_t producer = catalogue_producer(head), klass = catalogue_klass(head);

    catalogue->of_state[head >> STATE_SHIFT & 3] += sign;
    add(&catalogue->all[producer][klass], sign, catalogue, at);
    if (catalogue_is_far(head)) {
        const int64_t deadline_ns = (int64_t)catalogue->column[DEADLINE][at];

        add(&catalogue->far[producer][klass], sign, catalogue, at);
        if (deadline_ns < catalogue->due_ns) {
            catalogue->due_ns = deadline_ns;
        }
    }
}

bool catalogue_fits(const struct catalogue_row *row)
{
    return row->product_id <= CATALOGUE_ID_MAX && row->size_bytes <= CATALOGUE_SIZE_BYTES_MAX &&
           row->klass < CATALOGUE_KINDS && row->producer < CATALOGUE_KINDS && row->state <= 3 &&
           row->flags <= FLAGS && row->value_millis >= 0 && !isnan(row->key);
}

int32_t catalogue_append(struct catalogue *catalogue, const struct catalogue_row *row)
{
    if (catalogue == NULL || row == NULL || !catalogue_fits(row)) {
        return CATALOGUE_E_RANGE;
    }
    const int32_t settled = catalogue_settle(catalogue);
    const uint64_t at = catalogue_at(catalogue, row->product_id);

    if (settled != CATALOGUE_OK) {
        return settled;
    }
    if (at < catalogue->rows && catalogue_id(catalogue->column[HEAD][at]) == row->product_id) {
        if (!(catalogue->column[HEAD][at] & CATALOGUE_GONE)) {
            return CATALOGUE_E_THERE;
        }
        catalogue->gone--; /* its old row does again */
    } else {
        const int32_t made = catalogue_make_room(catalogue);

        if (made != CATALOGUE_OK) {
            return made;
        }
        for (int i = 0; at < catalogue->rows && i < COLUMNS; i++) {
            memmove(catalogue->column[i] + at + 1, catalogue->column[i] + at,
                    (size_t)(catalogue->rows - at) * sizeof(uint64_t));
        }
        catalogue->rows++;
    }
    catalogue_write(catalogue, at, row);
    catalogue_account(catalogue, at, 1);
    return CATALOGUE_OK;
}

/* Where a living row is. */
static int32_t find(const struct catalogue *catalogue, uint64_t product_id, uint64_t *at)
{
    if (catalogue == NULL) {
        return CATALOGUE_E_RANGE;
    }
    *at = catalogue_at(catalogue, product_id);
    if (*at == catalogue->rows || catalogue_id(catalogue->column[HEAD][*at]) != product_id ||
        catalogue->column[HEAD][*at] & CATALOGUE_GONE) {
        return CATALOGUE_E_UNKNOWN;
    }
    return CATALOGUE_OK;
}

int32_t catalogue_find(const struct catalogue *catalogue, uint64_t product_id,
                       struct catalogue_row *row)
{
    uint64_t at;
    const int32_t found = find(catalogue, product_id, &at);

    if (found == CATALOGUE_OK && row != NULL) {
        catalogue_read(catalogue, at, row);
    }
    return found;
}

/* Writes the bits of `mask` in a row's head; far rows may become near ones and the other way. */
static int32_t set_head(struct catalogue *catalogue, uint64_t product_id, uint64_t mask,
                        uint64_t bits)
{
    uint64_t at;
    const int32_t found = find(catalogue, product_id, &at);

    if (found != CATALOGUE_OK || (bits & ~mask) != 0) {
        return found != CATALOGUE_OK ? found : CATALOGUE_E_RANGE;
    }
    catalogue_account(catalogue, at, UINT64_MAX);
    catalogue->column[HEAD][at] = (catalogue->column[HEAD][at] & ~mask) | bits;
    catalogue_account(catalogue, at, 1);
    return CATALOGUE_OK;
}

int32_t catalogue_set_state(struct catalogue *catalogue, uint64_t product_id, uint32_t state)
{
    return set_head(catalogue, product_id, 3 << STATE_SHIFT, (uint64_t)state << STATE_SHIFT);
}

int32_t catalogue_set_flags(struct catalogue *catalogue, uint64_t product_id, uint32_t mask,
                            uint32_t flags)
{
    return set_head(catalogue, product_id, mask & FLAGS, flags);
}

int32_t catalogue_move(struct catalogue *catalogue, uint64_t product_id, uint32_t segment,
                       uint32_t offset)
{
    uint64_t at;
    const int32_t found = find(catalogue, product_id, &at);

    if (found == CATALOGUE_OK) {
        catalogue->column[PLACE][at] = (uint64_t)segment << 32 | offset;
    }
    return found;
}

int32_t catalogue_revalue(struct catalogue *catalogue, uint64_t product_id, int64_t value_millis,
                          double key)
{
    uint64_t at;
    const int32_t found = find(catalogue, product_id, &at);

    if (found != CATALOGUE_OK || value_millis < 0 || isnan(key)) {
        return found != CATALOGUE_OK ? found : CATALOGUE_E_RANGE;
    }
    catalogue_account(catalogue, at, UINT64_MAX);
    catalogue->column[VALUE][at] = (uint64_t)value_millis;
    catalogue->column[RANK][at] = (uint64_t)catalogue_rank(key);
    catalogue_account(catalogue, at, 1);
    return CATALOGUE_OK;
}

static void take_out_the_gone(struct catalogue *catalogue)
{
    uint64_t kept = 0;

    for (uint64_t at = 0; at < catalogue->rows; at++) {
        if (!(catalogue->column[HEAD][at] & CATALOGUE_GONE)) {
            for (int i = 0; i < COLUMNS; i++) {
                catalogue->column[i][kept] = catalogue->column[i][at];
            }
            kept++;
        }
    }
    catalogue->rows = kept;
    catalogue->gone = 0;
}

int32_t catalogue_drop(struct catalogue *catalogue, uint64_t product_id)
{
    uint64_t at;
    const int32_t found = find(catalogue, product_id, &at);

    if (found == CATALOGUE_OK) {
        catalogue_account(catalogue, at, UINT64_MAX);
        catalogue->column[HEAD][at] |= CATALOGUE_GONE;
        catalogue->gone++;
        if (catalogue->gone >= GONE_LEAST && catalogue->gone > catalogue->rows / GONE_PARTS) {
            take_out_the_gone(catalogue);
        }
    }
    return found;
}
