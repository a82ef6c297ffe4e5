/* What may be written to a laser terminal's registers, and what the simulated one does with it. */
#include "terminal_registers.h"

#include "backend_sim.h"
#include "check.h"
#include "hal_board.h"

#include <string.h>

static _Alignas(16) uint8_t arena[1 << 16];

static void open_sim(struct hal *dev, struct hal_config *config)
{
    *dev = (struct hal){0};
    CHECK(hal_config_init(config, "sim") == HAL_OK);
    config->tx_fifo_frames = 4;
    config->rx_fifo_frames = 4;
    config->max_frame_bytes = 100;
    CHECK(hal_open(dev, config, arena, sizeof arena) == HAL_OK);
}

static uint32_t reg(struct hal *dev, uint32_t number)
{
    uint32_t value = 0;

    CHECK(hal_term_read(dev, number, 1, &value) == HAL_OK);
    return value;
}

static void only_what_is_writable_is_written_and_only_in_its_range(void)
{
    CHECK(terminal_register_check(TERM_REG_MAGIC, TERM_MAGIC) == HAL_E_PERM);
    CHECK(terminal_register_check(TERM_REG_TX_CREDIT, 1) == HAL_E_PERM);
    CHECK(terminal_register_check(TERM_REG_COUNT, 0) == HAL_E_RANGE);
    CHECK(terminal_register_check(TERM_REG_TARGET_ID, 65535) == HAL_OK);
    CHECK(terminal_register_check(TERM_REG_TARGET_ID, 65536) == HAL_E_RANGE);
    CHECK(terminal_register_check(TERM_REG_AZIMUTH_UDEG, (uint32_t)-180000000) == HAL_OK);
    CHECK(terminal_register_check(TERM_REG_AZIMUTH_UDEG, (uint32_t)-180000001) == HAL_E_RANGE);
    CHECK(terminal_register_check(TERM_REG_ELEVATION_UDEG, 90000001) == HAL_E_RANGE);
    for (uint32_t reg = TERM_REG_TARGET_ID; reg < TERM_REG_RESET; reg++) {
        CHECK(terminal_register_check(reg, 0) == HAL_OK);
        CHECK(terminal_register_check(reg, TERM_ABSENT) == HAL_E_RANGE);
    }
    CHECK(terminal_register_check(TERM_REG_SCAN_URAD, 20000) == HAL_OK);
    CHECK(terminal_register_check(TERM_REG_SCAN_URAD, 20001) == HAL_E_RANGE);
    CHECK(terminal_register_check(TERM_REG_TX_POWER_PERMILLE, 1000) == HAL_OK);
    CHECK(terminal_register_check(TERM_REG_TX_POWER_PERMILLE, 1001) == HAL_E_RANGE);
    CHECK(terminal_register_check(TERM_REG_INHIBIT, 2) == HAL_E_RANGE);
    CHECK(terminal_register_check(TERM_REG_RESET, 1) == HAL_E_RANGE);
    CHECK(terminal_register_check(TERM_REG_RESET, TERM_RESET_KEY) == HAL_OK);
}

static void the_whole_map_can_be_read_at_once_and_nothing_beyond_it(void)
{
    struct hal dev;
    struct hal_config config;
    uint32_t values[TERM_REG_COUNT];

    open_sim(&dev, &config);
    CHECK(hal_term_read(&dev, 0, TERM_REG_COUNT, values) == HAL_OK);
    CHECK(values[TERM_REG_MAGIC] == TERM_MAGIC);
    CHECK(values[TERM_REG_MAP_VERSION] == TERM_MAP_VERSION);
    CHECK(values[TERM_REG_FRAME_BYTES_MAX] == 100);
    CHECK(values[TERM_REG_TX_CREDIT] == 4);
    CHECK(values[TERM_REG_MOUNT_MDEGC] == TERM_ABSENT);
    CHECK((int32_t)values[TERM_REG_LASER_MDEGC] == 17000);
    CHECK(hal_term_read(&dev, 1, TERM_REG_COUNT, values) == HAL_E_RANGE);
    CHECK(hal_term_read(&dev, 0, 0, values) == HAL_E_RANGE);
    CHECK(hal_term_read(&dev, UINT32_MAX, 2, values) == HAL_E_RANGE);
    CHECK(hal_term_read(&dev, 0, 1, NULL) == HAL_E_RANGE);
    hal_close(&dev);
    CHECK(hal_term_read(&dev, 0, 1, values) == HAL_E_STATE);
    CHECK(hal_term_write(&dev, TERM_REG_LASER_ENABLE, 0) == HAL_E_STATE);
}

static void a_register_and_its_setter_are_one_thing(void)
{
    struct hal dev;
    struct hal_config config;

    open_sim(&dev, &config);
    CHECK(hal_term_write(&dev, TERM_REG_TARGET_ID, 7) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_LASER_ENABLE, 1) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_TARGET_ID) == 7 && reg(&dev, TERM_REG_LASER_ENABLE) == 1);
    CHECK(hal_point_terminal(&dev, 8) == 8 && reg(&dev, TERM_REG_TARGET_ID) == 8);
    CHECK(hal_term_write(&dev, TERM_REG_AZIMUTH_UDEG, (uint32_t)-5) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_ELEVATION_UDEG, 6) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_SCAN_URAD, 250) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_TX_POWER_PERMILLE, 900) == HAL_OK);
    CHECK((int32_t)reg(&dev, TERM_REG_AZIMUTH_UDEG) == -5);
    CHECK(reg(&dev, TERM_REG_ELEVATION_UDEG) == 6 && reg(&dev, TERM_REG_SCAN_URAD) == 250);
    CHECK(reg(&dev, TERM_REG_TX_POWER_PERMILLE) == 900);
    hal_close(&dev);
}

