/* Capture on a kernel with a camera in memory: every picture once, none old, and every way in which
 * a driver can refuse or a camera go away. */
#define _POSIX_C_SOURCE 199309L
#include "check.h"
#include "fake_camera.h"
#include "hal.h"
#include "linux_camera.h"

static const uint64_t MS = 1000000;

static const struct linux_camera_config WEBCAM = {.path = "/dev/video0",
                                                  .fourcc = V4L2_PIX_FMT_YUYV,
                                                  .width_px = 32,
                                                  .height_px = 24,
                                                  .buffers = 4};

static struct fake_camera webcam(void)
{
    return fake_camera_of(V4L2_PIX_FMT_YUYV, 32, 24, 64);
}

static void pictures_come_in_order_from_the_drivers_memory(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;

    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    CHECK(strcmp(camera.card, "A camera in memory") == 0);
    CHECK(camera.bytes_per_line == 64 && camera.buffer_count == 4);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK(linux_camera_wait(&camera, 100 * MS, &frame) == 1);
        CHECK(frame.sequence == i && frame.picture[63] == i && frame.picture_bytes == 64 * 24);
        CHECK(frame.t_ns / 1000 == fake.now_ns / 1000);
        CHECK(linux_camera_give(&camera, &frame) == HAL_OK);
    }
    CHECK(camera.frames == 20 && camera.frames_old == 0);
    linux_camera_close(&camera);
    linux_camera_close(&camera);
    fake_camera_end(&fake);
}

static void what_waits_already_is_given_back_unseen(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;

    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    CHECK(linux_camera_drain(&camera) == 0);
    fake_let_time_pass(&fake,
                       fake.now_ns + 1000 * MS); /* 30 pictures; four buffers hold the first */
    CHECK(linux_camera_drain(&camera) == 4 && camera.frames_old == 4);
    CHECK(linux_camera_wait(&camera, 100 * MS, &frame) == 1);
    CHECK(frame.sequence >= 30);
    CHECK(linux_camera_give(&camera, &frame) == HAL_OK);
    linux_camera_close(&camera);
    fake_camera_end(&fake);
}

static void a_wait_never_takes_longer_than_asked(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;
    uint64_t before_ns;

    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    before_ns = fake.now_ns;
    CHECK(linux_camera_wait(&camera, 0, &frame) == 0 && fake.now_ns == before_ns);
    CHECK(linux_camera_wait(&camera, 10 * MS, &frame) == 0);
    CHECK(fake.now_ns == before_ns + 10 * MS);
    fake.silent = 1;
    CHECK(linux_camera_wait(&camera, 2000 * MS, &frame) == 0);
    CHECK(fake.now_ns == before_ns + 2010 * MS);
    fake.silent = 0;
    fake.damaged_left = 1000000; /* for ever */
    before_ns = fake.now_ns;
    CHECK(linux_camera_wait(&camera, 500 * MS, &frame) == 0);
    CHECK(fake.now_ns <= before_ns + 501 * MS && camera.frames_damaged >= 14);
    fake.frame_ns = 1; /* faster than any camera */
    CHECK(linux_camera_wait(&camera, 1000 * MS, &frame) == 0);
    CHECK(linux_camera_wait(&camera, UINT64_MAX, &frame) == 0);
    linux_camera_close(&camera);
    fake_camera_end(&fake);
}

static void damaged_pictures_are_counted_and_passed_over(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;

    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    fake.damaged_left = 2;
    fake.short_left = 1; /* the first of the two */
    CHECK(linux_camera_wait(&camera, 1000 * MS, &frame) == 1);
    CHECK(frame.sequence == 2 && camera.frames_damaged == 2);
    CHECK(linux_camera_give(&camera, &frame) == HAL_OK);
    fake.short_left = 1;
    CHECK(linux_camera_wait(&camera, 1000 * MS, &frame) == 1);
    CHECK(frame.sequence == 4 && camera.frames_damaged == 3);
    linux_camera_close(&camera);
    fake_camera_end(&fake);
}

static void a_stamp_of_another_clock_is_not_taken_for_ours(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;

    fake.timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN;
    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    CHECK(linux_camera_wait(&camera, 1000 * MS, &frame) == 1);
    CHECK(frame.t_ns == fake.now_ns && frame.t_ns % 1000 != 0);
    linux_camera_close(&camera);
    fake_camera_end(&fake);
}

