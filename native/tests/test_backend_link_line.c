/* The backend "link" and its line: a pseudo-terminal behind a name that is pulled and put back, lines
 * that cannot be opened, a far end that hangs up, and the last words of a node that ends. */
#define _GNU_SOURCE
#include "link_stage.h"

#include <limits.h>
#include <pty.h>
#include <termios.h>

static char folder[] = "/tmp/lumenode-line-XXXXXX";
static char name[PATH_MAX];
static int master;
static int slave;

/* A pseudo-terminal, raw, under the name. */
static void plug(void)
{
    char path[PATH_MAX];
    struct termios raw;

    CHECK(openpty(&master, &slave, path, NULL, NULL) == 0);
    CHECK(tcgetattr(slave, &raw) == 0);
    cfmakeraw(&raw);
    CHECK(tcsetattr(slave, TCSANOW, &raw) == 0);
    CHECK(symlink(path, name) == 0);
}

static void unplug(void)
{
    CHECK(unlink(name) == 0 && close(master) == 0 && close(slave) == 0);
}

static void open_on_the_name(void)
{
    stage_config(LINK_MODE_FREE_RUN);
    link_config.path = name;
    CHECK(stage_open() == HAL_OK);
}

static void a_line_pulled_and_put_back_is_found_again(void)
{
    plug();
    open_on_the_name();
    far_open(far, master, LINK_MODE_FREE_RUN);
    stage_meet();
    CHECK(hal_set_laser(&dev, 1) == 1);
    FAR_UNTIL(far, far->told.laser_on == 1);
    for (uint32_t times = 1; times <= 3; times++) {
        far->deaf = 1;
        unplug();
        FAR_UNTIL(far, phase() == HAL_LINK_DOWN && status.line_open == 0);
        CHECK(snapshot()->valid == (HAL_SENSOR_TX_FIFO | HAL_SENSOR_RX_PENDING));
        FAR_UNTIL(far, phase() == HAL_LINK_DOWN && status.line_open_code == -HAL_E_NODEV);
        CHECK(status.line_losses == times && status.line_opens == times);
        plug();
        far_open(far, master, LINK_MODE_FREE_RUN);
        stage_meet();
        CHECK(phase() == HAL_LINK_UP && status.line_opens == times + 1 && status.ups == times + 1);
        FAR_UNTIL(far, far->told.laser_on == 1); /* announced anew */
    }
    stage_close();
    unplug();
}

static void a_line_that_is_not_there_or_cannot_be_is_an_error(void)
{
    stage_config(LINK_MODE_FREE_RUN);
    link_config.path = "/dev/no-such-line";
    CHECK(stage_open() == HAL_E_NODEV);
    stage_close();
    link_config.path = NULL;
    link_config.fd = 1000; /* not open */
    CHECK(stage_open() == HAL_E_RANGE);
    stage_close();
    link_config.fd = -1;
    CHECK(stage_open() == HAL_E_RANGE);
    stage_close();
    config.backend_config = NULL;
    CHECK(stage_open() == HAL_E_RANGE);
    stage_close();
}

static void numbers_out_of_their_bounds_are_refused(void)
{
    static const struct hal_link_config GOOD = {.path = "/dev/null",
                                                .fd = -1,
                                                .mode = LINK_MODE_FREE_RUN,
                                                .role = LINK_ROLE_NODE,
                                                .period_us = 1000,
                                                .stale_ms = 1};
    const struct hal_link_config wrong[] = {
        {.path = "/dev/null", .mode = 0, .role = 1, .period_us = 1000, .stale_ms = 1},
        {.path = "/dev/null", .mode = 3, .role = 1, .period_us = 1000, .stale_ms = 1},
        {.path = "/dev/null", .mode = 1, .role = 4, .period_us = 1000, .stale_ms = 1},
        {.path = "/dev/null", .mode = 1, .role = 0, .period_us = 1000, .stale_ms = 1},
        {.path = "/dev/null", .mode = 1, .role = 1, .period_us = 999, .stale_ms = 1},
        {.path = "/dev/null", .mode = 1, .role = 1, .period_us = 60000001, .stale_ms = 1},
        {.path = "/dev/null", .mode = 1, .role = 1, .period_us = 1000, .stale_ms = 0},
        {.path = "/dev/null", .mode = 1, .role = 1, .period_us = 1000, .stale_ms = 600001},
        {.path = "/dev/null",
         .baud = 4000001,
         .mode = 1,
         .role = 1,
         .period_us = 1000,
         .stale_ms = 1},
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        stage_config(LINK_MODE_FREE_RUN);
        link_config = wrong[i];
        CHECK(stage_open() == HAL_E_RANGE);
        stage_close();
    }
    stage_config(LINK_MODE_FREE_RUN);
    link_config = GOOD;
    CHECK(stage_open() == HAL_OK); /* a line on which nobody ever is */
    CHECK(phase() != HAL_LINK_UP);
    stage_close();
}

