/*
 * fake_camera.h - a kernel with one Video4Linux camera: its pictures come from memory, at the times
 * of a clock that the test owns (or, for a thread, as soon as somebody waits for one).
 *
 * It holds the driver to its rules: a buffer is queued, filled, taken and queued again; none is
 * queued twice or taken unfilled. Any call can be made to fail, once or from then on.
 */
#ifndef LUMENODE_FAKE_CAMERA_H
#define LUMENODE_FAKE_CAMERA_H

#include "check.h"
#include "linux_syscalls.h"
#include "tick.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <linux/videodev2.h>

#define FAKE_CAMERA_FD      7
#define FAKE_CAMERA_BUFFERS 4
#define FAKE_CAMERA_BYTES   (64 * 64 * 2)

enum fake_buffer_state { FAKE_IDLE = 0, FAKE_QUEUED, FAKE_FILLED };

struct fake_camera {
    /* What it is. */
    uint32_t fourcc;
    uint32_t width_px;
    uint32_t height_px;
    uint32_t bytes_per_line;
    uint32_t field;
    uint32_t capabilities;
    uint32_t device_caps; /* 0: an old driver */
    uint32_t buffers_max;
    uint32_t buffers_min;
    uint32_t timestamp_flags;
    uint64_t frame_ns; /* between two pictures */
    int real_time;     /* the machine's clock; pictures come when waited for */

    /* What happens to it. */
    atomic_int plugged;
    atomic_int silent;       /* no pictures come */
    atomic_int damaged_left; /* so many pictures come damaged */
    atomic_int short_left;   /* so many come too short */
    atomic_int opens;
    int poll_events; /* in place of POLLIN, when not 0 */
    int fail_at;     /* call that fails; -1: none */
    int fail_for;    /* so many calls fail; -1: for ever */
    int fail_with;

    /* Its state. */
    int open;
    int streaming;
    int mapped;
    int calls;
    uint32_t buffer_count;
    enum fake_buffer_state state[FAKE_CAMERA_BUFFERS * 2];
    uint32_t filled[FAKE_CAMERA_BUFFERS * 2]; /* in order */
    uint32_t filled_count;
    uint32_t sequence;
    uint64_t now_ns;
    uint64_t next_ns;
    uint8_t memory[FAKE_CAMERA_BUFFERS * 2][FAKE_CAMERA_BYTES];
};

static struct fake_camera fake_camera_of(uint32_t fourcc, uint32_t width_px, uint32_t height_px,
                                         uint32_t bytes_per_line)
{
    return (struct fake_camera){
        .fourcc = fourcc,
        .width_px = width_px,
        .height_px = height_px,
        .bytes_per_line = bytes_per_line,
        .field = V4L2_FIELD_NONE,
        .capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_META_CAPTURE |
                        V4L2_CAP_DEVICE_CAPS,
        .device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING,
        .buffers_max = FAKE_CAMERA_BUFFERS,
        .timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
        .frame_ns = 33333333,
        .plugged = 1,
        .fail_at = -1,
        .now_ns = 1000000000,
        .next_ns = 1000000000,
    };
}

/* Counts the call; a negative errno when it shall fail. */
static int64_t fake_failure(struct fake_camera *camera)
{
    int call = camera->calls++;

    if (camera->fail_at >= 0 && call >= camera->fail_at &&
        (camera->fail_for < 0 || call < camera->fail_at + camera->fail_for)) {
        return -(int64_t)camera->fail_with;
    }
    return atomic_load(&camera->plugged) ? 0 : -ENODEV;
}

/* Every octet of a picture is its sequence number. */
static void fake_fill(struct fake_camera *camera)
{
    for (uint32_t i = 0; i < camera->buffer_count; i++) {
        if (camera->state[i] == FAKE_QUEUED) {
            camera->state[i] = FAKE_FILLED;
            memset(camera->memory[i], (int)(camera->sequence & 0xFF), FAKE_CAMERA_BYTES);
            camera->filled[camera->filled_count++] = i;
            break;
        }
    }
    camera->sequence++; /* with no buffer to fill the picture is lost */
}

