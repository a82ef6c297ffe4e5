/* The newest of a value; see link_latest.h. */
#include "link_latest.h"

#define COPY_MASK 3u
#define UNSEEN    4u

void link_latest_init(struct link_latest *latest)
{
    atomic_init(&latest->between, 1);
    latest->writing = 0;
    latest->reading = 2;
}

void link_latest_publish(struct link_latest *latest)
{
    uint32_t before =
        atomic_exchange_explicit(&latest->between, latest->writing | UNSEEN, memory_order_acq_rel);

    latest->writing = before & COPY_MASK;
}

uint32_t link_latest_take(struct link_latest *latest)
{
    if ((atomic_load_explicit(&latest->between, memory_order_acquire) & UNSEEN) != 0) {
        uint32_t before =
            atomic_exchange_explicit(&latest->between, latest->reading, memory_order_acq_rel);

        latest->reading = before & COPY_MASK;
    }
    return latest->reading;
}
