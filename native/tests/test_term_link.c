/* A laser terminal's client with its thread, over pseudo-terminals: unplugged, plugged in, closed. */
#define _GNU_SOURCE
#include "term_link.h"

#include "hal.h"
#include "shared_word.h"
#include "term_line_stage.h"

static _Alignas(16) uint8_t memory[1 << 20];

static struct term_link_view look(struct term_link *link)
{
    struct term_link_view view;

    CHECK(term_link_look(link, &view) == HAL_OK);
    return view;
}

static struct term_link_config config_of(void)
{
    return (struct term_link_config){
        .path = path,
        .tx_fifo_frames = 4,
        .rx_fifo_frames = 4,
        .max_frame_bytes = 6000,
    };
}

static struct term_link *open_link(const struct term_link_config *config)
{
    struct term_link *link = NULL;

    CHECK(term_link_bytes(config) <= (int64_t)sizeof memory);
    CHECK(term_link_open(&link, config, memory, sizeof memory) == HAL_OK);
    return link;
}

static void what_cannot_be_is_refused(void)
{
    struct term_link *link = NULL;
    struct term_link_config config = config_of();
    uint32_t value = 0;

    CHECK(term_link_bytes(NULL) == HAL_E_RANGE);
    config.path = "";
    CHECK(term_link_bytes(&config) == HAL_E_RANGE);
    config = config_of();
    config.tx_fifo_frames = 0;
    CHECK(term_link_bytes(&config) == HAL_E_RANGE);
    config = config_of();
    config.max_frame_bytes = HAL_FRAME_BYTES_MAX + 1;
    CHECK(term_link_open(&link, &config, memory, sizeof memory) == HAL_E_RANGE);
    config = config_of();
    CHECK(term_link_open(&link, &config, memory, 100) == HAL_E_RANGE);
    CHECK(term_link_open(&link, &config, memory + 1, sizeof memory - 1) == HAL_E_RANGE);
    CHECK(term_link_open(NULL, &config, memory, sizeof memory) == HAL_E_RANGE);
    CHECK(term_link_read(NULL, 0, 1, &value) == HAL_E_RANGE);
    CHECK(term_link_write(NULL, TERM_REG_SCAN_URAD, 1) == HAL_E_RANGE);
    CHECK(term_link_look(NULL, NULL) == HAL_E_RANGE);
    CHECK(term_link_submit(NULL, NULL, 1) == HAL_E_RANGE);
    CHECK(term_link_receive(NULL, NULL, 1) == HAL_E_RANGE);
    CHECK(term_link_receive_fd(NULL) == HAL_E_RANGE);
    term_link_close(NULL);
}

static void a_device_that_is_not_there_is_waited_for(void)
{
    struct term_link_config config = config_of();
    struct term_link *link = open_link(&config);
    uint32_t value = 0;

    CHECK(look(link).phase == TERM_LINK_CLOSED);
    CHECK(term_link_read(link, 0, 1, &value) == HAL_E_STALE);
    CHECK(term_link_set_laser(link, 1) == HAL_E_TIMEOUT);
    CHECK(term_link_set_laser(link, 0) == 0);
    CHECK(term_link_submit(link, (const uint8_t *)"x", 1) == HAL_E_BUSY);
    CHECK(term_link_credit(link) == 0 && term_link_pending(link) == 0);
    plug_in(1);
    LIVE_UNTIL(look(link).regs_t_ns != 0);
    CHECK(term_link_read(link, TERM_REG_MAGIC, 1, &value) == HAL_OK && value == TERM_MAGIC);
    CHECK(term_link_read(link, 0, TERM_REG_COUNT + 1, &value) == HAL_E_RANGE);
    CHECK(term_link_read(link, TERM_REG_COUNT, 1, &value) == HAL_E_RANGE);
    term_link_close(link);
    unplug();
}

