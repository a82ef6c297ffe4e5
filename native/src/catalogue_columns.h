/*
 * catalogue_columns.h - how product_catalogue.h keeps its rows: shared by those who read them.
 */
#ifndef LUMENODE_CATALOGUE_COLUMNS_H
#define LUMENODE_CATALOGUE_COLUMNS_H

#include "product_catalogue.h"

#include <stdbool.h>
#include <string.h>

/* head: identity 48 | class 3 | producer 3 | state 2 | flags 8. RANK is the key as an integer. */
enum catalogue_column { HEAD, RANK, VALUE, DEADLINE, SIZE, PLACE, COLUMNS };

enum { ID_SHIFT = 16, KLASS_SHIFT = 13, PRODUCER_SHIFT = 10, STATE_SHIFT = 8 };

#define CATALOGUE_GONE 128u /* dropped: its words are still there */

struct catalogue {
    uint64_t *column[COLUMNS];
    uint64_t rows;        /* dropped ones included */
    uint64_t gone;        /* of these */
    uint64_t staged;      /* rows behind these, in no order and in no sum yet */
    uint64_t room;        /* rows that fit, staged ones included */
    int64_t due_ns;       /* no far row has an earlier deadline */
    uint64_t of_state[4]; /* living rows */
    struct catalogue_sums all[CATALOGUE_KINDS][CATALOGUE_KINDS]; /* by producer and class */
    struct catalogue_sums far[CATALOGUE_KINDS][CATALOGUE_KINDS];
};

static inline uint64_t catalogue_id(uint64_t head)
{
    return head >> ID_SHIFT;
}

static inline uint32_t catalogue_klass(uint64_t head)
{
    return (uint32_t)(head >> KLASS_SHIFT) & (CATALOGUE_KINDS - 1);
}

static inline uint32_t catalogue_producer(uint64_t head)
{
    return (uint32_t)(head >> PRODUCER_SHIFT) & (CATALOGUE_KINDS - 1);
}

static inline bool catalogue_is_far(uint64_t head)
{
    return (head & (CATALOGUE_FAR | CATALOGUE_GONE)) == CATALOGUE_FAR;
}

/* An integer that is ordered as the number is, -0.0 being 0.0. */
static inline int64_t catalogue_rank(double key)
{
    const double plain = key + 0.0;
    int64_t bits;

    memcpy(&bits, &plain, sizeof bits);
    return bits >= 0 ? bits : bits ^ INT64_MAX;
}

/* The inverse. */
static inline double catalogue_key(int64_t rank)
{
    const int64_t bits = rank >= 0 ? rank : rank ^ INT64_MAX;
    double key;

    memcpy(&key, &bits, sizeof key);
    return key;
}

/* One row as its user sees it. */
void catalogue_read(const struct catalogue *catalogue, uint64_t at, struct catalogue_row *row);

/* The other way; the row is in no sum yet. */
void catalogue_write(struct catalogue *catalogue, uint64_t at, const struct catalogue_row *row);

/* Room for a row more. CATALOGUE_E_MEMORY. */
int32_t catalogue_make_room(struct catalogue *catalogue);

/* Takes a row that is not dropped into the sums, or out of them (`sign` is one, or minus one). */
void catalogue_account(struct catalogue *catalogue, uint64_t at, uint64_t sign);

/* Whether every number has room in its field. */
bool catalogue_fits(const struct catalogue_row *row);

/* First row whose identity is not below `product_id`, dropped or not; `rows` if there is none. */
uint64_t catalogue_at(const struct catalogue *catalogue, uint64_t product_id);

#endif
