/* The table behind link_states.h. */
#include "link_states.h"

#define OPENING LINK_STATE_OPENING
#define KNOWN   LINK_STATE_KNOWN
#define UP      LINK_STATE_UP
#define REFUSED LINK_STATE_REFUSED

#define DOWN   LINK_ACTION_DOWN
#define RENEW  LINK_ACTION_RENEW
#define LEARN  LINK_ACTION_LEARN
#define ANSWER LINK_ACTION_ANSWER
#define REFUSE LINK_ACTION_REFUSE
#define BEGIN  LINK_ACTION_UP
#define TELL   LINK_ACTION_TELL

/* clang-format off: a table reads by its columns */
static const struct link_transition TABLE[LINK_INPUTS][LINK_STATES] =
    {
        [LINK_INPUT_HELLO_NEW] =
            {
                [OPENING] = {KNOWN, LEARN | ANSWER},
                [KNOWN] = {KNOWN, LEARN | ANSWER},
                [UP] = {KNOWN, DOWN | LEARN | ANSWER},
                [REFUSED] = {KNOWN, LEARN | ANSWER},
            },
        [LINK_INPUT_HELLO_AGAIN] =
            {
                [OPENING] = {OPENING, 0}, /* nobody is known here */
                [KNOWN] = {KNOWN, ANSWER},
                [UP] = {UP, ANSWER},
                [REFUSED] = {REFUSED, 0}, /* nor here */
            },
        [LINK_INPUT_REPLY_NEW] =
            {
                [OPENING] = {UP, LEARN | BEGIN},
                [KNOWN] = {UP, LEARN | BEGIN},
                [UP] = {UP, DOWN | LEARN | BEGIN},
                [REFUSED] = {UP, LEARN | BEGIN},
            },
        [LINK_INPUT_REPLY] =
            {
                [OPENING] = {OPENING, 0},
                [KNOWN] = {UP, BEGIN},
                [UP] = {UP, 0},
                [REFUSED] = {REFUSED, 0},
            },
        [LINK_INPUT_MESSAGE] =
            {
                /* who sends more than HELLO was answered, and knows us */
                [OPENING] = {OPENING, 0},
                [KNOWN] = {UP, BEGIN},
                [UP] = {UP, 0},
                [REFUSED] = {REFUSED, 0},
            },
        [LINK_INPUT_UNFIT] =
            {
                [OPENING] = {REFUSED, REFUSE | TELL},
                [KNOWN] = {REFUSED, REFUSE | TELL},
                [UP] = {REFUSED, DOWN | REFUSE | TELL},
                [REFUSED] = {REFUSED, REFUSE},
            },
        [LINK_INPUT_REFUSE] =
            {
                [OPENING] = {REFUSED, TELL},
                [KNOWN] = {REFUSED, TELL},
                [UP] = {REFUSED, DOWN | TELL},
                [REFUSED] = {REFUSED, 0},
            },
        [LINK_INPUT_SILENT] =
            {
                [OPENING] = {OPENING, 0},
                [KNOWN] = {OPENING, RENEW},
                [UP] = {OPENING, DOWN | RENEW},
                [REFUSED] = {REFUSED, 0},
            },
        [LINK_INPUT_LINE] =
            {
                [OPENING] = {OPENING, RENEW},
                [KNOWN] = {OPENING, RENEW},
                [UP] = {OPENING, DOWN | RENEW},
                [REFUSED] = {OPENING, RENEW},
            },
};
/* clang-format on */

struct link_transition link_transition_of(enum link_state state, enum link_input input)
{
    return TABLE[input][state];
}
