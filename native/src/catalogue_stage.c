/* Rows that come in any order at a start, and what their segments amount to; see segment_scan.h. */
#include "segment_scan.h"

#include "catalogue_columns.h"

#include <stddef.h>
#include <stdlib.h>

/* A staged row in line: by identity, then as it came. */
struct staged {
    uint64_t product_id;
    uint64_t at;
};

int32_t catalogue_stage(struct catalogue *catalogue, const struct catalogue_row *row)
{
    if (catalogue == NULL || row == NULL || !catalogue_fits(row)) {
        return CATALOGUE_E_RANGE;
    }
    const uint64_t at = catalogue_at(catalogue, row->product_id);

    if (at < catalogue->rows && catalogue_id(catalogue->column[HEAD][at]) == row->product_id) {
        const uint64_t head = catalogue->column[HEAD][at];

        if (!(head & (CATALOGUE_UNTOLD | CATALOGUE_GONE))) {
            return 0;
        }
        if (head & CATALOGUE_GONE) {
            catalogue->gone--;
        } else {
            catalogue_account(catalogue, at, UINT64_MAX);
        }
        catalogue_write(catalogue, at, row);
        catalogue_account(catalogue, at, 1);
        return 1;
    }
    const int32_t made = catalogue_make_room(catalogue);

    if (made != CATALOGUE_OK) {
        return made;
    }
    catalogue_write(catalogue, catalogue->rows + catalogue->staged, row);
    if (at == catalogue->rows && catalogue->staged == 0) {
        catalogue_account(catalogue, at, 1);
        catalogue->rows++;
    } else {
        catalogue->staged++;
    }
    return 1;
}

static bool before(const struct staged *a, const struct staged *b)
{
    return a->product_id != b->product_id ? a->product_id < b->product_id : a->at < b->at;
}

static void sink(struct staged *line, uint64_t node, uint64_t count)
{
    for (uint64_t child = 2 * node + 1; child < count; child = 2 * node + 1) {
        if (child + 1 < count && before(&line[child], &line[child + 1])) {
            child++;
        }
        if (!before(&line[node], &line[child])) {
            return;
        }
        const struct staged higher = line[child];

        line[child] = line[node];
        line[node] = higher;
        node = child;
    }
}

/* Sorts, and leaves the last of each identity; returns how many are left. */
static uint64_t put_in_line(struct staged *line, uint64_t count)
{
    uint64_t kept = 0;

    for (uint64_t node = count / 2; node > 0; node--) {
        sink(line, node - 1, count);
    }
    for (uint64_t left = count; left > 1; left--) {
        const struct staged last = line[0];

        line[0] = line[left - 1];
        line[left - 1] = last;
        sink(line, 0, left - 1);
    }
    for (uint64_t i = 0; i < count; i++) {
        if (kept > 0 && line[kept - 1].product_id == line[i].product_id) {
            kept--;
        }
        line[kept++] = line[i];
    }
    return kept;
}

/* Merges one column from its end; `words` takes its staged part out of the way. HEAD comes last. */
static void merge(struct catalogue *catalogue, int column, const struct staged *line,
                  uint64_t count, uint64_t *words)
{
    uint64_t *into = catalogue->column[column];
    const uint64_t *head = catalogue->column[HEAD];
    uint64_t sorted = catalogue->rows, staged = count;

    for (uint64_t i = 0; i < count; i++) {
        words[i] = into[line[i].at];
    }
    while (staged > 0) {
        const uint64_t at = sorted + staged - 1;

        if (sorted > 0 && catalogue_id(head[sorted - 1]) > line[staged - 1].product_id) {
            into[at] = into[--sorted];
        } else {
            into[at] = words[--staged];
        }
    }
}

int32_t catalogue_settle(struct catalogue *catalogue)
{
    if (catalogue == NULL || catalogue->staged == 0) {
        return catalogue == NULL ? CATALOGUE_E_RANGE : CATALOGUE_OK;
    }
    struct staged *line = malloc((size_t)catalogue->staged * sizeof *line);
    uint64_t *words = malloc((size_t)catalogue->staged * sizeof *words);
    const bool enough = line != NULL && words != NULL;

    if (enough) {
        for (uint64_t i = 0; i < catalogue->staged; i++) {
            const uint64_t at = catalogue->rows + i;

            line[i] = (struct staged){catalogue_id(catalogue->column[HEAD][at]), at};
        }
        const uint64_t count = put_in_line(line, catalogue->staged);

        for (uint64_t i = 0; i < count; i++) {
            catalogue_account(catalogue, line[i].at, 1);
        }
        for (int i = COLUMNS - 1; i >= HEAD; i--) {
            merge(catalogue, i, line, count, words);
        }
        catalogue->rows += count;
        catalogue->staged = 0;
    }
    free(line);
    free(words);
    return enough ? CATALOGUE_OK : CATALOGUE_E_MEMORY;
}

/* Which of the ascending segments; `count` for none of them. */
static uint32_t index_of(const uint32_t *segments, uint32_t count, uint32_t segment)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (segments[middle] < segment) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && segments[low] == segment ? low : count;
}

int32_t segment_room_of(const struct catalogue *catalogue, uint32_t count, const uint32_t *segments,
                        uint32_t state, uint64_t *alive_bytes, uint64_t *end_bytes)
{
    struct catalogue_row row;

    if (catalogue == NULL || segments == NULL || alive_bytes == NULL || end_bytes == NULL) {
        return CATALOGUE_E_RANGE;
    }
    memset(alive_bytes, 0, count * sizeof *alive_bytes);
    memset(end_bytes, 0, count * sizeof *end_bytes);
    for (uint64_t at = 0; at < catalogue->rows; at++) {
        catalogue_read(catalogue, at, &row);
        const uint32_t i = index_of(segments, count, row.segment);
        const uint64_t room =
            (SEGMENT_HEADER_BYTES + row.manifest_bytes + row.size_bytes + 7) / 8 * 8;

        if (i < count && !(catalogue->column[HEAD][at] & CATALOGUE_GONE)) {
            alive_bytes[i] += row.state < state ? room : 0;
            end_bytes[i] = row.offset + room > end_bytes[i] ? row.offset + room : end_bytes[i];
        }
    }
    return CATALOGUE_OK;
}

uint64_t segment_drop_others(struct catalogue *catalogue, uint32_t count, const uint32_t *segments,
                             uint32_t state)
{
    struct catalogue_row row;
    uint64_t lost = 0;

    for (uint64_t at = 0; catalogue != NULL && segments != NULL && at < catalogue->rows;) {
        catalogue_read(catalogue, at, &row);
        const bool missing = index_of(segments, count, row.segment) == count;
        const bool gone = catalogue->column[HEAD][at] & CATALOGUE_GONE;

        at++;
        if (!gone && (missing || row.state >= state)) {
            lost += row.state < state;
            catalogue_drop(catalogue, row.product_id);
            at = catalogue_at(catalogue, row.product_id + 1); /* dropping may move what follows */
        }
    }
    return lost;
}