static void fake_let_time_pass(struct fake_camera *camera, uint64_t now_ns)
{
    camera->now_ns = now_ns;
    while (camera->streaming && camera->next_ns <= now_ns) {
        if (!atomic_load(&camera->silent)) {
            fake_fill(camera);
        }
        camera->next_ns += camera->frame_ns;
    }
}

static int64_t fake_open(void *context, const char *path, int flags, uint32_t mode)
{
    struct fake_camera *camera = context;
    int64_t failure;

    (void)flags;
    CHECK(strcmp(path, "/dev/video0") == 0 && mode == 0);
    failure = fake_failure(camera);
    if (failure < 0) {
        return failure == -ENODEV ? -ENOENT : failure;
    }
    CHECK(!camera->open);
    camera->open = 1;
    atomic_fetch_add(&camera->opens, 1);
    return FAKE_CAMERA_FD;
}

static int64_t fake_close(void *context, int fd)
{
    struct fake_camera *camera = context;

    CHECK(fd == FAKE_CAMERA_FD && camera->open);
    camera->open = camera->streaming = 0;
    camera->filled_count = 0;
    memset(camera->state, 0, sizeof camera->state);
    return 0;
}

static int64_t fake_set_format(const struct fake_camera *camera, struct v4l2_format *format)
{
    CHECK(format->type == V4L2_BUF_TYPE_VIDEO_CAPTURE);
    format->fmt.pix.pixelformat = camera->fourcc;
    format->fmt.pix.width = camera->width_px;
    format->fmt.pix.height = camera->height_px;
    format->fmt.pix.bytesperline = camera->bytes_per_line;
    format->fmt.pix.sizeimage = camera->bytes_per_line * camera->height_px;
    format->fmt.pix.field = camera->field;
    return 0;
}

static int64_t fake_dequeue(struct fake_camera *camera, struct v4l2_buffer *buffer)
{
    uint32_t index;

    fake_let_time_pass(camera, camera->now_ns);
    if (camera->filled_count == 0) {
        return -EAGAIN;
    }
    index = camera->filled[0];
    camera->filled_count--;
    memmove(camera->filled, camera->filled + 1, camera->filled_count * sizeof camera->filled[0]);
    camera->state[index] = FAKE_IDLE;
    buffer->index = index;
    buffer->bytesused = camera->bytes_per_line * camera->height_px;
    buffer->flags = camera->timestamp_flags;
    buffer->sequence = camera->memory[index][0];
    buffer->timestamp.tv_sec = (time_t)(camera->now_ns / 1000000000);
    buffer->timestamp.tv_usec = (suseconds_t)(camera->now_ns % 1000000000 / 1000);
    if (atomic_load(&camera->damaged_left) > 0) {
        atomic_fetch_sub(&camera->damaged_left, 1);
        buffer->flags |= V4L2_BUF_FLAG_ERROR;
    }
    if (atomic_load(&camera->short_left) > 0) {
        atomic_fetch_sub(&camera->short_left, 1);
        buffer->bytesused--;
    }
    return 0;
}

static int64_t fake_queue(struct fake_camera *camera, const struct v4l2_buffer *buffer)
{
    CHECK(buffer->index < camera->buffer_count && camera->state[buffer->index] == FAKE_IDLE);
    camera->state[buffer->index] = FAKE_QUEUED;
    return 0;
}

static int64_t fake_request_buffers(struct fake_camera *camera, struct v4l2_requestbuffers *request)
{
    if (request->count > camera->buffers_max) {
        request->count = camera->buffers_max;
    }
    if (request->count < camera->buffers_min) {
        request->count = camera->buffers_min;
    }
    camera->buffer_count = request->count;
    return 0;
}

