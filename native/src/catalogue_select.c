/* Which rows are far, which come first, what they amount to; see product_catalogue.h. */
#include "product_catalogue.h"

#include "catalogue_columns.h"

#include <stddef.h>

/* The best `count` so far as a heap with the worst of them on top: (rank, row), lowest is best. */
struct best {
    int64_t rank[CATALOGUE_SELECT_MAX];
    uint64_t at[CATALOGUE_SELECT_MAX];
    uint32_t held, count;
};

/* Rows are in order of identity, so the row decides between equal ranks. */
static bool worse(const struct best *best, uint32_t a, uint32_t b)
{
    return best->rank[a] != best->rank[b] ? best->rank[a] > best->rank[b]
                                          : best->at[a] > best->at[b];
}

static void swap(struct best *best, uint32_t a, uint32_t b)
{
    const int64_t rank = best->rank[a];
    const uint64_t at = best->at[a];

    best->rank[a] = best->rank[b];
    best->at[a] = best->at[b];
    best->rank[b] = rank;
    best->at[b] = at;
}

static void sink(struct best *best)
{
    uint32_t node = 0;

    for (uint32_t child = 1; child < best->held; child = 2 * node + 1) {
        if (child + 1 < best->held && worse(best, child + 1, child)) {
            child++;
        }
        if (!worse(best, child, node)) {
            return;
        }
        swap(best, node, child);
        node = child;
    }
}

static void offer(struct best *best, int64_t rank, uint64_t at)
{
    if (best->held < best->count) {
        uint32_t node = best->held++;

        best->rank[node] = rank;
        best->at[node] = at;
        while (node > 0 && worse(best, node, (node - 1) / 2)) {
            swap(best, node, (node - 1) / 2);
            node = (node - 1) / 2;
        }
    } else if (rank < best->rank[0]) { /* rows come in order: an equal one is worse */
        best->rank[0] = rank;
        best->at[0] = at;
        sink(best);
    }
}

static uint32_t give(struct best *best, const struct catalogue *catalogue,
                     struct catalogue_row *rows)
{
    const uint32_t found = best->held;

    while (best->held > 0) {
        catalogue_read(catalogue, best->at[0], &rows[best->held - 1]);
        best->held--;
        best->rank[0] = best->rank[best->held];
        best->at[0] = best->at[best->held];
        sink(best);
    }
    return found;
}

static bool begin(struct best *best, const struct catalogue *catalogue, uint32_t count,
                  const struct catalogue_row *rows)
{
    best->held = 0;
    best->count = count < CATALOGUE_SELECT_MAX ? count : CATALOGUE_SELECT_MAX;
    return catalogue != NULL && rows != NULL && count > 0;
}

void catalogue_put_all_away(struct catalogue *catalogue, uint32_t states, uint32_t asking)
{
    for (uint64_t at = 0; catalogue != NULL && at < catalogue->rows; at++) {
        const uint64_t head = catalogue->column[HEAD][at];
        const uint64_t state = head >> STATE_SHIFT & 3;
        const uint64_t flags = CATALOGUE_FAR | (asking >> state & 1 ? CATALOGUE_ASKS : 0);

        if (!(head & CATALOGUE_GONE) && states >> state & 1) {
            catalogue_account(catalogue, at, UINT64_MAX);
            catalogue->column[HEAD][at] = (head & ~(uint64_t)CATALOGUE_ASKS) | flags;
            catalogue_account(catalogue, at, 1);
        }
    }
}

static bool chosen(const struct catalogue_choice *choice, uint64_t head)
{
    return !(head & CATALOGUE_GONE) && choice->klasses >> catalogue_klass(head) & 1 &&
           choice->producers >> catalogue_producer(head) & 1 &&
           choice->states >> (head >> STATE_SHIFT & 3) & 1 &&
           (head & choice->flag_mask) == choice->flags;
}

uint32_t catalogue_select(const struct catalogue *catalogue, enum catalogue_order order,
                          const struct catalogue_choice *choice, uint32_t count,
                          struct catalogue_row *rows)
{
    struct best best;

    if (!begin(&best, catalogue, count, rows) || choice == NULL) {
        return 0;
    }
    for (uint64_t at = 0; at < catalogue->rows; at++) {
        const uint64_t head = catalogue->column[HEAD][at];

        if (catalogue_is_far(head) && chosen(choice, head)) {
            const int64_t rank = (int64_t)catalogue->column[RANK][at];

            offer(&best, order == CATALOGUE_DENSEST ? ~rank : rank, at);
        }
    }
    return give(&best, catalogue, rows);
}

uint32_t catalogue_due(struct catalogue *catalogue, int64_t now_ns, uint32_t count,
                       struct catalogue_row *rows)
{
    int64_t next_ns = INT64_MAX;
    struct best best;

    if (!begin(&best, catalogue, count, rows) || now_ns < catalogue->due_ns) {
        return 0;
    }
    for (uint64_t at = 0; at < catalogue->rows; at++) {
        const int64_t deadline_ns = (int64_t)catalogue->column[DEADLINE][at];

        if (deadline_ns != INT64_MAX && catalogue_is_far(catalogue->column[HEAD][at])) {
            next_ns = deadline_ns < next_ns ? deadline_ns : next_ns;
            if (deadline_ns <= now_ns) {
                offer(&best, deadline_ns, at);
            }
        }
    }
    catalogue->due_ns = next_ns;
    return give(&best, catalogue, rows);
}

uint32_t catalogue_list(const struct catalogue *catalogue, uint64_t from_id,
                        const struct catalogue_choice *choice, uint32_t count,
                        struct catalogue_row *rows)
{
    uint32_t found = 0;

    if (catalogue == NULL || choice == NULL || rows == NULL) {
        return 0;
    }
    for (uint64_t at = catalogue_at(catalogue, from_id); at < catalogue->rows && found < count;
         at++) {
        if (chosen(choice, catalogue->column[HEAD][at])) {
            catalogue_read(catalogue, at, &rows[found++]);
        }
    }
    return found;
}

uint64_t catalogue_count(const struct catalogue *catalogue, uint32_t states)
{
    uint64_t count = 0;

    for (int state = 0; catalogue != NULL && state <= 3; state++) {
        count += states >> state & 1 ? catalogue->of_state[state] : 0;
    }
    return count;
}

uint64_t catalogue_memory_bytes(const struct catalogue *catalogue)
{
    return catalogue == NULL ? 0 : sizeof *catalogue + catalogue->room * COLUMNS * sizeof(uint64_t);
}

int32_t catalogue_sums_of(const struct catalogue *catalogue, uint32_t far_alone, uint32_t producer,
                          uint32_t klass, struct catalogue_sums *sums)
{
    if (catalogue == NULL || sums == NULL || producer >= CATALOGUE_KINDS ||
        klass >= CATALOGUE_KINDS) {
        return CATALOGUE_E_RANGE;
    }
    *sums = far_alone ? catalogue->far[producer][klass] : catalogue->all[producer][klass];
    return CATALOGUE_OK;
}