static void a_descriptor_whose_far_end_hangs_up_is_lost_for_good(void)
{
    int lines[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) == 0);
    stage_config(LINK_MODE_FREE_RUN);
    link_config.fd = lines[0];
    CHECK(stage_open() == HAL_OK);
    far_open(far, lines[1], LINK_MODE_FREE_RUN);
    stage_meet();
    far->deaf = 1;
    CHECK(close(lines[1]) == 0);
    FAR_UNTIL(far, phase() == HAL_LINK_DOWN && status.line_open == 0);
    FAR_UNTIL(far, phase() == HAL_LINK_DOWN && status.line_open_code == -HAL_E_NODEV);
    CHECK(status.line_losses == 1 && status.line_opens == 1);
    CHECK(hal_set_payload_level(&dev, 1) == 1 && hal_kick_watchdog(&dev) == HAL_E_IO);
    stage_close();
}

static void the_last_orders_of_a_node_that_ends_still_go_out(void)
{
    plug();
    open_on_the_name();
    far_open(far, master, LINK_MODE_FREE_RUN);
    stage_meet();
    CHECK(hal_set_laser(&dev, 1) == 1);
    FAR_UNTIL(far, far->told.laser_on == 1);
    CHECK(hal_set_laser(&dev, 0) == 0 && hal_set_payload_level(&dev, 0) == 0);
    hal_close(&dev);
    FAR_UNTIL(far, far->told.laser_on == 0);
    stage_close();
    unplug();
}

static void a_far_end_that_takes_nothing_does_not_hold_a_node_that_ends(void)
{
    uint8_t record[LINK_PAYLOAD_BYTES_MAX] = {1};
    uint32_t told = 0;

    plug();
    open_on_the_name();
    far_open(far, master, LINK_MODE_FREE_RUN);
    stage_meet();
    far->deaf = 1;
    while (hal_link_tell(&dev, record, sizeof record) == HAL_OK) {
        told++;
    }
    CHECK(told >= HAL_LINK_RECORDS && phase() == HAL_LINK_UP);
    CHECK(status.records_refused == 1 && status.records_told == told);
    stage_close(); /* returns */
    unplug();
}

static void more_than_the_line_takes_at_once_arrives_whole(void)
{
    static uint8_t record[LINK_PAYLOAD_BYTES_MAX];

    plug();
    open_on_the_name();
    far_open(far, master, LINK_MODE_FREE_RUN);
    stage_meet();
    far->deaf = 1;
    for (uint32_t i = 1; i <= 200; i++) {
        record[0] = record[sizeof record - 1] = (uint8_t)i;
        CHECK(hal_link_tell(&dev, record, sizeof record) == HAL_OK);
    }
    far->deaf = 0;
    FAR_UNTIL(far, far->records_heard == 200);
    CHECK(far->record[sizeof record - 1] == 200 && far->session.decoder.counters.corrupt == 0);
    stage_close();
    unplug();
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_line_pulled_and_put_back_is_found_again),
        PROMISE(a_line_that_is_not_there_or_cannot_be_is_an_error),
        PROMISE(numbers_out_of_their_bounds_are_refused),
        PROMISE(a_descriptor_whose_far_end_hangs_up_is_lost_for_good),
        PROMISE(the_last_orders_of_a_node_that_ends_still_go_out),
        PROMISE(a_far_end_that_takes_nothing_does_not_hold_a_node_that_ends),
        PROMISE(more_than_the_line_takes_at_once_arrives_whole),
    };

    CHECK(mkdtemp(folder) != NULL);
    CHECK(snprintf(name, sizeof name, "%s/line", folder) > 0);
    KEEP(PROMISES);
    return rmdir(folder);
}
