/* A camera that comes and goes, on a kernel with a camera in memory and a clock of the test. */
#define _POSIX_C_SOURCE 199309L
#include "camera_session.h"
#include "check.h"
#include "fake_camera.h"
#include "hal.h"

static const uint64_t MS = 1000000;
static uint8_t tiles[8 * 8 * CAMERA_BANDS * 2];

static struct camera_reader_config config_of(uint32_t settle_frames)
{
    return (struct camera_reader_config){
        .camera = {.path = "/dev/video0",
                   .fourcc = V4L2_PIX_FMT_GREY,
                   .width_px = 32,
                   .height_px = 24,
                   .buffers = 4},
        .tile = {.fourcc = V4L2_PIX_FMT_GREY,
                 .width_px = 32,
                 .height_px = 24,
                 .tile_px = 8,
                 .tiles_across = 1,
                 .tiles_down = 1,
                 .bands = {3, 3, 3, 3, 3, 3},
                 .full_scale = 255},
        .timeout_ns = 1000000000,
        .reopen_ns = 1000000000,
        .settle_frames = settle_frames,
    };
}

static struct fake_camera webcam(void)
{
    return fake_camera_of(V4L2_PIX_FMT_GREY, 32, 24, 32);
}

static void a_picture_is_fresh_and_becomes_tiles(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of(0);
    struct camera_session session;
    struct camera_picture picture;
    uint64_t asked_ns;

    CHECK(camera_session_check(&config) == HAL_OK);
    CHECK(camera_session_start(&session, &sys, &config) == HAL_OK);
    for (int i = 0; i < 3; i++) {
        fake_let_time_pass(&fake, fake.now_ns + 4000 * MS);
        asked_ns = fake.now_ns;
        CHECK(camera_session_capture(&session, tiles, &picture) == 1);
        CHECK(picture.tiles == 1 && picture.t_ns / 1000 >= asked_ns / 1000);
        CHECK(tiles[0] == picture.sequence && tiles[1] == 0); /* its own octets, scale 1 */
    }
    CHECK(session.counters.pictures == 3 && session.counters.opened == 1);
    camera_session_stop(&session);
    CHECK(session.counters.frames_old == 12);
    fake_camera_end(&fake);
}

static void the_first_pictures_of_a_stream_are_left_to_settle(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of(10);
    struct camera_session session;
    struct camera_picture picture;

    CHECK(camera_session_start(&session, &sys, &config) == HAL_OK);
    CHECK(camera_session_capture(&session, tiles, &picture) == 1);
    CHECK(picture.sequence == 10);
    CHECK(camera_session_capture(&session, tiles, &picture) == 1);
    CHECK(picture.sequence == 11); /* once a stream */
    config.settle_frames = 100;    /* longer than a picture may take */
    camera_session_stop(&session);
    CHECK(camera_session_start(&session, &sys, &config) == HAL_OK);
    CHECK(camera_session_capture(&session, tiles, &picture) == HAL_E_TIMEOUT);
    camera_session_stop(&session);
    fake_camera_end(&fake);
}

static void plugged_in_again_between_two_pictures_it_is_there_at_once(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of(2);
    struct camera_session session;
    struct camera_picture picture;

    CHECK(camera_session_start(&session, &sys, &config) == HAL_OK);
    CHECK(camera_session_capture(&session, tiles, &picture) == 1);
    fake.fail_at = fake.calls; /* the old descriptor's next call */
    fake.fail_for = 1;
    fake.fail_with = ENODEV;
    CHECK(camera_session_capture(&session, tiles, &picture) == 1);
    CHECK(session.counters.opened == 2 && session.counters.pictures_failed == 0);
    camera_session_stop(&session);
    fake_camera_end(&fake);
}

static void an_unplugged_camera_is_tried_again_now_and_then_until_it_is_back(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of(0);
    struct camera_session session;
    struct camera_picture picture;
    uint64_t unplugged_ns;

    CHECK(camera_session_start(&session, &sys, &config) == HAL_OK);
    fake.plugged = 0;
    CHECK(camera_session_capture(&session, tiles, &picture) == HAL_E_NODEV);
    unplugged_ns = fake.now_ns;
    CHECK(session.counters.open_failed == 1 && !fake.open);
    CHECK(camera_session_capture(&session, tiles, &picture) == HAL_E_NODEV);
    CHECK(camera_session_mend(&session) == HAL_E_NODEV);
    CHECK(session.counters.open_failed == 1); /* not yet */
    fake.now_ns += 1000 * MS;
    CHECK(camera_session_mend(&session) == HAL_E_NODEV);
    CHECK(session.counters.open_failed == 2);
    fake.plugged = 1;
    fake.now_ns += 999 * MS;
    CHECK(camera_session_mend(&session) == HAL_E_NODEV);
    fake.now_ns += 1 * MS;
    CHECK(camera_session_mend(&session) == HAL_OK && camera_session_mend(&session) == HAL_OK);
    CHECK(camera_session_capture(&session, tiles, &picture) == 1);
    CHECK(fake.now_ns - unplugged_ns < 5000 * MS);
    CHECK(session.counters.pictures_failed == 2 && session.counters.opened == 2);
    camera_session_stop(&session);
    fake_camera_end(&fake);
}