static void registers_and_frames_go_through(void)
{
    static uint8_t frame[6000];
    static uint8_t taken[6000];
    struct term_link_config config = config_of();

    plug_in(2);
    struct term_link *link = open_link(&config);

    LIVE_UNTIL(term_link_credit(link) == STAGE_FRAMES);
    LIVE_UNTIL(term_link_point(link, 9) == 9);
    LIVE_UNTIL(term_link_set_laser(link, 1) == 1);
    CHECK(term_link_write(link, TERM_REG_MAGIC, 1) == HAL_E_PERM);
    CHECK(term_link_write(link, TERM_REG_SCAN_URAD, 20001) == HAL_E_RANGE);
    LIVE_UNTIL(look(link).regs[TERM_REG_LASER_ENABLE] == 1);
    CHECK(look(link).regs[TERM_REG_TARGET_ID] == 9);
    memset(frame, 0xA5, sizeof frame);
    CHECK(term_link_submit(link, frame, sizeof frame + 1) == HAL_E_RANGE);
    CHECK(term_link_submit(link, frame, sizeof frame) == STAGE_FRAMES - 1);
    LIVE_UNTIL(link_ring_count(&terminal.rx) == 1);
    uint32_t bytes = 0;
    const uint8_t *came = link_ring_front(&terminal.rx, &bytes);

    CHECK(bytes == sizeof frame && memcmp(came, frame, sizeof frame) == 0);
    stage_send_by_light(&terminal, 1, tick_monotonic_ns());
    LIVE_UNTIL(look(link).counters.tx_by_light == 1);
    struct pollfd frames = {.fd = term_link_receive_fd(link), .events = POLLIN};

    CHECK(frames.fd >= 0 && poll(&frames, 1, 0) == 0);
    CHECK(link_ring_push(&terminal.tx, frame, 777));
    LIVE_UNTIL(poll(&frames, 1, 0) == 1); /* only once it is there to be taken */
    CHECK(term_link_pending(link) == 1);
    CHECK(term_link_receive(link, taken, 100) == HAL_E_RANGE);
    CHECK(term_link_receive(link, taken, sizeof taken) == 777);
    CHECK(term_link_receive(link, taken, sizeof taken) == 0);
    shared_word_store(term_link_inhibit_word(link), 1);
    LIVE_UNTIL(terminal.regs[TERM_REG_INHIBIT] == 1 && terminal.regs[TERM_REG_LASER_ENABLE] == 0);
    term_link_close(link);
    unplug();
}

static void a_frame_of_sensors_shows_what_is_there_and_no_more(void)
{
    struct term_link_config config = config_of();
    struct hal_frame frame = {0};
    struct hal_counters counters = {0};
    const uint32_t always = HAL_SENSOR_TX_FIFO | HAL_SENSOR_TX_TOTAL | HAL_SENSOR_RX_PENDING;
    struct term_link *link = open_link(&config);

    term_link_fill(link, &frame, &counters);
    CHECK(frame.valid == always && frame.tx_fifo_free == 0);
    plug_in(6);
    terminal.regs[TERM_REG_FLAGS] = HAL_TERM_BEACON;
    terminal.regs[TERM_REG_RX_POWER_MDBM] = (uint32_t)-43000;
    terminal.regs[TERM_REG_POWER_MW] = TERM_ABSENT;
    for (uint32_t reg = TERM_REG_LASER_MDEGC; reg <= TERM_REG_ELECTRONICS_MDEGC; reg++) {
        terminal.regs[reg] = TERM_ABSENT;
    }
    terminal.regs[TERM_REG_DETECTOR_MDEGC] = (uint32_t)-5000;
    LIVE_UNTIL(look(link).regs_t_ns != 0);
    frame = (struct hal_frame){.valid = HAL_SENSOR_BUS};
    term_link_fill(link, &frame, &counters);
    CHECK(frame.valid == (always | HAL_SENSOR_BUS | HAL_SENSOR_TERM_FLAGS | HAL_SENSOR_LASER_ON |
                          HAL_SENSOR_TARGET_ID | HAL_SENSOR_RX_POWER | HAL_SENSOR_TERM_TEMP));
    CHECK(frame.term_flags == HAL_TERM_BEACON && frame.rx_power_mdbm == -43000);
    CHECK(frame.term_mdegc == -5000 && frame.tx_fifo_free == STAGE_FRAMES);
    terminal.regs[TERM_REG_MOUNT_MDEGC] = 12000;
    terminal.regs[TERM_REG_DETECTOR_MDEGC] = TERM_ABSENT;
    LIVE_UNTIL(look(link).regs[TERM_REG_MOUNT_MDEGC] == 12000);
    term_link_fill(link, &frame, &counters);
    CHECK(frame.term_mdegc == 12000);
    terminal.regs[TERM_REG_FLAGS] = TERM_ABSENT; /* a modem that does not answer its controller */
    terminal.regs[TERM_REG_LASER_ENABLE] = TERM_ABSENT;
    terminal.regs[TERM_REG_TARGET_ID] = TERM_ABSENT;
    LIVE_UNTIL(look(link).regs[TERM_REG_FLAGS] == TERM_ABSENT);
    frame = (struct hal_frame){.valid = 0};
    term_link_fill(link, &frame, &counters);
    CHECK((frame.valid & (HAL_SENSOR_TERM_FLAGS | HAL_SENSOR_LASER_ON | HAL_SENSOR_TARGET_ID)) ==
          0);
    CHECK(frame.term_flags == 0 && frame.laser_on == 0 && frame.target_id == 0);
    term_link_close(link);
    unplug();
}

