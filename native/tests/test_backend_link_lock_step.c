/* The backend "link" in lock-step: one grant at a time, and what belongs to a tick goes before DONE. */
#define _GNU_SOURCE
#include "link_stage.h"

#include <poll.h>

static int lines[2];
static uint64_t tick;
static struct hal_link_grant grant;

static void open_up(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) == 0);
    stage_config(LINK_MODE_LOCK_STEP);
    link_config.fd = lines[0];
    CHECK(stage_open() == HAL_OK);
    far_open(far, lines[1], LINK_MODE_LOCK_STEP);
    tick = 0;
    stage_meet();
}

static void close_device(void)
{
    stage_close();
    CHECK(close(lines[1]) == 0);
}

/* The bench's part of a tick that begins at `from_ns`. */
static void give(uint64_t from_ns)
{
    struct link_grant given = {.tick = ++tick, .until_ns = from_ns + 99, .utc_ns = 5};

    far->sensors.tick = tick;
    far->sensors.sensors.t_ns = from_ns;
    CHECK(link_session_show_sensors(&far->session, &far->sensors) == HAL_OK);
    CHECK(link_session_grant(&far->session, &given) == HAL_OK);
    far_turn(far);
}

static int is_signalled(void)
{
    struct pollfd news = {.fd = hal_link_wake_fd(&dev), .events = POLLIN};

    return poll(&news, 1, 0) == 1;
}

static void a_grant_is_taken_once_with_the_sensors_of_its_tick(void)
{
    open_up();
    CHECK(hal_link_take_grant(&dev, &grant) == 0);
    give(1000);
    FAR_UNTIL(far, hal_link_take_grant(&dev, &grant) == 1);
    CHECK(grant.tick == 1 && grant.from_ns == 1000 && grant.until_ns == 1099 && grant.utc_ns == 5);
    CHECK(snapshot()->t_ns == 1000);
    CHECK(hal_link_take_grant(&dev, &grant) == 0);
    CHECK(phase() == HAL_LINK_UP && status.grants_taken == 1 && status.sensors_tick == 1);
    close_device();
}

static void what_was_set_goes_with_done_and_not_before(void)
{
    open_up();
    give(1000);
    FAR_UNTIL(far, hal_link_take_grant(&dev, &grant) == 1);
    CHECK(hal_set_payload_level(&dev, 6) == 6);
    CHECK(hal_submit_frame(&dev, (const uint8_t *)"abc", 3) >= 0);
    CHECK(hal_link_tell(&dev, (const uint8_t *)"told", 4) == HAL_OK);
    FAR_UNTIL(far, link_ring_count(&far->rx) == 1 && far->records_heard == 1);
    CHECK(far->told.payload_level == 0 && far->dones == 0);
    CHECK(hal_link_done(&dev) == HAL_OK);
    FAR_UNTIL(far, far->dones == 1);
    CHECK(far->told.payload_level == 6 && far->told.tick == 1);
    CHECK(far->done.tick == 1 && far->done.frames_sent == 1);
    CHECK(far->done.actuators_number == far->told.number);
    CHECK(hal_link_done(&dev) == HAL_E_BUSY);
    close_device();
}

static void room_for_frames_is_told_with_the_tick_in_which_it_was_made(void)
{
    uint8_t buffer[16];

    open_up();
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(link_ring_push(&far->tx, (const uint8_t *)"frame", 5));
    }
    give(1000);
    FAR_UNTIL(far, hal_link_take_grant(&dev, &grant) == 1);
    CHECK(link_frames_room(&far->session.out) == 0 && snapshot()->rx_pending == 3);
    CHECK(hal_receive_frame(&dev, buffer, sizeof buffer) == 5);
    CHECK(hal_receive_frame(&dev, buffer, sizeof buffer) == 5);
    CHECK(hal_link_done(&dev) == HAL_OK);
    FAR_UNTIL(far, far->dones == 1);
    CHECK(link_frames_room(&far->session.out) == 2);
    close_device();
}

static void a_done_that_was_lost_is_said_again(void)
{
    struct link_grant given = {.tick = 1, .until_ns = 1099, .utc_ns = 5};

    open_up();
    give(1000);
    FAR_UNTIL(far, hal_link_take_grant(&dev, &grant) == 1);
    CHECK(hal_link_done(&dev) == HAL_OK);
    FAR_UNTIL(far, far->dones == 1);
    CHECK(link_session_show_sensors(&far->session, &far->sensors) == HAL_OK);
    CHECK(link_session_grant(&far->session, &given) == HAL_OK);
    FAR_UNTIL(far, far->dones == 2);
    CHECK(hal_link_take_grant(&dev, &grant) == 0); /* done is done */
    close_device();
}

