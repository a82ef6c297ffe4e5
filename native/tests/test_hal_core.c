/* The checked front, over a backend that answers whatever the test wants. */
#include "check.h"
#include "hal_backend.h"

#include <string.h>

/* What the backend of this test answers next; a test program is the one place for such a global. */
static int32_t answer;
static uint32_t calls;
static const struct hal_frame *given; /* NULL: a frame without values */

static uint64_t mock_data_bytes(const struct hal_config *config)
{
    return config->max_frame_bytes;
}

static int32_t mock_open(struct hal *dev)
{
    (void)dev;
    return answer;
}

static void mock_close(struct hal *dev)
{
    (void)dev;
}

static int32_t mock_snapshot(struct hal *dev, struct hal_frame *frame)
{
    (void)dev;
    calls++;
    frame->t_ns = 42;
    if (given != NULL) {
        const struct hal_frame fresh = *frame;

        *frame = *given;
        frame->abi_version = fresh.abi_version;
        frame->size_bytes = fresh.size_bytes;
    }
    return answer;
}

static int32_t mock_set(struct hal *dev, uint32_t value)
{
    (void)dev;
    (void)value;
    calls++;
    return answer;
}

static int32_t mock_submit(struct hal *dev, const uint8_t *frame, uint32_t frame_bytes)
{
    (void)dev;
    (void)frame;
    (void)frame_bytes;
    calls++;
    return answer;
}

static int32_t mock_receive(struct hal *dev, uint8_t *buffer, uint32_t buffer_bytes)
{
    (void)dev;
    (void)buffer;
    (void)buffer_bytes;
    calls++;
    return answer;
}

static int32_t mock_kick(struct hal *dev)
{
    (void)dev;
    calls++;
    return answer;
}

static const struct hal_api MOCK = {
    .name = "mock",
    .data_bytes = mock_data_bytes,
    .open = mock_open,
    .close = mock_close,
    .snapshot = mock_snapshot,
    .set_payload_level = mock_set,
    .set_heater = mock_set,
    .point_terminal = mock_set,
    .set_laser = mock_set,
    .submit_frame = mock_submit,
    .receive_frame = mock_receive,
    .kick_watchdog = mock_kick,
};

static struct hal_config config;

/* A device on the mock, as hal_open() would have made it. */
static struct hal open_mock(void)
{
    CHECK(hal_config_init(&config, "mock") == HAL_OK);
    answer = HAL_OK;
    calls = 0;
    return (struct hal){.api = &MOCK, .config = &config};
}

static struct hal_counters counters_of(const struct hal *dev)
{
    struct hal_counters counters;

    CHECK(hal_read_counters(dev, &counters) == HAL_OK);
    return counters;
}

static void every_code_has_a_name(void)
{
    CHECK(strcmp(hal_strerror(HAL_OK), "HAL_OK") == 0);
    CHECK(strcmp(hal_strerror(HAL_E_RANGE), "HAL_E_RANGE") == 0);
    CHECK(strcmp(hal_strerror(HAL_E_INHIBITED), "HAL_E_INHIBITED") == 0);
    CHECK(strcmp(hal_strerror(1), "HAL_E_UNKNOWN") == 0);
    CHECK(strcmp(hal_strerror(HAL_E_INHIBITED - 1), "HAL_E_UNKNOWN") == 0);
    CHECK(strcmp(hal_strerror(INT32_MIN), "HAL_E_UNKNOWN") == 0);
}