static int64_t fake_ioctl(void *context, int fd, unsigned long request, void *argument)
{
    struct fake_camera *camera = context;
    struct v4l2_buffer *buffer = argument;
    int64_t failure = fake_failure(camera);

    CHECK(fd == FAKE_CAMERA_FD && camera->open);
    if (failure < 0) {
        return failure;
    }
    if (request == VIDIOC_QUERYCAP) {
        struct v4l2_capability *about = argument;

        memcpy(about->card, "A camera in memory", 19);
        about->capabilities = camera->capabilities;
        about->device_caps = camera->device_caps;
        return 0;
    }
    if (request == VIDIOC_S_FMT) {
        return fake_set_format(camera, argument);
    }
    if (request == VIDIOC_REQBUFS) {
        return fake_request_buffers(camera, argument);
    }
    if (request == VIDIOC_QUERYBUF) {
        buffer->length = FAKE_CAMERA_BYTES;
        buffer->m.offset = buffer->index * FAKE_CAMERA_BYTES;
        return 0;
    }
    if (request == VIDIOC_QBUF) {
        return fake_queue(camera, buffer);
    }
    if (request == VIDIOC_DQBUF) {
        return fake_dequeue(camera, buffer);
    }
    CHECK(request == VIDIOC_STREAMON || request == VIDIOC_STREAMOFF);
    camera->streaming = request == VIDIOC_STREAMON;
    camera->next_ns = camera->now_ns + camera->frame_ns;
    return 0;
}

static int64_t fake_poll(void *context, struct pollfd *fds, uint32_t count, int timeout_ms)
{
    struct fake_camera *camera = context;
    uint64_t due_ns = camera->now_ns + (uint64_t)timeout_ms * 1000000;
    int64_t failure = fake_failure(camera);

    CHECK(count == 1 && fds[0].fd == FAKE_CAMERA_FD);
    if (failure == -ENODEV && !atomic_load(&camera->plugged)) {
        fds[0].revents = POLLERR | POLLHUP;
        return 1;
    }
    if (failure < 0) {
        return failure;
    }
    if (camera->poll_events != 0) {
        fds[0].revents = (short)camera->poll_events;
        return 1;
    }
    if (camera->real_time) {
        if (!atomic_load(&camera->silent)) {
            fake_fill(camera);
        }
        camera->now_ns = tick_monotonic_ns();
    } else {
        while (camera->filled_count == 0 && camera->next_ns <= due_ns && camera->streaming) {
            fake_let_time_pass(camera, camera->next_ns);
        }
        if (camera->filled_count == 0) {
            fake_let_time_pass(camera, due_ns);
        }
    }
    fds[0].revents = camera->filled_count > 0 ? POLLIN : 0;
    return camera->filled_count > 0;
}

static int64_t fake_mmap(void *context, int fd, size_t bytes, int64_t offset, void **memory)
{
    struct fake_camera *camera = context;
    int64_t failure = fake_failure(camera);

    CHECK(fd == FAKE_CAMERA_FD && bytes == FAKE_CAMERA_BYTES);
    if (failure < 0) {
        return failure;
    }
    *memory = camera->memory[offset / FAKE_CAMERA_BYTES];
    camera->mapped++;
    return 0;
}

static int64_t fake_munmap(void *context, void *memory, size_t bytes)
{
    struct fake_camera *camera = context;

    CHECK(memory != NULL && bytes == FAKE_CAMERA_BYTES);
    camera->mapped--;
    return 0;
}

static uint64_t fake_now_ns(void *context)
{
    const struct fake_camera *camera = context;

    return camera->real_time ? tick_monotonic_ns() : camera->now_ns;
}

static struct linux_syscalls fake_camera_table(struct fake_camera *camera)
{
    return (struct linux_syscalls){
        .context = camera,
        .open = fake_open,
        .close = fake_close,
        .ioctl = fake_ioctl,
        .poll = fake_poll,
        .mmap = fake_mmap,
        .munmap = fake_munmap,
        .now_ns = fake_now_ns,
    };
}

/* Nothing was left open or mapped. */
static void fake_camera_end(const struct fake_camera *camera)
{
    CHECK(!camera->open && camera->mapped == 0);
}

#endif