static void waiting_ends_with_a_grant_or_without(void)
{
    open_up();
    CHECK(hal_link_wait_grant(&dev, 0, &grant) == 0);
    CHECK(hal_link_wait_grant(&dev, 1, &grant) == 0);
    give(1000);
    FAR_UNTIL(far, is_signalled());
    CHECK(hal_link_wait_grant(&dev, UINT64_MAX, &grant) == 1 && grant.from_ns == 1000);
    give(2000);
    FAR_UNTIL(far, hal_link_wait_grant(&dev, 1000000, &grant) == 1);
    CHECK(grant.from_ns == 2000);
    close_device();
}

static void the_signal_is_up_while_there_is_a_grant_or_a_phase_not_seen(void)
{
    open_up();
    CHECK(phase() == HAL_LINK_UP);
    FAR_UNTIL(far, !is_signalled() || phase() == HAL_LINK_RESET);
    give(1000);
    FAR_UNTIL(far, is_signalled());
    CHECK(phase() == HAL_LINK_UP && is_signalled()); /* the grant is still there */
    CHECK(hal_link_take_grant(&dev, &grant) == 1 && !is_signalled());
    far_open(far, lines[1], LINK_MODE_FREE_RUN); /* another bench, which does not fit */
    FAR_UNTIL(far, is_signalled());
    CHECK(hal_link_take_grant(&dev, &grant) == 0 && is_signalled()); /* the phase is not seen */
    CHECK(phase() == HAL_LINK_REFUSED && status.refusal == LINK_REFUSED_MODE);
    close_device();
}

static void a_grant_of_a_session_that_ended_is_void(void)
{
    open_up();
    give(1000);
    FAR_UNTIL(far, is_signalled());
    far_open(far, lines[1], LINK_MODE_LOCK_STEP);
    FAR_UNTIL(far,
              far->session.state == LINK_STATE_UP && phase() == HAL_LINK_UP && status.ups == 2);
    if (hal_link_take_grant(&dev, &grant) == 1) {
        CHECK(hal_link_done(&dev) == HAL_OK); /* of the old bench: nobody is told */
    }
    tick = 0;
    give(3000);
    FAR_UNTIL(far, hal_link_take_grant(&dev, &grant) == 1);
    CHECK(grant.tick == 1 && grant.from_ns == 3000 && far->dones == 0);
    CHECK(hal_link_done(&dev) == HAL_OK);
    FAR_UNTIL(far, far->dones == 1);
    close_device();
}

static void time_goes_on_from_where_it_was_when_a_bench_begins_anew(void)
{
    open_up();
    give(5000);
    FAR_UNTIL(far, hal_link_take_grant(&dev, &grant) == 1);
    CHECK(snapshot()->t_ns == 5000);
    far_open(far, lines[1], LINK_MODE_LOCK_STEP);
    FAR_UNTIL(far, far->session.state == LINK_STATE_UP);
    tick = 0;
    give(10);
    FAR_UNTIL(far, hal_link_take_grant(&dev, &grant) == 1);
    CHECK(grant.from_ns == 10 && snapshot()->t_ns == 5000);
    close_device();
}

static void when_the_power_is_gone_there_are_no_grants(void)
{
    uint8_t cause[LINK_WORD_BYTES];

    open_up();
    (void)link_put_word(&(struct link_word){HAL_RESET_COMMANDED}, cause);
    CHECK(link_session_post(&far->session, LINK_NODE_RESET, cause, sizeof cause) == HAL_OK);
    FAR_UNTIL(far, hal_link_take_grant(&dev, &grant) == HAL_E_NODEV);
    CHECK(hal_link_wait_grant(&dev, 1000, &grant) == HAL_E_NODEV);
    CHECK(hal_link_done(&dev) == HAL_E_NODEV && phase() == HAL_LINK_RESET);
    close_device();
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_grant_is_taken_once_with_the_sensors_of_its_tick),
        PROMISE(what_was_set_goes_with_done_and_not_before),
        PROMISE(room_for_frames_is_told_with_the_tick_in_which_it_was_made),
        PROMISE(a_done_that_was_lost_is_said_again),
        PROMISE(waiting_ends_with_a_grant_or_without),
        PROMISE(the_signal_is_up_while_there_is_a_grant_or_a_phase_not_seen),
        PROMISE(a_grant_of_a_session_that_ended_is_void),
        PROMISE(time_goes_on_from_where_it_was_when_a_bench_begins_anew),
        PROMISE(when_the_power_is_gone_there_are_no_grants),
    };

    KEEP(PROMISES);
    return 0;
}
