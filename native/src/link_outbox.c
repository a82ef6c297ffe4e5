/* Two FIFOs of messages; see link_outbox.h. */
#include "link_outbox.h"

#include <string.h>

int link_outbox_put(struct link_outbox *outbox, uint8_t type, const uint8_t *payload,
                    uint32_t bytes)
{
    if (outbox->small_count == LINK_SMALL_WAITING || bytes > LINK_SMALL_BYTES_MAX) {
        return 0;
    }
    uint32_t at = (outbox->small_head + outbox->small_count) % LINK_SMALL_WAITING;
    struct link_small *small = &outbox->small[at];

    small->type = type;
    small->bytes = (uint8_t)bytes;
    memcpy(small->payload, payload, bytes);
    outbox->small_count++;
    return 1;
}

int link_outbox_put_test(struct link_outbox *outbox, uint8_t type, const uint8_t *payload,
                         uint32_t bytes)
{
    if (outbox->tests_count == LINK_TESTS_WAITING || bytes > LINK_PAYLOAD_BYTES_MAX) {
        return 0;
    }
    uint32_t at = (outbox->tests_head + outbox->tests_count) % LINK_TESTS_WAITING;
    struct link_draft *test = &outbox->tests[at];

    test->type = type;
    test->bytes = (uint16_t)bytes;
    if (bytes > 0) {
        memcpy(test->payload, payload, bytes);
    }
    outbox->tests_count++;
    return 1;
}

int link_outbox_take(struct link_outbox *outbox, struct link_draft *draft)
{
    const struct link_small *small = &outbox->small[outbox->small_head];

    if (outbox->small_count == 0) {
        return 0;
    }
    draft->type = small->type;
    draft->bytes = small->bytes;
    memcpy(draft->payload, small->payload, small->bytes);
    outbox->small_head = (outbox->small_head + 1) % LINK_SMALL_WAITING;
    outbox->small_count--;
    return 1;
}

int link_outbox_take_test(struct link_outbox *outbox, struct link_draft *draft)
{
    const struct link_draft *test = &outbox->tests[outbox->tests_head];

    if (outbox->tests_count == 0) {
        return 0;
    }
    draft->type = test->type;
    draft->bytes = test->bytes;
    memcpy(draft->payload, test->payload, test->bytes);
    outbox->tests_head = (outbox->tests_head + 1) % LINK_TESTS_WAITING;
    outbox->tests_count--;
    return 1;
}

uint32_t link_outbox_clear(struct link_outbox *outbox)
{
    uint32_t dropped = outbox->small_count + outbox->tests_count;

    outbox->small_count = 0;
    outbox->tests_count = 0;
    return dropped;
}