static int32_t open_only(struct fake_camera *fake, struct linux_camera *camera)
{
    struct linux_syscalls sys = fake_camera_table(fake);
    int32_t code = linux_camera_open(camera, &sys, &WEBCAM);

    CHECK(code != HAL_OK ? camera->fd == -1 : camera->fd == FAKE_CAMERA_FD);
    linux_camera_close(camera);
    fake_camera_end(fake);
    return code;
}

static void another_format_or_size_is_refused_and_told(void)
{
    struct linux_camera camera;
    struct fake_camera fake = webcam();

    fake.fourcc = V4L2_PIX_FMT_MJPEG;
    CHECK(open_only(&fake, &camera) == HAL_E_UNSUPPORTED);
    CHECK(camera.offered_fourcc == V4L2_PIX_FMT_MJPEG);
    fake = webcam();
    fake.width_px = 30;
    CHECK(open_only(&fake, &camera) == HAL_E_UNSUPPORTED && camera.offered_width_px == 30);
    fake = webcam();
    fake.height_px = 20;
    CHECK(open_only(&fake, &camera) == HAL_E_UNSUPPORTED && camera.offered_height_px == 20);
    fake = webcam();
    fake.field = V4L2_FIELD_INTERLACED;
    CHECK(open_only(&fake, &camera) == HAL_E_UNSUPPORTED);
}

static void what_is_no_camera_is_refused(void)
{
    struct linux_camera camera;
    struct fake_camera fake = webcam();

    fake.device_caps = V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING; /* a UVC camera's second node */
    CHECK(open_only(&fake, &camera) == HAL_E_UNSUPPORTED && camera.offered_fourcc == 0);
    fake = webcam();
    fake.device_caps = V4L2_CAP_VIDEO_CAPTURE;
    CHECK(open_only(&fake, &camera) == HAL_E_UNSUPPORTED);
    fake = webcam();
    fake.capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING; /* an old driver's only word */
    fake.device_caps = 0;
    CHECK(open_only(&fake, &camera) == HAL_OK);
}

static void a_driver_with_other_buffers_is_met_half_way(void)
{
    struct linux_camera camera;
    struct fake_camera fake = webcam();

    fake.buffers_max = 1;
    CHECK(open_only(&fake, &camera) == HAL_E_BUSY);
    fake = webcam();
    fake.buffers_max = 3;
    CHECK(open_only(&fake, &camera) == HAL_OK && camera.buffer_count == 3);
    fake = webcam();
    fake.buffers_min = 20; /* only as many as there is place for are used */
    CHECK(open_only(&fake, &camera) == HAL_OK);
    CHECK(camera.buffer_count == LINUX_CAMERA_BUFFERS_MAX);
}

static void an_unplugged_camera_is_told_by_every_call(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;

    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    CHECK(linux_camera_wait(&camera, 100 * MS, &frame) == 1);
    fake.plugged = 0;
    CHECK(linux_camera_give(&camera, &frame) == HAL_E_NODEV);
    CHECK(linux_camera_drain(&camera) == HAL_E_NODEV);
    CHECK(linux_camera_wait(&camera, 100 * MS, &frame) == HAL_E_NODEV);
    linux_camera_close(&camera);
    fake_camera_end(&fake);
    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_E_NODEV);
    fake.plugged = 1;
    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    linux_camera_close(&camera);
    fake_camera_end(&fake);
}

static void a_stream_that_stops_is_an_error_and_no_busy_wait(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;
    int calls;

    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    fake.poll_events = POLLERR;
    calls = fake.calls;
    CHECK(linux_camera_wait(&camera, 100 * MS, &frame) == HAL_E_IO);
    CHECK(fake.calls == calls + 2);
    fake.poll_events = POLLIN; /* and nothing behind it, with the clock standing still */
    calls = fake.calls;
    CHECK(linux_camera_wait(&camera, 100 * MS, &frame) == 0);
    CHECK(fake.calls <= calls + 2000);
    linux_camera_close(&camera);
    fake_camera_end(&fake);
}

