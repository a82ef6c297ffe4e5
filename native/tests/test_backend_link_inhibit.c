/* The inhibit of a terminal at the far end of a "link" device, over sessions that end. */
#define _GNU_SOURCE
#include "backend_link.h"
#include "link_far_end.h"

#include <stdlib.h>

static struct hal dev;
static struct hal_config config;
static struct hal_link_config link_config;
static struct far_end *far;
static void *arena;
static int lines[2];

static uint32_t phase(void)
{
    struct hal_link_status status;

    CHECK(hal_link_read_status(&dev, &status) == HAL_OK);
    return status.phase;
}

static void open_up(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) == 0);
    CHECK(hal_config_init(&config, "link") == HAL_OK);
    CHECK(hal_link_config_init(&link_config) == HAL_OK);
    config.tx_fifo_frames = config.rx_fifo_frames = 1;
    config.backend_config = &link_config;
    link_config.fd = lines[0];
    int64_t bytes = hal_arena_bytes(&config);

    CHECK(bytes > 0);
    arena = malloc((size_t)bytes);
    far = malloc(sizeof *far);
    CHECK(arena != NULL && far != NULL);
    memset(&dev, 0, sizeof dev);
    CHECK(hal_open(&dev, &config, arena, (uint64_t)bytes) == HAL_OK);
    far_open(far, lines[1], LINK_MODE_FREE_RUN);
    FAR_UNTIL(far, phase() == HAL_LINK_UP && far->session.state == LINK_STATE_UP);
    far_show(far);
}

static void close_device(void)
{
    hal_close(&dev);
    CHECK(close(lines[1]) == 0);
    free(arena);
    free(far);
}

/* The terminal is a device of its own: it keeps its registers when the bench begins anew. */
static void begin_anew(void)
{
    uint32_t old = far->session.own_session;

    link_session_line_lost(&far->session, tick_monotonic_ns());
    far->deaf = 0;
    FAR_UNTIL(far, far->session.state == LINK_STATE_UP && far->session.own_session != old);
}

static void an_inhibit_lifted_while_its_session_ended_is_lifted_in_the_next(void)
{
    open_up();
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 1) == HAL_OK);
    FAR_UNTIL(far, far->registers[TERM_REG_INHIBIT] == 1);
    far->deaf = 1; /* what is written now is lost with the session */
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 0) == HAL_OK);
    for (int turns = 0; turns < 100; turns++) {
        far_turn(far);
    }
    begin_anew();
    FAR_UNTIL(far, far->registers[TERM_REG_INHIBIT] == 0);
    close_device();
}

static void an_inhibit_is_told_to_every_session_while_it_holds(void)
{
    open_up();
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 1) == HAL_OK);
    FAR_UNTIL(far, far->registers[TERM_REG_INHIBIT] == 1);
    far->registers[TERM_REG_INHIBIT] = 0; /* the terminal was switched off and on */
    begin_anew();
    FAR_UNTIL(far, far->registers[TERM_REG_INHIBIT] == 1);
    close_device();
}

/* Somebody at the terminal may have inhibited it: a node that never did does not lift that. */
static void a_node_that_never_inhibited_says_nothing_of_it(void)
{
    open_up();
    far->registers[TERM_REG_INHIBIT] = 1;
    begin_anew();
    CHECK(hal_term_write(&dev, TERM_REG_SCAN_URAD, 5) == HAL_OK);
    FAR_UNTIL(far, far->registers[TERM_REG_SCAN_URAD] == 5);
    CHECK(far->registers[TERM_REG_INHIBIT] == 1);
    close_device();
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(an_inhibit_lifted_while_its_session_ended_is_lifted_in_the_next),
        PROMISE(an_inhibit_is_told_to_every_session_while_it_holds),
        PROMISE(a_node_that_never_inhibited_says_nothing_of_it),
    };

    KEEP(PROMISES);
    return 0;
}
