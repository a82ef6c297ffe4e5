/* A laser terminal's client against a terminal, over a line in virtual time. */
#include "term_client.h"

#include "hal.h"
#include "shared_word.h"
#include "term_stage.h"

#define MS 1000000ull

static struct term_client client;
static struct stage terminal;
static uint64_t rings[(2 * 4 * (6000 + 8) + 64 * 16) / 8 + 16];
static uint64_t now_ns;
static int cut; /* 1: nothing passes */

static void step_once(void)
{
    static uint8_t line[1 << 16];

    (void)term_client_step(&client, now_ns);
    uint32_t bytes = term_client_drain(&client, now_ns, line, sizeof line, sizeof line);

    if (!cut && bytes > 0) {
        stage_feed(&terminal, line, bytes, now_ns);
    }
    stage_step(&terminal, now_ns);
    bytes = link_session_drain(&terminal.session, now_ns, line, sizeof line, sizeof line);
    if (!cut && bytes > 0) {
        term_client_receive(&client, line, bytes, now_ns);
    }
    (void)term_client_step(&client, now_ns);
}

/* In steps of 5 ms. */
static void run(uint64_t for_ns)
{
    for (uint64_t end_ns = now_ns + for_ns; now_ns < end_ns; now_ns += 5 * MS) {
        step_once();
    }
}

static const struct term_link_view *look(void)
{
    return term_client_look(&client);
}

static void open_both(uint32_t baud)
{
    const struct term_link_config config = {
        .path = "x",
        .baud = baud,
        .tx_fifo_frames = 4,
        .rx_fifo_frames = 4,
        .max_frame_bytes = 6000,
        .boot_count = 3,
    };

    CHECK(term_client_ring_bytes(&config) <= sizeof rings);
    now_ns = 1000 * MS;
    cut = 0;
    term_client_init(&client, &config, (uint8_t *)rings, 1, now_ns);
    stage_open(&terminal, 2, now_ns);
    CHECK(look()->phase == TERM_LINK_CLOSED);
    term_client_line(&client, 1, now_ns);
    CHECK(look()->phase == TERM_LINK_WAITING);
    run(100 * MS);
    CHECK(look()->phase == TERM_LINK_UP);
}

static void the_map_is_read_again_and_again(void)
{
    open_both(0);
    CHECK(look()->regs[TERM_REG_MAGIC] == TERM_MAGIC);
    terminal.regs[TERM_REG_FLAGS] = 5;
    run(TERM_LINK_POLL_NS + 10 * MS);
    CHECK(look()->regs[TERM_REG_FLAGS] == 5);
    CHECK(now_ns - look()->regs_t_ns <= TERM_LINK_POLL_NS + 10 * MS);
    uint64_t polls = look()->counters.polls;

    run(1000 * MS);
    CHECK(look()->counters.polls - polls >= 15 && look()->counters.polls - polls <= 21);
    CHECK(look()->frame_bytes_max == STAGE_FRAME_BYTES);
}

static void a_slow_line_is_asked_less_often(void)
{
    open_both(38400);
    uint64_t polls = look()->counters.polls;

    run(10000 * MS);
    CHECK(look()->counters.polls - polls <= 34 && look()->counters.polls - polls >= 20);
}

static void what_is_ordered_arrives_in_order_and_shows_in_the_next_view(void)
{
    open_both(0);
    CHECK(term_client_order(&client, TERM_REG_TARGET_ID, 9) == HAL_OK);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    run(20 * MS);
    CHECK(terminal.written == 2);
    CHECK(terminal.written_reg[0] == TERM_REG_TARGET_ID && terminal.written_value[0] == 9);
    CHECK(terminal.written_reg[1] == TERM_REG_LASER_ENABLE && terminal.written_value[1] == 1);
    CHECK(look()->regs[TERM_REG_TARGET_ID] == 9 && look()->regs[TERM_REG_LASER_ENABLE] == 1);
    CHECK(look()->counters.writes == 2);
}

static void off_and_then_another_target_are_obeyed_in_this_order(void)
{
    open_both(0);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    run(20 * MS);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 0) == HAL_OK);
    CHECK(term_client_order(&client, TERM_REG_TARGET_ID, 2) == HAL_OK);
    run(20 * MS);
    CHECK(terminal.written == 3);
    CHECK(terminal.written_reg[1] == TERM_REG_LASER_ENABLE && terminal.written_value[1] == 0);
    CHECK(terminal.written_reg[2] == TERM_REG_TARGET_ID);
}

static void on_and_off_in_one_breath_is_off(void)
{
    open_both(0);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 0) == HAL_OK);
    run(50 * MS);
    CHECK(terminal.regs[TERM_REG_LASER_ENABLE] == 0);
}

