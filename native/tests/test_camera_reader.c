/* The reader's thread on a kernel with a camera in memory: asked, looked at, unplugged, hung. */
#define _POSIX_C_SOURCE 200809L
#include "camera_reader.h"
#include "check.h"
#include "fake_camera.h"
#include "hal.h"

#include <sched.h>

#define TILES 2

static const uint64_t MS = 1000000;
static const uint64_t PATIENCE_NS = 20000000000;
static uint8_t arena[65536];

static struct camera_reader_config config_of(void)
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
                 .tiles_across = TILES,
                 .tiles_down = 1,
                 .bands = {3, 3, 3, 3, 3, 3},
                 .full_scale = 255},
        .timeout_ns = 50000000,
        .reopen_ns = 5000000,
        .settle_frames = 2,
    };
}

static struct fake_camera webcam(void)
{
    struct fake_camera fake = fake_camera_of(V4L2_PIX_FMT_GREY, 32, 24, 32);

    fake.real_time = 1;
    return fake;
}

/* Looks until the answer is there; a test that waits for ever has failed. */
static int32_t answer(struct camera_reader *reader, struct camera_picture *picture)
{
    uint64_t due_ns = tick_monotonic_ns() + PATIENCE_NS;
    int32_t code = 0;

    while (code == 0) {
        CHECK(tick_monotonic_ns() < due_ns);
        code = camera_reader_take(reader, picture);
        (void)sched_yield();
    }
    return code;
}

static void a_picture_that_is_asked_for_comes_as_tiles(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of();
    struct camera_counters counters;
    struct camera_picture picture;
    struct camera_reader *reader;
    struct camera_offer offer;

    CHECK(camera_reader_bytes(&config) > 0);
    CHECK(camera_reader_bytes(&config) < (int64_t)sizeof arena);
    CHECK(camera_reader_open(&reader, arena + 3, sizeof arena - 3, &sys, &config, &offer) ==
          HAL_OK);
    CHECK(offer.code == HAL_OK && strcmp(offer.card, "A camera in memory") == 0);
    CHECK(camera_reader_take(reader, &picture) == HAL_E_STATE);
    for (int i = 0; i < 50; i++) {
        CHECK(camera_reader_ask(reader) == HAL_OK);
        CHECK(camera_reader_ask(reader) == HAL_E_BUSY);
        CHECK(answer(reader, &picture) == TILES && picture.tiles == TILES);
        CHECK(camera_reader_tiles(reader)[0] == (picture.sequence & 0xFF));
        CHECK(camera_reader_tiles(reader)[8 * 8 * 12 * TILES - 2] == (picture.sequence & 0xFF));
    }
    CHECK(camera_reader_read_counters(reader, &counters) == HAL_OK);
    CHECK(counters.pictures == 50 && counters.opened == 1 && counters.frames_old >= 2);
    CHECK(camera_reader_close(reader, PATIENCE_NS) == HAL_OK);
    fake_camera_end(&fake);
}

static void an_unplugged_camera_comes_back_by_itself(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of();
    struct camera_counters counters;
    struct camera_picture picture;
    struct camera_reader *reader;
    struct camera_offer offer;
    uint64_t due_ns;

    CHECK(camera_reader_open(&reader, arena, sizeof arena, &sys, &config, &offer) == HAL_OK);
    atomic_store(&fake.plugged, 0);
    CHECK(camera_reader_ask(reader) == HAL_OK);
    CHECK(answer(reader, &picture) == HAL_E_NODEV);
    atomic_store(&fake.plugged, 1);
    due_ns = tick_monotonic_ns() + PATIENCE_NS;
    while (atomic_load(&fake.opens) < 2) { /* without being asked */
        CHECK(tick_monotonic_ns() < due_ns);
        (void)sched_yield();
    }
    CHECK(camera_reader_ask(reader) == HAL_OK);
    CHECK(answer(reader, &picture) == TILES);
    CHECK(camera_reader_read_counters(reader, &counters) == HAL_OK);
    CHECK(counters.opened == 2 && counters.open_failed >= 1 && counters.pictures_failed == 1);
    CHECK(camera_reader_close(reader, PATIENCE_NS) == HAL_OK);
    fake_camera_end(&fake);
}

static void an_absent_camera_is_no_error_and_may_come(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of();
    struct camera_picture picture;
    struct camera_reader *reader;
    struct camera_offer offer;
    int32_t code;

    atomic_store(&fake.plugged, 0);
    CHECK(camera_reader_open(&reader, arena, sizeof arena, &sys, &config, &offer) == HAL_OK);
    CHECK(offer.code == HAL_E_NODEV);
    atomic_store(&fake.plugged, 1);
    do {
        CHECK(camera_reader_ask(reader) == HAL_OK);
        code = answer(reader, &picture);
        CHECK(code == TILES || code == HAL_E_NODEV);
    } while (code != TILES);
    CHECK(camera_reader_close(reader, PATIENCE_NS) == HAL_OK);
    fake_camera_end(&fake);
}