static void a_silent_camera_is_started_again(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of(0);
    struct camera_session session;
    struct camera_picture picture;
    uint64_t asked_ns;

    CHECK(camera_session_start(&session, &sys, &config) == HAL_OK);
    fake.silent = 1;
    asked_ns = fake.now_ns;
    CHECK(camera_session_capture(&session, tiles, &picture) == HAL_E_TIMEOUT);
    CHECK(fake.now_ns <= asked_ns + 1001 * MS && !fake.open);
    fake.silent = 0;
    CHECK(camera_session_capture(&session, tiles, &picture) == HAL_E_TIMEOUT);
    fake.now_ns += 1000 * MS;
    CHECK(camera_session_capture(&session, tiles, &picture) == 1);
    camera_session_stop(&session);
    fake_camera_end(&fake);
}

/* A driver whose lines are shorter than its format says, so that its pictures cannot be read. */
static void a_picture_that_is_too_short_costs_itself_alone(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of(0);
    struct camera_session session;
    struct camera_picture picture;

    fake.bytes_per_line = 31;
    CHECK(camera_session_start(&session, &sys, &config) == HAL_OK);
    CHECK(camera_session_capture(&session, tiles, &picture) == HAL_E_CORRUPT);
    CHECK(picture.tiles == 0);
    CHECK(fake.open && session.counters.pictures_failed == 1);
    camera_session_stop(&session);
    fake_camera_end(&fake);
}

static void every_call_may_fail_once_or_for_ever(void)
{
    static const int ERRORS[] = {ENODEV, EIO, EBUSY, EINVAL, ENOMEM, EINTR, EPROTO};
    struct camera_reader_config config = config_of(2);
    struct camera_session session;
    struct camera_picture picture;
    struct fake_camera healthy = webcam();
    struct linux_syscalls sys = fake_camera_table(&healthy);

    CHECK(camera_session_start(&session, &sys, &config) == HAL_OK);
    CHECK(camera_session_capture(&session, tiles, &picture) == 1);
    camera_session_stop(&session);
    for (int call = 0; call < healthy.calls; call++) {
        for (size_t i = 0; i < COUNT_OF(ERRORS); i++) {
            for (int fail_for = -1; fail_for <= 1; fail_for += 2) {
                struct fake_camera fake = webcam();
                int32_t code = 0;

                sys = fake_camera_table(&fake);
                fake.fail_at = call;
                fake.fail_for = fail_for;
                fake.fail_with = ERRORS[i];
                (void)camera_session_start(&session, &sys, &config);
                for (int turn = 0; turn < 3; turn++) {
                    code = camera_session_capture(&session, tiles, &picture);
                    fake.now_ns += 1000 * MS;
                }
                /* One failure is overcome; a lasting one is told. */
                CHECK(fail_for == 1 ? code == 1 : code < 0 || call >= healthy.calls - 1);
                camera_session_stop(&session);
                fake_camera_end(&fake);
            }
        }
    }
}

static void a_configuration_out_of_bounds_is_refused(void)
{
    struct camera_reader_config bad[11];
    char path[LINUX_PATH_BYTES + 1];

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = config_of(0);
    }
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    bad[0].camera.path = NULL;
    bad[1].camera.path = path;
    bad[2].camera.buffers = 1;
    bad[3].camera.buffers = LINUX_CAMERA_BUFFERS_MAX + 1;
    bad[4].camera.fourcc = V4L2_PIX_FMT_YUYV;
    bad[5].camera.width_px = 31;
    bad[6].camera.height_px = 31;
    bad[7].timeout_ns = 0;
    bad[8].timeout_ns = CAMERA_TIMEOUT_NS_MAX + 1;
    bad[9].reopen_ns = 0;
    bad[10].settle_frames = CAMERA_SETTLE_FRAMES_MAX + 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(camera_session_check(&bad[i]) == HAL_E_RANGE);
    }
    bad[9].reopen_ns = CAMERA_TIMEOUT_NS_MAX + 1;
    CHECK(camera_session_check(&bad[9]) == HAL_E_RANGE);
    bad[10] = config_of(0);
    bad[10].tile.bands[0] = CAMERA_RED;
    CHECK(camera_session_check(&bad[10]) == HAL_E_UNSUPPORTED);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_picture_is_fresh_and_becomes_tiles),
        PROMISE(the_first_pictures_of_a_stream_are_left_to_settle),
        PROMISE(plugged_in_again_between_two_pictures_it_is_there_at_once),
        PROMISE(an_unplugged_camera_is_tried_again_now_and_then_until_it_is_back),
        PROMISE(a_silent_camera_is_started_again),
        PROMISE(a_picture_that_is_too_short_costs_itself_alone),
        PROMISE(every_call_may_fail_once_or_for_ever),
        PROMISE(a_configuration_out_of_bounds_is_refused),
    };

    KEEP(PROMISES);
    return 0;
}
