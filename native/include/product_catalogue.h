/*
 * product_catalogue.h - everything the product store holds, in 48 octets a product.
 *
 * Hop of the flow "image to ground": a product is durable -> [known here] -> sent when it is its
 * turn. A million of them wait on a node that has gone without contacts; names, check values and
 * dependencies are in each record's manifest on the medium, and are read when a product comes near.
 *
 * Rows are columns of eight octets in order of identity. Identities only grow in the long run: an
 * append costs O(1) then, O(rows) where one comes out of order. Finding is a binary search. Rows
 * dropped are marked, and taken out together when they are a fourth of all. No clock, no device; one
 * thread at a time. Memory is taken by realloc, and its lack is an error that changes nothing.
 *
 * Rows are either near (whoever sends them knows them himself) or far: known here alone. Selecting
 * looks at far rows and nothing else, all of them, once: about 1 ms a million.
 */
#ifndef LUMENODE_PRODUCT_CATALOGUE_H
#define LUMENODE_PRODUCT_CATALOGUE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CATALOGUE_ID_MAX         281474976710655 /* 48 bits */
#define CATALOGUE_SIZE_BYTES_MAX 1099511627775   /* 40 bits */
#define CATALOGUE_KINDS          8               /* producers and classes there can be, each */
#define CATALOGUE_SELECT_MAX     4096            /* rows one selection gives at most */

#define CATALOGUE_FAR    1 /* known here alone */
#define CATALOGUE_ASKS   2 /* the ground has to be asked before it is sent */
#define CATALOGUE_UNTOLD 4 /* found in the log alone: nobody was told that it is durable */

enum catalogue_err {
    CATALOGUE_OK = 0,
    CATALOGUE_E_RANGE = -1,   /* NULL, or a number too large for its field: caller's mistake */
    CATALOGUE_E_MEMORY = -2,  /* no more memory; nothing was changed */
    CATALOGUE_E_THERE = -3,   /* that identity is in already */
    CATALOGUE_E_UNKNOWN = -4, /* that identity is not in */
};

/* Which end of the ranking a selection gives first; equal keys: the smaller identity. */
enum catalogue_order { CATALOGUE_DENSEST, CATALOGUE_LEAST_DENSE };

struct catalogue;

struct catalogue_row {
    uint64_t product_id;
    double key;           /* rank by value per byte, greater goes first; not a NaN */
    int64_t value_millis; /* worth in thousandths, >= 0 */
    int64_t deadline_ns;  /* mission time, INT64_MAX: none */
    uint64_t size_bytes;  /* at most 40 bits */
    uint32_t segment;     /* where its record begins; 0: not written yet */
    uint32_t offset;
    uint16_t manifest_bytes;
    uint8_t klass;    /* below CATALOGUE_KINDS, as `producer` */
    uint8_t producer; /* whose quota of the store it counts to */
    uint8_t state;    /* 0 to 3 */
    uint8_t flags;    /* CATALOGUE_FAR and so on */
};

struct catalogue_sums {
    uint64_t products;
    uint64_t size_bytes;
    uint64_t value_millis; /* modulo 2^64 */
};

/* Which rows are meant: bit 0 of a mask is class 0 and so on; `flags` are those of `flag_mask`. */
struct catalogue_choice {
    uint32_t klasses;
    uint32_t producers;
    uint32_t states;
    uint32_t flag_mask;
    uint32_t flags;
};

/* An empty catalogue, NULL without memory; and its end (NULL allowed). */
struct catalogue *catalogue_new(void);
void catalogue_free(struct catalogue *catalogue);

/* CATALOGUE_E_RANGE, _MEMORY, _THERE. */
int32_t catalogue_append(struct catalogue *catalogue, const struct catalogue_row *row);

/* `row` (NULL allowed) is written on success only. CATALOGUE_E_UNKNOWN, _RANGE. */
int32_t catalogue_find(const struct catalogue *catalogue, uint64_t product_id,
                       struct catalogue_row *row);

/* Changes of one row. CATALOGUE_E_UNKNOWN, _RANGE. */
int32_t catalogue_set_state(struct catalogue *catalogue, uint64_t product_id, uint32_t state);
int32_t catalogue_set_flags(struct catalogue *catalogue, uint64_t product_id, uint32_t mask,
                            uint32_t flags); /* those of the mask */
int32_t catalogue_move(struct catalogue *catalogue, uint64_t product_id, uint32_t segment,
                       uint32_t offset);
int32_t catalogue_revalue(struct catalogue *catalogue, uint64_t product_id, int64_t value_millis,
                          double key);
int32_t catalogue_drop(struct catalogue *catalogue, uint64_t product_id);

/* Rows whose state is in the mask (bit 0: state 0), and octets of memory taken for all. */
uint64_t catalogue_count(const struct catalogue *catalogue, uint32_t states);
uint64_t catalogue_memory_bytes(const struct catalogue *catalogue);

/* What all rows (or the far ones alone) of a producer and class amount to. CATALOGUE_E_RANGE. */
int32_t catalogue_sums_of(const struct catalogue *catalogue, uint32_t far_alone, uint32_t producer,
                          uint32_t klass, struct catalogue_sums *sums);

/* All rows whose state is in `states` are far from now on; those in `asking` have to be asked about. */
void catalogue_put_all_away(struct catalogue *catalogue, uint32_t states, uint32_t asking);

/*
 * Up to `count` rows of `choice` from `from_id` on, in order of identity. To go on, ask from behind
 * the last.
 * @return rows written.
 */
uint32_t catalogue_list(const struct catalogue *catalogue, uint64_t from_id,
                        const struct catalogue_choice *choice, uint32_t count,
                        struct catalogue_row *rows);

/*
 * Up to `count` (at most CATALOGUE_SELECT_MAX) far rows of `choice`, the first of `order` first.
 * @return rows written.
 */
uint32_t catalogue_select(const struct catalogue *catalogue, enum catalogue_order order,
                          const struct catalogue_choice *choice, uint32_t count,
                          struct catalogue_row *rows);

/*
 * Up to `count` (at most CATALOGUE_SELECT_MAX) far rows with a deadline at or before `now_ns`, the
 * earliest first. Costs nothing as long as none can be due.
 * @return rows written.
 */
uint32_t catalogue_due(struct catalogue *catalogue, int64_t now_ns, uint32_t count,
                       struct catalogue_row *rows);

#ifdef __cplusplus
}
#endif

#endif
