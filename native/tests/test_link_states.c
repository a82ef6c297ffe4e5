/* The table of a session's states, row by row where a wrong row would be noticed too late. */
#include "check.h"
#include "link_states.h"

static struct link_transition go(enum link_state state, enum link_input input)
{
    return link_transition_of(state, input);
}

static void up_is_only_reached_by_who_was_answered(void)
{
    for (uint32_t state = 0; state < LINK_STATES; state++) {
        for (uint32_t input = 0; input < LINK_INPUTS; input++) {
            struct link_transition t = go((enum link_state)state, (enum link_input)input);
            int answered = input == LINK_INPUT_REPLY || input == LINK_INPUT_REPLY_NEW ||
                           input == LINK_INPUT_MESSAGE;

            CHECK(t.next < LINK_STATES);
            CHECK(t.next != LINK_STATE_UP || answered || state == LINK_STATE_UP);
            /* Beginning and being UP for the first time are the same thing. */
            CHECK(((t.actions & LINK_ACTION_UP) != 0) ==
                  (t.next == LINK_STATE_UP &&
                   (state != LINK_STATE_UP || (t.actions & LINK_ACTION_DOWN) != 0)));
            /* Who leaves UP voids what was outstanding. */
            CHECK(state != LINK_STATE_UP || t.next == LINK_STATE_UP ||
                  (t.actions & LINK_ACTION_DOWN) != 0);
            /* Who was not UP has nothing outstanding, and no end of it to be told of. */
            CHECK(state == LINK_STATE_UP || (t.actions & LINK_ACTION_DOWN) == 0);
        }
    }
}

static void a_restarted_peer_is_learned_from_every_state(void)
{
    for (uint32_t state = 0; state < LINK_STATES; state++) {
        CHECK(go((enum link_state)state, LINK_INPUT_HELLO_NEW).next == LINK_STATE_KNOWN);
        CHECK((go((enum link_state)state, LINK_INPUT_HELLO_NEW).actions & LINK_ACTION_LEARN) != 0);
        CHECK((go((enum link_state)state, LINK_INPUT_HELLO_NEW).actions & LINK_ACTION_ANSWER) != 0);
        CHECK(go((enum link_state)state, LINK_INPUT_REPLY_NEW).next == LINK_STATE_UP);
    }
}

static void who_lost_line_or_peer_draws_a_new_number(void)
{
    for (uint32_t state = 0; state < LINK_STATES; state++) {
        CHECK((go((enum link_state)state, LINK_INPUT_LINE).actions & LINK_ACTION_RENEW) != 0);
        CHECK(go((enum link_state)state, LINK_INPUT_LINE).next == LINK_STATE_OPENING);
    }
    CHECK((go(LINK_STATE_UP, LINK_INPUT_SILENT).actions & LINK_ACTION_RENEW) != 0);
    CHECK((go(LINK_STATE_KNOWN, LINK_INPUT_SILENT).actions & LINK_ACTION_RENEW) != 0);
}

static void a_refusal_is_told_once_and_answered_each_time(void)
{
    CHECK((go(LINK_STATE_UP, LINK_INPUT_UNFIT).actions & LINK_ACTION_TELL) != 0);
    CHECK(go(LINK_STATE_REFUSED, LINK_INPUT_UNFIT).actions == LINK_ACTION_REFUSE);
    CHECK(go(LINK_STATE_REFUSED, LINK_INPUT_REFUSE).actions == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(up_is_only_reached_by_who_was_answered),
        PROMISE(a_restarted_peer_is_learned_from_every_state),
        PROMISE(who_lost_line_or_peer_draws_a_new_number),
        PROMISE(a_refusal_is_told_once_and_answered_each_time),
    };

    KEEP(PROMISES);
    return 0;
}