static void an_unplugged_terminal_is_noticed_and_a_plugged_in_one_is_told_again(void)
{
    struct term_link_config config = config_of();
    uint32_t value = 0;

    plug_in(3);
    struct term_link *link = open_link(&config);

    LIVE_UNTIL(look(link).phase == TERM_LINK_UP);
    CHECK(term_link_point(link, 5) == 5);
    CHECK(term_link_set_laser(link, 1) == 1);
    LIVE_UNTIL(terminal.regs[TERM_REG_LASER_ENABLE] == 1);
    unplug();
    LIVE_UNTIL(look(link).phase == TERM_LINK_CLOSED);
    CHECK(look(link).counters.line_losses == 1);
    CHECK(term_link_read(link, 0, 1, &value) == HAL_E_STALE);
    plug_in(4);
    LIVE_UNTIL(terminal.regs[TERM_REG_TARGET_ID] == 5);
    CHECK(terminal.regs[TERM_REG_LASER_ENABLE] == 0);
    CHECK(look(link).counters.sessions == 2);
    term_link_close(link);
    unplug();
}

static void garbage_on_the_line_is_counted_and_harms_nothing(void)
{
    struct term_link_config config = config_of();
    uint8_t garbage[3000];

    plug_in(5);
    struct term_link *link = open_link(&config);

    LIVE_UNTIL(look(link).phase == TERM_LINK_UP);
    for (uint32_t i = 0; i < sizeof garbage; i++) {
        garbage[i] = (uint8_t)(i * 7 + i / 251);
    }
    CHECK(write(master, garbage, sizeof garbage) == (ssize_t)sizeof garbage);
    uint64_t polls = look(link).counters.polls;

    LIVE_UNTIL(look(link).counters.rx_corrupt > 0 && look(link).counters.polls > polls + 3);
    CHECK(look(link).phase == TERM_LINK_UP && look(link).counters.sessions == 1);
    term_link_close(link);
    unplug();
}

static void the_last_order_goes_out_before_the_line_is_closed(void)
{
    struct term_link_config config = config_of();

    plug_in(8);
    struct term_link *link = open_link(&config);

    LIVE_UNTIL(look(link).phase == TERM_LINK_UP);
    CHECK(term_link_set_laser(link, 1) == 1);
    LIVE_UNTIL(terminal.regs[TERM_REG_LASER_ENABLE] == 1);
    CHECK(term_link_set_laser(link, 0) == 0);
    term_link_close(link);
    LIVE_UNTIL(terminal.regs[TERM_REG_LASER_ENABLE] == 0);
    unplug();
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(what_cannot_be_is_refused),
        PROMISE(a_device_that_is_not_there_is_waited_for),
        PROMISE(registers_and_frames_go_through),
        PROMISE(a_frame_of_sensors_shows_what_is_there_and_no_more),
        PROMISE(an_unplugged_terminal_is_noticed_and_a_plugged_in_one_is_told_again),
        PROMISE(garbage_on_the_line_is_counted_and_harms_nothing),
        PROMISE(the_last_order_goes_out_before_the_line_is_closed),
    };

    name_line("term_link");
    KEEP(PROMISES);
    return 0;
}
