/*
 * segment_scan.h - a start: what the log and the index hold goes straight into the catalogue.
 *
 * Hop of the flow "image to ground": power comes back -> [known again] -> sent. A million records
 * have to be verified and understood in seconds, so headers, check values and manifests are read
 * here; what is rare (counters, state blobs) is handed on by its place. The rules are those of the
 * Python scanner, which the tests hold this one to:
 *
 *      record    magic 4 | version 1 | kind 1 | meta length 2 | identity 8 | length 4 | crc32c 4 |
 *                meta | payload, big endian, beginning at multiples of eight
 *
 * A scan ends at zeros and at a torn record; a damaged one is stepped over when another record
 * begins behind the room it claims. No byte of the buffer is trusted.
 *
 * Rows found here may come in any order: they are staged behind those in order, and put among them
 * by catalogue_settle(), which needs 24 octets a staged row for as long as it runs. Until then they
 * are not found, listed, selected or counted.
 */
#ifndef LUMENODE_SEGMENT_SCAN_H
#define LUMENODE_SEGMENT_SCAN_H

#include "product_catalogue.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEGMENT_HEADER_BYTES 24
#define SEGMENT_NOTES_MAX    4096 /* records told of a call */

enum segment_verdict {
    SEGMENT_END = 0,   /* there is no further record */
    SEGMENT_MORE = 1,  /* go on at `offset` with at least `need_bytes`, or up to the end */
    SEGMENT_NOTED = 2, /* `notes` are full: read them, then go on at `offset` */
    /* and the codes of catalogue_err */
};

/* A valid record. Products at or behind `told_bytes` whose manifest makes sense are in already. */
struct segment_note {
    uint64_t identity;   /* as the header gives it */
    uint64_t product_id; /* of a product: as its manifest gives it */
    uint64_t offset;     /* where the record begins */
    uint32_t kind;       /* 1: product, 2: counter, 3: state */
    uint32_t meta_bytes; /* behind the header */
    uint32_t length;     /* of meta and payload */
    uint32_t is_new;     /* 1: a product that is in the catalogue because of this record */
};

struct segment_scan {
    uint64_t segment_bytes; /* size of the segment */
    uint64_t told_bytes;    /* records below are known; they are noted, and not taken in */
    int64_t ageing_ns;      /* as `density_key` has it; 0: time counts nothing */
    uint32_t segment;
    uint32_t state; /* and flags of the rows added */
    uint32_t flags;
    uint32_t note_count;
    uint64_t offset;     /* in and out: where the next record begins */
    uint64_t need_bytes; /* out: with SEGMENT_MORE */
    uint64_t end_bytes;  /* in and out: behind the last valid record at or behind `told_bytes` */
    uint64_t unreadable; /* in and out: valid records of products whose manifest makes no sense */
    struct segment_note notes[SEGMENT_NOTES_MAX];
};

/*
 * Goes through the records in `bytes` octets that begin at `scan->offset` of the segment. A product
 * that the catalogue holds already is left as it is, unless that row is CATALOGUE_UNTOLD too: then
 * the newer record counts.
 * @return a verdict; CATALOGUE_E_RANGE, _MEMORY.
 */
int32_t segment_scan(struct catalogue *catalogue, struct segment_scan *scan, const uint8_t *data,
                     uint64_t bytes);

/*
 * One row of the index: a manifest as it was written, and what the index says beside it. `row` is
 * filled from the manifest (segment, offset, state and flags are left as they are).
 * @return CATALOGUE_OK; CATALOGUE_E_RANGE: the manifest makes no sense, nothing is written.
 */
int32_t stored_manifest(const uint8_t *manifest, uint64_t bytes, int64_t ageing_ns,
                        struct catalogue_row *row);

/*
 * `count` rows of the index at once, each as if by stored_manifest() and catalogue_append(), behind
 * each other in `manifests` with their `lengths`. `taken` says of each whether it is in (1): its
 * manifest makes sense and bears that identity.
 * @return CATALOGUE_OK; CATALOGUE_E_RANGE (lengths do not fit into `manifest_bytes`), _MEMORY.
 */
int32_t segment_index_rows(struct catalogue *catalogue, uint32_t count, int64_t ageing_ns,
                           const uint64_t *product_ids, const uint32_t *segments,
                           const uint32_t *offsets, const uint8_t *states, const uint8_t *manifests,
                           const uint32_t *lengths, uint64_t manifest_bytes, uint8_t *taken);

/*
 * By segment (ascending): octets of records whose row's state is below `state`, and the end of the
 * last record of any row. Rows of other segments are passed over.
 */
int32_t segment_room_of(const struct catalogue *catalogue, uint32_t count, const uint32_t *segments,
                        uint32_t state, uint64_t *alive_bytes, uint64_t *end_bytes);

/*
 * Drops rows of `state` and above, and those of segments that are not among `segments` (ascending).
 * @return of the latter those below that state, which were lost.
 */
uint64_t segment_drop_others(struct catalogue *catalogue, uint32_t count, const uint32_t *segments,
                             uint32_t state);

/* Puts staged rows among the others: of equal identities the last one counts. CATALOGUE_E_MEMORY. */
int32_t catalogue_settle(struct catalogue *catalogue);

/* Stages a row, or writes it over the CATALOGUE_UNTOLD row of its identity. @return 1: taken. */
int32_t catalogue_stage(struct catalogue *catalogue, const struct catalogue_row *row);

#ifdef __cplusplus
}
#endif

#endif
