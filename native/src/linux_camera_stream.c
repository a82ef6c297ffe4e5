/* Pictures of a Video4Linux camera; see linux_camera.h. */
#define _POSIX_C_SOURCE 199309L
#include "hal.h"
#include "linux_camera_buffer.h"

#include <errno.h>
#include <poll.h>

static const uint64_t NS_PER_S = 1000000000;
static const uint64_t NS_PER_US = 1000;

/* No camera sends so many damaged pictures within one wait. */
static const uint32_t PICTURES_A_WAIT_MAX = 1000;

/* Takes the oldest filled buffer; -EAGAIN when there is none. */
static int64_t take(struct linux_camera *camera, struct v4l2_buffer *taken)
{
    int64_t result;

    *taken = linux_camera_buffer_of(0);
    result = linux_camera_ask(camera, VIDIOC_DQBUF, taken);
    return result >= 0 && taken->index >= camera->buffer_count ? -EPROTO : result;
}

static int64_t give_back(struct linux_camera *camera, uint32_t index)
{
    struct v4l2_buffer buffer = linux_camera_buffer_of(index);

    return linux_camera_ask(camera, VIDIOC_QBUF, &buffer);
}

int32_t linux_camera_drain(struct linux_camera *camera)
{
    int32_t drained = 0;

    if (camera == NULL || camera->fd < 0) {
        return HAL_E_STATE;
    }
    /* Those that wait, and as many that arrive meanwhile at most. */
    for (uint32_t i = 0; i < 2 * camera->buffer_count; i++) {
        struct v4l2_buffer taken;
        int64_t result = take(camera, &taken);

        if (result == -EAGAIN) {
            break;
        }
        if (result >= 0) {
            result = give_back(camera, taken.index);
        }
        if (result < 0) {
            return linux_error(result);
        }
        drained++;
        camera->frames_old++;
    }
    return drained;
}

static int is_whole(const struct linux_camera *camera, const struct v4l2_buffer *taken)
{
    return (taken->flags & V4L2_BUF_FLAG_ERROR) == 0 && taken->bytesused >= camera->picture_bytes &&
           taken->bytesused <= camera->buffers[taken->index].bytes;
}

static struct linux_camera_frame frame_of(const struct linux_camera *camera,
                                          const struct v4l2_buffer *taken)
{
    uint64_t t_ns = camera->sys->now_ns(camera->sys->context);

    if ((taken->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) {
        t_ns = (uint64_t)taken->timestamp.tv_sec * NS_PER_S +
               (uint64_t)taken->timestamp.tv_usec * NS_PER_US;
    }
    return (struct linux_camera_frame){
        .picture = camera->buffers[taken->index].memory,
        .picture_bytes = taken->bytesused,
        .t_ns = t_ns,
        .sequence = taken->sequence,
        .index = taken->index,
    };
}

int32_t linux_camera_wait(struct linux_camera *camera, uint64_t timeout_ns,
                          struct linux_camera_frame *frame)
{
    uint64_t now_ns;
    uint64_t due_ns;

    if (camera == NULL || frame == NULL) {
        return HAL_E_RANGE;
    }
    if (camera->fd < 0) {
        return HAL_E_STATE;
    }
    now_ns = camera->sys->now_ns(camera->sys->context);
    due_ns = timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
    for (uint32_t turn = 0; turn < PICTURES_A_WAIT_MAX; turn++) {
        struct v4l2_buffer taken;
        int64_t result = linux_wait(camera->sys, camera->fd, POLLIN, due_ns - now_ns);
        int64_t events = result;

        if (result == 0) {
            return 0;
        }
        if (result > 0) {
            result = take(camera, &taken);
        }
        if (result == -EAGAIN && (events & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
            result = -EIO; /* nothing to come: the stream has stopped */
        }
        if (result >= 0 && is_whole(camera, &taken)) {
            *frame = frame_of(camera, &taken);
            camera->frames++;
            return 1;
        }
        if (result >= 0) {
            camera->frames_damaged++;
            result = give_back(camera, taken.index);
        }
        if (result < 0 && result != -EAGAIN) {
            return linux_error(result);
        }
        now_ns = camera->sys->now_ns(camera->sys->context);
        if (now_ns >= due_ns) {
            break;
        }
    }
    return 0;
}

int32_t linux_camera_give(struct linux_camera *camera, const struct linux_camera_frame *frame)
{
    if (camera == NULL || frame == NULL) {
        return HAL_E_RANGE;
    }
    if (camera->fd < 0) {
        return HAL_E_STATE;
    }
    return linux_error(give_back(camera, frame->index));
}