/* Opens, drains, takes two pictures, closes; the first error met. */
static int32_t session(struct fake_camera *fake)
{
    struct linux_syscalls sys = fake_camera_table(fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;
    int32_t code = linux_camera_open(&camera, &sys, &WEBCAM);

    if (code == HAL_OK) {
        fake_let_time_pass(fake, fake->now_ns + 70 * MS);
        code = linux_camera_drain(&camera);
    }
    for (int i = 0; code >= 0 && i < 2; i++) {
        code = linux_camera_wait(&camera, 100 * MS, &frame);
        if (code > 0) {
            code = linux_camera_give(&camera, &frame);
        }
    }
    linux_camera_close(&camera);
    fake_camera_end(fake);
    return code < 0 ? code : HAL_OK;
}

static void every_call_may_fail_and_nothing_stays_open(void)
{
    static const int ERRORS[] = {ENODEV, EIO, EBUSY, EINVAL, EACCES, ENOMEM, EINTR, EPROTO, ENOTTY};
    struct fake_camera healthy = webcam();

    CHECK(session(&healthy) == HAL_OK);
    CHECK(healthy.calls > 20);
    for (int call = 0; call < healthy.calls - 1; call++) { /* the last is STREAMOFF */
        for (size_t i = 0; i < COUNT_OF(ERRORS); i++) {
            struct fake_camera fake = webcam();
            int32_t code;

            fake.fail_at = call;
            fake.fail_for = -1;
            fake.fail_with = ERRORS[i];
            code = session(&fake);
            CHECK(code == linux_error(-ERRORS[i]));
        }
    }
}

/* A driver that hands out a buffer that nobody gave it. */
static int64_t broken_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    int64_t result = fake_ioctl(context, fd, request, argument);

    if (request == VIDIOC_DQBUF && result == 0) {
        ((struct v4l2_buffer *)argument)->index = 99;
    }
    return result;
}

static void a_buffer_that_does_not_exist_is_not_followed(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_frame frame;
    struct linux_camera camera;

    sys.ioctl = broken_ioctl;
    CHECK(linux_camera_open(&camera, &sys, &WEBCAM) == HAL_OK);
    CHECK(linux_camera_wait(&camera, 100 * MS, &frame) == HAL_E_IO);
    linux_camera_close(&camera);
}

static void a_mistake_of_the_caller_reaches_no_kernel(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct linux_camera_config bad[5] = {WEBCAM, WEBCAM, WEBCAM, WEBCAM, WEBCAM};
    struct linux_camera_frame frame = {0};
    struct linux_camera camera;

    bad[0].path = NULL;
    bad[1].width_px = 0;
    bad[2].height_px = 0;
    bad[3].buffers = LINUX_CAMERA_BUFFERS_MIN - 1;
    bad[4].buffers = LINUX_CAMERA_BUFFERS_MAX + 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(linux_camera_open(&camera, &sys, &bad[i]) == HAL_E_RANGE);
    }
    CHECK(linux_camera_open(NULL, &sys, &WEBCAM) == HAL_E_RANGE);
    CHECK(linux_camera_open(&camera, NULL, &WEBCAM) == HAL_E_RANGE);
    CHECK(linux_camera_open(&camera, &sys, NULL) == HAL_E_RANGE);
    linux_camera_close(NULL);
    CHECK(linux_camera_drain(&camera) == HAL_E_STATE && linux_camera_drain(NULL) == HAL_E_STATE);
    CHECK(linux_camera_wait(&camera, 1, &frame) == HAL_E_STATE);
    CHECK(linux_camera_wait(NULL, 1, &frame) == HAL_E_RANGE);
    CHECK(linux_camera_wait(&camera, 1, NULL) == HAL_E_RANGE);
    CHECK(linux_camera_give(&camera, &frame) == HAL_E_STATE);
    CHECK(linux_camera_give(NULL, &frame) == HAL_E_RANGE);
    CHECK(linux_camera_give(&camera, NULL) == HAL_E_RANGE);
    CHECK(fake.calls == 0);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(pictures_come_in_order_from_the_drivers_memory),
        PROMISE(what_waits_already_is_given_back_unseen),
        PROMISE(a_wait_never_takes_longer_than_asked),
        PROMISE(damaged_pictures_are_counted_and_passed_over),
        PROMISE(a_stamp_of_another_clock_is_not_taken_for_ours),
        PROMISE(another_format_or_size_is_refused_and_told),
        PROMISE(what_is_no_camera_is_refused),
        PROMISE(a_driver_with_other_buffers_is_met_half_way),
        PROMISE(an_unplugged_camera_is_told_by_every_call),
        PROMISE(a_stream_that_stops_is_an_error_and_no_busy_wait),
        PROMISE(every_call_may_fail_and_nothing_stays_open),
        PROMISE(a_buffer_that_does_not_exist_is_not_followed),
        PROMISE(a_mistake_of_the_caller_reaches_no_kernel),
    };

    KEEP(PROMISES);
    return 0;
}