static void a_configuration_out_of_bounds_does_not_open(void)
{
    static uint64_t arena[1 << 20];
    struct hal_config bad[8];
    struct hal dev = {0};

    CHECK(strcmp(hal_backend_name(0), "sim") == 0);
    CHECK(hal_backend_name(1000) == NULL);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(hal_config_init(&bad[i], "sim") == HAL_OK);
    }
    bad[0].abi_version = HAL_ABI_VERSION + 1;
    bad[1].backend = NULL;
    bad[2].tx_fifo_frames = 0;
    bad[3].tx_fifo_frames = HAL_FIFO_FRAMES_MAX + 1;
    bad[4].rx_fifo_frames = 0;
    bad[5].max_frame_bytes = HAL_FRAME_BYTES_MAX + 1;
    bad[6].payload_level_max = 0;
    bad[7].payload_level_max = HAL_PAYLOAD_LEVEL_MAX + 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(hal_arena_bytes(&bad[i]) == HAL_E_RANGE);
        CHECK(hal_open(&dev, &bad[i], arena, sizeof arena) == HAL_E_RANGE);
        CHECK(dev.api == NULL);
    }
    CHECK(hal_config_init(NULL, "sim") == HAL_E_RANGE);
    CHECK(hal_arena_bytes(NULL) == HAL_E_RANGE);
}

/* Whatever address the caller has, nothing outside the arena is touched, and no octet of it may be
 * missing. */
static void an_arena_of_any_alignment_is_enough_and_one_octet_less_is_not(void)
{
    static _Alignas(64) uint8_t room[1 << 14];
    struct hal_frame frame;
    struct hal dev = {0};

    CHECK(hal_config_init(&config, "sim") == HAL_OK);
    config.tx_fifo_frames = config.rx_fifo_frames = 2;
    config.max_frame_bytes = 33;
    int64_t bytes = hal_arena_bytes(&config);

    CHECK(bytes > 0 && bytes + 128 < (int64_t)sizeof room);
    for (size_t skew = 0; skew < 32; skew++) {
        uint8_t *arena = room + 32 + skew;

        memset(room, 0xA5, sizeof room);
        CHECK(hal_open(&dev, &config, arena, (uint64_t)bytes - 1) == HAL_E_RANGE);
        CHECK(hal_open(&dev, &config, arena, (uint64_t)bytes) == HAL_OK);
        CHECK(hal_open(&dev, &config, arena, (uint64_t)bytes) == HAL_E_STATE);
        CHECK((uintptr_t)dev.data % 16 == 0 && (uint8_t *)dev.data >= arena);
        for (uint32_t i = 0; i < 2; i++) {
            CHECK(hal_submit_frame(&dev, room, 33) == 1 - (int32_t)i);
        }
        CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
        hal_close(&dev);
        CHECK(arena[-1] == 0xA5 && arena[bytes] == 0xA5);
    }
    CHECK(hal_open(NULL, &config, room, sizeof room) == HAL_E_RANGE);
    CHECK(hal_open(&dev, &config, NULL, sizeof room) == HAL_E_RANGE);
    CHECK(hal_open(&dev, NULL, room, sizeof room) == HAL_E_RANGE);
}

static void an_unknown_backend_is_no_device(void)
{
    uint8_t arena[64];
    struct hal dev = {0};

    CHECK(hal_config_init(&config, "toaster") == HAL_OK);
    CHECK(hal_arena_bytes(&config) == HAL_E_NODEV);
    CHECK(hal_open(&dev, &config, arena, sizeof arena) == HAL_E_NODEV);
}

static void a_closed_device_refuses_every_call(void)
{
    struct hal dev = {0};
    struct hal_frame frame;
    struct hal_counters counters;
    uint8_t byte = 0;

    CHECK(hal_snapshot(&dev, &frame) == HAL_E_STATE);
    CHECK(hal_set_payload_level(&dev, 0) == HAL_E_STATE);
    CHECK(hal_set_heater(&dev, 0) == HAL_E_STATE);
    CHECK(hal_point_terminal(&dev, 0) == HAL_E_STATE);
    CHECK(hal_set_laser(&dev, 0) == HAL_E_STATE);
    CHECK(hal_submit_frame(&dev, &byte, 1) == HAL_E_STATE);
    CHECK(hal_receive_frame(&dev, &byte, 1) == HAL_E_STATE);
    CHECK(hal_kick_watchdog(&dev) == HAL_E_STATE);
    CHECK(hal_read_counters(&dev, &counters) == HAL_E_STATE);
    CHECK(hal_snapshot(NULL, &frame) == HAL_E_RANGE);
    CHECK(hal_set_payload_level(NULL, 0) == HAL_E_RANGE);
    hal_close(&dev);
    hal_close(NULL);
}