static void a_guards_word_inhibits(void)
{
    open_both(0);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    run(20 * MS);
    shared_word_store(&client.inhibit, 1);
    run(10 * MS);
    CHECK(terminal.regs[TERM_REG_INHIBIT] == 1 && terminal.regs[TERM_REG_LASER_ENABLE] == 0);
    CHECK(term_client_order(&client, TERM_REG_INHIBIT, 0) == HAL_OK);
    run(10 * MS);
    CHECK(terminal.regs[TERM_REG_INHIBIT] == 0);
}

static void a_reset_lifts_the_inhibit_on_both_sides(void)
{
    open_both(0);
    CHECK(term_client_order(&client, TERM_REG_INHIBIT, 1) == HAL_OK);
    run(20 * MS);
    CHECK(term_client_order(&client, TERM_REG_RESET, TERM_RESET_KEY) == HAL_OK);
    run(20 * MS);
    CHECK(shared_word_load(&client.inhibit) == 0 && terminal.regs[TERM_REG_INHIBIT] == 0);
}

static void an_inhibit_right_after_a_reset_stands(void)
{
    open_both(0);
    CHECK(term_client_order(&client, TERM_REG_INHIBIT, 1) == HAL_OK);
    run(20 * MS);
    /* In one breath: the word was 1 before, and is 1 when it is looked at. */
    CHECK(term_client_order(&client, TERM_REG_RESET, TERM_RESET_KEY) == HAL_OK);
    CHECK(term_client_order(&client, TERM_REG_INHIBIT, 1) == HAL_OK);
    run(20 * MS);
    CHECK(shared_word_load(&client.inhibit) == 1 && terminal.regs[TERM_REG_INHIBIT] == 1);
}

static void an_inhibit_lifted_in_the_same_breath_has_made_dark(void)
{
    open_both(0);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    run(20 * MS);
    CHECK(terminal.regs[TERM_REG_LASER_ENABLE] == 1);
    CHECK(term_client_order(&client, TERM_REG_INHIBIT, 1) == HAL_OK);
    CHECK(term_client_order(&client, TERM_REG_INHIBIT, 0) == HAL_OK);
    run(20 * MS);
    CHECK(terminal.regs[TERM_REG_LASER_ENABLE] == 0 && terminal.regs[TERM_REG_INHIBIT] == 0);
}

static void a_write_without_an_answer_is_repeated_and_a_refused_one_is_counted(void)
{
    open_both(0);
    terminal.mute = 1;
    CHECK(term_client_order(&client, TERM_REG_SCAN_URAD, 5) == HAL_OK);
    run(350 * MS);
    CHECK(terminal.written >= 3);
    CHECK(look()->counters.writes == 0 && look()->counters.writes_repeated >= 2);
    CHECK(look()->writes_pending == 1);
    CHECK(look()->counters.polls_lost >= 1);
    terminal.mute = 0;
    terminal.refuses = 1;
    run(200 * MS);
    CHECK(look()->counters.writes == 1 && look()->counters.writes_refused == 1);
    CHECK(look()->writes_pending == 0);
}

static void what_is_silent_grows_old_and_then_the_session_ends(void)
{
    open_both(0);
    CHECK(term_client_order(&client, TERM_REG_TARGET_ID, 7) == HAL_OK);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    run(50 * MS);
    cut = 1;
    run(1000 * MS);
    CHECK(now_ns - look()->regs_t_ns > TERM_LINK_STALE_NS);
    run(1000 * MS);
    CHECK(look()->phase == TERM_LINK_WAITING && look()->regs_t_ns == 0);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 1) == HAL_E_TIMEOUT);
    CHECK(term_client_order(&client, TERM_REG_RESET, TERM_RESET_KEY) == HAL_E_TIMEOUT);
    cut = 0;
    terminal.regs[TERM_REG_TARGET_ID] = 0;
    run(1000 * MS);
    CHECK(look()->phase == TERM_LINK_UP && look()->counters.sessions == 2);
    CHECK(terminal.regs[TERM_REG_TARGET_ID] == 7);    /* told again */
    CHECK(terminal.regs[TERM_REG_LASER_ENABLE] == 0); /* but not lit again */
}