static void an_inhibited_laser_stays_dark_whatever_it_is_told(void)
{
    struct hal dev;
    struct hal_config config;

    open_sim(&dev, &config);
    CHECK(hal_set_laser(&dev, 1) == 1);
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 1) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_LASER_ENABLE) == 0);
    CHECK(hal_set_laser(&dev, 1) == 0);
    CHECK(hal_term_write(&dev, TERM_REG_INHIBIT, 0) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_LASER_ENABLE) == 0);
    CHECK(hal_set_laser(&dev, 1) == 1);
    hal_close(&dev);
}

static void a_reset_of_the_terminal_is_dark_and_counts_what_it_lost(void)
{
    struct hal dev;
    struct hal_config config;
    struct hal_counters counted;

    open_sim(&dev, &config);
    CHECK(hal_set_laser(&dev, 1) == 1 && hal_point_terminal(&dev, 3) == 3);
    CHECK(hal_submit_frame(&dev, (const uint8_t *)"out", 3) == 3);
    CHECK(hal_sim_push_rx(&dev, (const uint8_t *)"in", 2) == 1);
    CHECK(hal_term_write(&dev, TERM_REG_SCAN_URAD, 1) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_RX_FRAMES) == 1);
    CHECK(hal_term_write(&dev, TERM_REG_RESET, TERM_RESET_KEY) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_SCAN_URAD) == 500 && reg(&dev, TERM_REG_RX_FRAMES) == 0);
    CHECK(reg(&dev, TERM_REG_LASER_ENABLE) == 0 && reg(&dev, TERM_REG_TARGET_ID) == 0);
    CHECK(reg(&dev, TERM_REG_TX_CREDIT) == 4 && reg(&dev, TERM_REG_RX_PENDING) == 0);
    CHECK(reg(&dev, TERM_REG_RESET) == 0);
    for (int i = 0; i < 5; i++) { /* one more than there is room for, before a reset and after it */
        (void)hal_sim_push_rx(&dev, (const uint8_t *)"in", 2);
    }
    CHECK(reg(&dev, TERM_REG_RX_OVERFLOW) == 1 && reg(&dev, TERM_REG_RX_FRAMES) == 4);
    CHECK(hal_term_write(&dev, TERM_REG_ELEVATION_UDEG, (uint32_t)-5) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_ELEVATION_UDEG, 7) == HAL_OK);
    CHECK(hal_term_write(&dev, TERM_REG_AZIMUTH_UDEG, 3) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_ELEVATION_UDEG) == 7 && reg(&dev, TERM_REG_AZIMUTH_UDEG) == 3);
    CHECK(hal_term_write(&dev, TERM_REG_RESET, TERM_RESET_KEY) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_RX_OVERFLOW) == 0 && reg(&dev, TERM_REG_ELEVATION_UDEG) == 0);
    CHECK(hal_sim_push_rx(&dev, (const uint8_t *)"in", 2) == 1);
    CHECK(reg(&dev, TERM_REG_RX_FRAMES) == 1);
    CHECK(hal_read_counters(&dev, &counted) == HAL_OK);
    CHECK(counted.tx_flushed == 1 && counted.rx_flushed == 5 && counted.rx_overflow == 1);
    hal_close(&dev);
}

static void a_sensor_without_a_value_reads_as_absent(void)
{
    struct hal dev;
    struct hal_config config;
    struct hal_sim_sensors sensors;

    open_sim(&dev, &config);
    CHECK(hal_sim_read_sensors(&dev, &sensors) == HAL_OK);
    sensors.term_flags = HAL_TERM_FAULT;
    CHECK(hal_sim_write_sensors(&dev, &sensors) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_FAULT) == TERM_FAULT_INTERNAL);
    sensors.valid &= ~(uint32_t)(HAL_SENSOR_TERM_FLAGS | HAL_SENSOR_TERM_TEMP);
    CHECK(hal_sim_write_sensors(&dev, &sensors) == HAL_OK);
    CHECK(reg(&dev, TERM_REG_FLAGS) == TERM_ABSENT && reg(&dev, TERM_REG_FAULT) == TERM_ABSENT);
    CHECK(reg(&dev, TERM_REG_LASER_MDEGC) == TERM_ABSENT);
    hal_close(&dev);
}

static void a_sim_device_has_no_board(void)
{
    struct hal dev;
    struct hal_config config;
    struct hal_board board;

    open_sim(&dev, &config);
    CHECK(hal_read_board(&dev, &board) == HAL_E_UNSUPPORTED);
    CHECK(hal_read_board(&dev, NULL) == HAL_E_RANGE);
    CHECK(hal_clear_throttle(&dev) == HAL_E_UNSUPPORTED);
    CHECK(hal_set_payload_busy(&dev, 1001) == HAL_E_RANGE);
    CHECK(hal_set_payload_busy(&dev, 250) == 250);
    hal_close(&dev);
    CHECK(hal_read_board(&dev, &board) == HAL_E_STATE);
    CHECK(hal_clear_throttle(&dev) == HAL_E_STATE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(only_what_is_writable_is_written_and_only_in_its_range),
        PROMISE(the_whole_map_can_be_read_at_once_and_nothing_beyond_it),
        PROMISE(a_register_and_its_setter_are_one_thing),
        PROMISE(an_inhibited_laser_stays_dark_whatever_it_is_told),
        PROMISE(a_reset_of_the_terminal_is_dark_and_counts_what_it_lost),
        PROMISE(a_sensor_without_a_value_reads_as_absent),
        PROMISE(a_sim_device_has_no_board),
    };

    KEEP(PROMISES);
    return 0;
}