static void a_bad_argument_never_reaches_the_backend(void)
{
    struct hal dev = open_mock();
    uint8_t byte = 0;

    CHECK(hal_snapshot(&dev, NULL) == HAL_E_RANGE);
    CHECK(hal_set_payload_level(&dev, config.payload_level_max + 1) == HAL_E_RANGE);
    CHECK(hal_set_heater(&dev, 2) == HAL_E_RANGE);
    CHECK(hal_point_terminal(&dev, HAL_TARGET_ID_MAX + 1) == HAL_E_RANGE);
    CHECK(hal_set_laser(&dev, 2) == HAL_E_RANGE);
    CHECK(hal_submit_frame(&dev, NULL, 1) == HAL_E_RANGE);
    CHECK(hal_submit_frame(&dev, &byte, 0) == HAL_E_RANGE);
    CHECK(hal_submit_frame(&dev, &byte, config.max_frame_bytes + 1) == HAL_E_RANGE);
    CHECK(hal_receive_frame(&dev, NULL, 1) == HAL_E_RANGE);
    CHECK(hal_read_counters(&dev, NULL) == HAL_E_RANGE);
    CHECK(calls == 0);
    CHECK(counters_of(&dev).setters_rejected == 4);
    CHECK(counters_of(&dev).tx_rejected_size == 3);
}

static void a_setter_returns_what_was_read_back(void)
{
    struct hal dev = open_mock();

    answer = 3;
    CHECK(hal_set_payload_level(&dev, 3) == 3);
    CHECK(counters_of(&dev).readback_differs == 0);
    CHECK(hal_set_payload_level(&dev, 5) == 3);
    CHECK(counters_of(&dev).readback_differs == 1);
    /* Read back beyond what the actuator can be is the device's error, not a value. */
    CHECK(hal_set_heater(&dev, 1) == HAL_E_IO);
    answer = HAL_E_TIMEOUT;
    CHECK(hal_set_laser(&dev, 1) == HAL_E_TIMEOUT);
    CHECK(counters_of(&dev).setters_failed == 2);
}

/* A backend hands on what came over a line, or out of a driver: what cannot be is no value. */
static void a_value_that_cannot_be_is_absent(void)
{
    const struct hal_frame good = {
        .valid = HAL_SENSOR_ALL,
        .estimated = HAL_SENSOR_BUS,
        .payload_level = 15,
        .laser_on = 1,
        .heater_on = 1,
        .target_id = HAL_TARGET_ID_MAX,
        .reset_cause = HAL_RESET_UNKNOWN,
    };
    struct hal dev = open_mock();
    struct hal_frame bad = good;
    struct hal_frame frame;

    given = &bad;
    CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
    CHECK(frame.valid == HAL_SENSOR_ALL && frame.estimated == HAL_SENSOR_BUS);
    bad.valid = bad.estimated = UINT32_MAX; /* bits without a name */
    CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
    CHECK(frame.valid == HAL_SENSOR_ALL && frame.estimated == HAL_SENSOR_ALL);
    bad = good;
    bad.payload_level = 16;
    bad.laser_on = 2;
    bad.heater_on = UINT32_MAX;
    bad.target_id = HAL_TARGET_ID_MAX + 1;
    bad.reset_cause = HAL_RESET_UNKNOWN + 1;
    CHECK(hal_snapshot(&dev, &frame) == HAL_OK && hal_frame_check(&frame) == HAL_OK);
    CHECK(frame.valid ==
          (HAL_SENSOR_ALL &
           ~(uint32_t)(HAL_SENSOR_PAYLOAD_LEVEL | HAL_SENSOR_LASER_ON | HAL_SENSOR_HEATER_ON |
                       HAL_SENSOR_TARGET_ID | HAL_SENSOR_RESET_CAUSE)));
    bad.valid = HAL_SENSOR_SUN;
    bad.estimated = HAL_SENSOR_SUN | HAL_SENSOR_BUS; /* of what there is, only */
    CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
    CHECK(frame.valid == HAL_SENSOR_SUN && frame.estimated == HAL_SENSOR_SUN);
    given = NULL;
}

