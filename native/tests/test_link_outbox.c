/* What waits on the channels of control and of tests. */
#include "check.h"
#include "link_outbox.h"

#include <string.h>

static struct link_outbox outbox;
static struct link_draft draft;

static void commands_keep_their_order_and_a_full_queue_drops_none(void)
{
    uint8_t payload[LINK_SMALL_BYTES_MAX];

    memset(&outbox, 0, sizeof outbox);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < LINK_SMALL_WAITING; i++) {
            memset(payload, (int)i, sizeof payload);
            CHECK(link_outbox_put(&outbox, LINK_REG_READ, payload, 1 + i));
        }
        CHECK(!link_outbox_put(&outbox, LINK_REG_READ, payload, 1));
        for (uint32_t i = 0; i < LINK_SMALL_WAITING - round; i++) {
            CHECK(link_outbox_take(&outbox, &draft));
            CHECK(draft.type == LINK_REG_READ && draft.bytes == 1 + i);
            CHECK(draft.payload[0] == i && draft.payload[i] == i);
        }
        while (link_outbox_take(&outbox, &draft)) {
        }
    }
}

static void tests_keep_their_order_whatever_their_length(void)
{
    static uint8_t payload[LINK_PAYLOAD_BYTES_MAX];

    memset(&outbox, 0, sizeof outbox);
    for (uint32_t i = 0; i < LINK_TESTS_WAITING; i++) {
        memset(payload, (int)(i + 1), sizeof payload);
        CHECK(link_outbox_put_test(&outbox, LINK_ECHO, payload, i * LINK_PAYLOAD_BYTES_MAX / 3));
    }
    CHECK(!link_outbox_put_test(&outbox, LINK_ECHO, payload, 1));
    for (uint32_t i = 0; i < LINK_TESTS_WAITING; i++) {
        CHECK(link_outbox_take_test(&outbox, &draft));
        CHECK(draft.bytes == i * LINK_PAYLOAD_BYTES_MAX / 3);
        CHECK(draft.bytes == 0 || draft.payload[draft.bytes - 1] == i + 1);
    }
    CHECK(!link_outbox_take_test(&outbox, &draft));
}

static void what_is_too_long_is_refused(void)
{
    static uint8_t payload[LINK_PAYLOAD_BYTES_MAX + 1];

    memset(&outbox, 0, sizeof outbox);
    CHECK(!link_outbox_put(&outbox, LINK_REG_VALUES, payload, LINK_SMALL_BYTES_MAX + 1));
    CHECK(!link_outbox_put_test(&outbox, LINK_ECHO, payload, sizeof payload));
    CHECK(!link_outbox_take(&outbox, &draft) && !link_outbox_take_test(&outbox, &draft));
}

static void clearing_tells_how_many_it_dropped(void)
{
    uint8_t payload[4] = {0};

    memset(&outbox, 0, sizeof outbox);
    CHECK(link_outbox_put(&outbox, LINK_REG_READ, payload, 4));
    CHECK(link_outbox_put_test(&outbox, LINK_ECHO, payload, 4));
    CHECK(link_outbox_put_test(&outbox, LINK_ECHO, payload, 4));
    CHECK(link_outbox_clear(&outbox) == 3 && link_outbox_clear(&outbox) == 0);
    CHECK(!link_outbox_take(&outbox, &draft) && !link_outbox_take_test(&outbox, &draft));
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(commands_keep_their_order_and_a_full_queue_drops_none),
        PROMISE(tests_keep_their_order_whatever_their_length),
        PROMISE(what_is_too_long_is_refused),
        PROMISE(clearing_tells_how_many_it_dropped),
    };

    KEEP(PROMISES);
    return 0;
}