static void another_format_is_told_at_opening(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of();
    struct camera_reader *reader;
    struct camera_offer offer;

    fake.fourcc = V4L2_PIX_FMT_MJPEG;
    fake.width_px = 64;
    CHECK(camera_reader_open(&reader, arena, sizeof arena, &sys, &config, &offer) == HAL_OK);
    CHECK(offer.code == HAL_E_UNSUPPORTED && offer.fourcc == V4L2_PIX_FMT_MJPEG);
    CHECK(offer.width_px == 64 && offer.height_px == 24);
    CHECK(camera_reader_close(reader, PATIENCE_NS) == HAL_OK);
    fake_camera_end(&fake);
}

static atomic_int hung;
static atomic_int hanging;
static atomic_int closed;

/* A bus that holds its caller until the test lets go. */
static int64_t hanging_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    while (request == VIDIOC_DQBUF && atomic_load(&hung)) {
        atomic_store(&hanging, 1);
        (void)sched_yield();
    }
    return fake_ioctl(context, fd, request, argument);
}

static int64_t told_close(void *context, int fd)
{
    int64_t result = fake_close(context, fd);

    atomic_store(&closed, 1);
    return result;
}

static void wait_for(const atomic_int *flag)
{
    uint64_t due_ns = tick_monotonic_ns() + PATIENCE_NS;

    while (!atomic_load(flag)) {
        CHECK(tick_monotonic_ns() < due_ns);
        (void)sched_yield();
    }
}

static void a_bus_that_hangs_holds_neither_the_caller_nor_the_end(void)
{
    static struct fake_camera fake; /* outlives this function, as the arena does */
    static struct linux_syscalls sys;
    struct camera_reader_config config = config_of();
    struct camera_picture picture;
    struct camera_reader *reader;
    struct camera_offer offer;

    fake = webcam();
    sys = fake_camera_table(&fake);
    sys.ioctl = hanging_ioctl;
    sys.close = told_close;
    atomic_store(&hung, 1);
    CHECK(camera_reader_open(&reader, arena, sizeof arena, &sys, &config, &offer) == HAL_OK);
    CHECK(camera_reader_ask(reader) == HAL_OK);
    wait_for(&hanging);
    for (int i = 0; i < 1000; i++) {
        CHECK(camera_reader_take(reader, &picture) == 0);
        CHECK(camera_reader_ask(reader) == HAL_E_BUSY);
    }
    CHECK(camera_reader_close(reader, 5 * MS) == HAL_E_TIMEOUT);
    atomic_store(&hung, 0); /* the thread was let go of, and ends by itself */
    wait_for(&closed);
}

static void a_mistake_of_the_caller_starts_nothing(void)
{
    struct fake_camera fake = webcam();
    struct linux_syscalls sys = fake_camera_table(&fake);
    struct camera_reader_config config = config_of();
    struct camera_counters counters;
    struct camera_picture picture;
    struct camera_reader *reader = NULL;
    struct camera_offer offer;
    uint64_t needed = (uint64_t)camera_reader_bytes(&config);

    CHECK(camera_reader_bytes(NULL) == HAL_E_RANGE);
    CHECK(camera_reader_open(&reader, arena, needed - 1, &sys, &config, &offer) == HAL_E_RANGE);
    CHECK(camera_reader_open(NULL, arena, needed, &sys, &config, &offer) == HAL_E_RANGE);
    CHECK(camera_reader_open(&reader, NULL, needed, &sys, &config, &offer) == HAL_E_RANGE);
    CHECK(camera_reader_open(&reader, arena, needed, &sys, NULL, &offer) == HAL_E_RANGE);
    CHECK(camera_reader_open(&reader, arena, needed, &sys, &config, NULL) == HAL_E_RANGE);
    CHECK(fake.calls == 0);
    CHECK(camera_reader_ask(NULL) == HAL_E_STATE);
    CHECK(camera_reader_take(NULL, &picture) == HAL_E_STATE);
    CHECK(camera_reader_read_counters(NULL, &counters) == HAL_E_STATE);
    CHECK(camera_reader_close(NULL, 0) == HAL_OK);
    /* The machine's own kernel has no camera at a path that cannot be. */
    config.camera.path = "/dev/null/video0";
    CHECK(camera_reader_open(&reader, arena, needed, NULL, &config, &offer) == HAL_OK);
    CHECK(offer.code == HAL_E_NODEV);
    CHECK(camera_reader_take(reader, NULL) == HAL_E_STATE);
    CHECK(camera_reader_read_counters(reader, NULL) == HAL_E_STATE);
    CHECK(camera_reader_close(reader, PATIENCE_NS) == HAL_OK);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(a_picture_that_is_asked_for_comes_as_tiles),
        PROMISE(an_unplugged_camera_comes_back_by_itself),
        PROMISE(an_absent_camera_is_no_error_and_may_come),
        PROMISE(another_format_is_told_at_opening),
        PROMISE(a_mistake_of_the_caller_starts_nothing),
        PROMISE(a_bus_that_hangs_holds_neither_the_caller_nor_the_end),
    };

    KEEP(PROMISES);
    return 0;
}