static void frames_go_one_a_credit_and_light_gives_it_back(void)
{
    static uint8_t frame[6000];

    open_both(0);
    CHECK(link_frames_room(&client.session.out) == STAGE_FRAMES);
    for (uint32_t i = 0; i < STAGE_FRAMES; i++) {
        CHECK(link_ring_push(&client.tx, frame, sizeof frame));
    }
    CHECK(link_frames_room(&client.session.out) == 0);
    run(50 * MS);
    CHECK(link_ring_count(&terminal.rx) == STAGE_FRAMES);
    stage_send_by_light(&terminal, 3, now_ns);
    run(50 * MS);
    CHECK(link_frames_room(&client.session.out) == 3);
    CHECK(look()->counters.tx_by_light == 3 && look()->counters.tx_flushed == 0);
    CHECK(link_ring_push(&client.tx, frame, 1));
    cut = 1;
    run(3000 * MS);
    CHECK(look()->counters.tx_by_light == 3 && look()->counters.tx_flushed == 2);
    CHECK(link_frames_room(&client.session.out) == 0);
}

static void frames_that_came_by_light_wait_to_be_taken(void)
{
    static uint8_t frame[5000];
    static uint8_t taken[6000];

    open_both(0);
    CHECK(link_ring_push(&terminal.tx, frame, sizeof frame));
    CHECK(link_ring_push(&terminal.tx, frame, 7));
    run(50 * MS);
    CHECK(link_ring_count(&client.rx) == 2);
    CHECK(link_ring_pop(&client.rx, taken, sizeof taken) == 5000);
    CHECK(link_ring_pop(&client.rx, taken, sizeof taken) == 7);
}

static void a_line_that_goes_away_is_counted_and_one_that_comes_starts_anew(void)
{
    open_both(0);
    term_client_line(&client, 0, now_ns);
    CHECK(look()->phase == TERM_LINK_CLOSED && look()->counters.line_losses == 1);
    CHECK(look()->regs_t_ns == 0);
    cut = 1;
    run(500 * MS);
    CHECK(look()->phase == TERM_LINK_CLOSED);
    cut = 0;
    term_client_line(&client, 1, now_ns);
    run(600 * MS);
    CHECK(look()->phase == TERM_LINK_UP && look()->counters.sessions == 2);
    CHECK(look()->counters.line_losses == 1);
}

static void a_terminal_that_does_not_fit_is_told_apart(void)
{
    open_both(0);
    terminal.session.config.role = LINK_ROLE_NODE;
    link_session_line_lost(&terminal.session, now_ns);
    run(100 * MS);
    CHECK(look()->phase == TERM_LINK_REFUSED && look()->refusal == LINK_REFUSED_ROLE);
    terminal.session.config.role = LINK_ROLE_TERMINAL;
    link_session_line_lost(&terminal.session, now_ns);
    run(600 * MS);
    CHECK(look()->phase == TERM_LINK_UP && look()->refusal == 0);
}

static void too_many_orders_are_refused_not_lost(void)
{
    uint32_t taken = 0;

    open_both(0);
    terminal.mute = 1;
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t reg = i % 2 == 0 ? TERM_REG_AZIMUTH_UDEG : TERM_REG_ELEVATION_UDEG;
        int32_t code = term_client_order(&client, reg, i);

        CHECK(code == HAL_OK || code == HAL_E_BUSY);
        taken += code == HAL_OK;
        (void)term_client_step(&client, now_ns);
    }
    CHECK(taken >= TERM_CLIENT_ORDERS && taken < 200);
    CHECK(term_client_order(&client, TERM_REG_LASER_ENABLE, 0) == HAL_OK);
    terminal.mute = 0;
    terminal.regs[TERM_REG_LASER_ENABLE] = 1;
    terminal.written = 0;
    run(150 * MS);
    CHECK(terminal.regs[TERM_REG_LASER_ENABLE] == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_map_is_read_again_and_again),
        PROMISE(a_slow_line_is_asked_less_often),
        PROMISE(what_is_ordered_arrives_in_order_and_shows_in_the_next_view),
        PROMISE(off_and_then_another_target_are_obeyed_in_this_order),
        PROMISE(on_and_off_in_one_breath_is_off),
        PROMISE(a_guards_word_inhibits),
        PROMISE(a_reset_lifts_the_inhibit_on_both_sides),
        PROMISE(an_inhibit_right_after_a_reset_stands),
        PROMISE(an_inhibit_lifted_in_the_same_breath_has_made_dark),
        PROMISE(a_write_without_an_answer_is_repeated_and_a_refused_one_is_counted),
        PROMISE(what_is_silent_grows_old_and_then_the_session_ends),
        PROMISE(frames_go_one_a_credit_and_light_gives_it_back),
        PROMISE(frames_that_came_by_light_wait_to_be_taken),
        PROMISE(a_line_that_goes_away_is_counted_and_one_that_comes_starts_anew),
        PROMISE(a_terminal_that_does_not_fit_is_told_apart),
        PROMISE(too_many_orders_are_refused_not_lost),
    };

    KEEP(PROMISES);
    return 0;
}