static void a_failed_snapshot_touches_nothing(void)
{
    struct hal dev = open_mock();
    struct hal_frame frame = {.t_ns = 1};

    answer = HAL_E_IO;
    CHECK(hal_snapshot(&dev, &frame) == HAL_E_IO);
    CHECK(frame.t_ns == 1);
    answer = HAL_OK;
    CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
    CHECK(frame.t_ns == 42 && frame.seq == 1);
    CHECK(counters_of(&dev).snapshots == 1 && counters_of(&dev).snapshots_failed == 1);
}

static void a_changed_bit_anywhere_is_found(void)
{
    struct hal dev = open_mock();
    struct hal_frame frame;

    CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
    CHECK(hal_frame_check(&frame) == HAL_OK);
    CHECK(hal_frame_check(NULL) == HAL_E_RANGE);
    for (size_t i = 0; i < sizeof frame; i++) {
        ((uint8_t *)&frame)[i] ^= 0x10;
        CHECK(hal_frame_check(&frame) == HAL_E_CORRUPT);
        ((uint8_t *)&frame)[i] ^= 0x10;
    }
}

static void every_way_to_lose_a_frame_is_counted(void)
{
    struct hal dev = open_mock();
    uint8_t byte = 0;

    CHECK(hal_submit_frame(&dev, &byte, 1) == 0);
    answer = HAL_E_BUSY;
    CHECK(hal_submit_frame(&dev, &byte, 1) == HAL_E_BUSY);
    answer = HAL_E_IO;
    CHECK(hal_submit_frame(&dev, &byte, 1) == HAL_E_IO);
    CHECK(hal_receive_frame(&dev, &byte, 1) == HAL_E_IO);
    CHECK(hal_kick_watchdog(&dev) == HAL_E_IO);
    answer = HAL_E_RANGE;
    CHECK(hal_receive_frame(&dev, &byte, 1) == HAL_E_RANGE);
    answer = 0;
    CHECK(hal_receive_frame(&dev, &byte, 1) == 0);
    CHECK(hal_kick_watchdog(&dev) == HAL_OK);
    answer = 1;
    CHECK(hal_receive_frame(&dev, &byte, 1) == 1);

    struct hal_counters n = counters_of(&dev);

    CHECK(n.tx_accepted == 1 && n.tx_rejected_full == 1 && n.tx_failed == 1);
    CHECK(n.rx_failed == 1 && n.rx_too_long == 1 && n.rx_delivered == 1);
    CHECK(n.watchdog_kicks == 1 && n.watchdog_failed == 1);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(every_code_has_a_name),
        PROMISE(a_configuration_out_of_bounds_does_not_open),
        PROMISE(an_arena_of_any_alignment_is_enough_and_one_octet_less_is_not),
        PROMISE(an_unknown_backend_is_no_device),
        PROMISE(a_closed_device_refuses_every_call),
        PROMISE(a_bad_argument_never_reaches_the_backend),
        PROMISE(a_setter_returns_what_was_read_back),
        PROMISE(a_value_that_cannot_be_is_absent),
        PROMISE(a_failed_snapshot_touches_nothing),
        PROMISE(a_changed_bit_anywhere_is_found),
        PROMISE(every_way_to_lose_a_frame_is_counted),
    };

    KEEP(PROMISES);
    return 0;
}
