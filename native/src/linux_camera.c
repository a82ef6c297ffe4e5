/* A Video4Linux camera: opened, set and mapped, closed; see linux_camera.h. */
#define _POSIX_C_SOURCE 199309L
#include "hal.h"
#include "linux_camera_buffer.h"

#include <fcntl.h>
#include <string.h>

static int is_valid(const struct linux_camera_config *config)
{
    return config->path != NULL && config->width_px > 0 && config->height_px > 0 &&
           config->buffers >= LINUX_CAMERA_BUFFERS_MIN &&
           config->buffers <= LINUX_CAMERA_BUFFERS_MAX;
}

static int32_t look_at(struct linux_camera *camera)
{
    struct v4l2_capability about;
    const uint32_t wanted = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    uint32_t able;
    int64_t result;

    memset(&about, 0, sizeof about);
    result = linux_camera_ask(camera, VIDIOC_QUERYCAP, &about);
    if (result < 0) {
        return linux_error(result);
    }
    /* A driver may have several nodes; this one's own abilities count. */
    able =
        (about.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? about.device_caps : about.capabilities;
    memcpy(camera->card, about.card, sizeof about.card);
    return (able & wanted) == wanted ? HAL_OK : HAL_E_UNSUPPORTED;
}

/* The driver changes what it cannot do; anything but what was asked for is refused. */
static int32_t set_format(struct linux_camera *camera, const struct linux_camera_config *config)
{
    struct v4l2_format format;
    const struct v4l2_pix_format *given = &format.fmt.pix;
    int64_t result;

    memset(&format, 0, sizeof format);
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    format.fmt.pix.width = config->width_px;
    format.fmt.pix.height = config->height_px;
    format.fmt.pix.pixelformat = config->fourcc;
    format.fmt.pix.field = V4L2_FIELD_NONE;
    result = linux_camera_ask(camera, VIDIOC_S_FMT, &format);
    if (result < 0) {
        return linux_error(result);
    }
    camera->offered_fourcc = given->pixelformat;
    camera->offered_width_px = given->width;
    camera->offered_height_px = given->height;
    camera->bytes_per_line = given->bytesperline;
    camera->picture_bytes = given->bytesperline * given->height;
    return given->pixelformat == config->fourcc && given->width == config->width_px &&
                   given->height == config->height_px && given->field == V4L2_FIELD_NONE
               ? HAL_OK
               : HAL_E_UNSUPPORTED;
}

static int32_t map_buffer(struct linux_camera *camera, uint32_t index)
{
    struct v4l2_buffer about = linux_camera_buffer_of(index);
    struct linux_camera_buffer *buffer = &camera->buffers[index];
    void *memory = NULL;
    int64_t result = linux_camera_ask(camera, VIDIOC_QUERYBUF, &about);

    if (result >= 0) {
        result = camera->sys->mmap(camera->sys->context, camera->fd, about.length,
                                   (int64_t)about.m.offset, &memory);
    }
    if (result < 0) {
        return linux_error(result);
    }
    *buffer = (struct linux_camera_buffer){.memory = memory, .bytes = about.length};
    about = linux_camera_buffer_of(index);
    return linux_error(linux_camera_ask(camera, VIDIOC_QBUF, &about));
}

static int32_t start(struct linux_camera *camera, uint32_t buffers)
{
    struct v4l2_requestbuffers request = {
        .count = buffers, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    int64_t result = linux_camera_ask(camera, VIDIOC_REQBUFS, &request);

    if (result < 0) {
        return linux_error(result);
    }
    if (request.count < LINUX_CAMERA_BUFFERS_MIN) {
        return HAL_E_BUSY;
    }
    /* A driver may insist on more; those that have no place here stay unused. */
    camera->buffer_count =
        request.count < LINUX_CAMERA_BUFFERS_MAX ? request.count : LINUX_CAMERA_BUFFERS_MAX;
    for (uint32_t index = 0; index < camera->buffer_count; index++) {
        int32_t code = map_buffer(camera, index);

        if (code != HAL_OK) {
            return code;
        }
    }
    result = linux_camera_ask(camera, VIDIOC_STREAMON, &type);
    camera->streaming = result >= 0;
    return linux_error(result);
}

int32_t linux_camera_open(struct linux_camera *camera, const struct linux_syscalls *sys,
                          const struct linux_camera_config *config)
{
    int64_t opened;
    int32_t code;

    if (camera == NULL) {
        return HAL_E_RANGE;
    }
    memset(camera, 0, sizeof *camera);
    camera->sys = sys;
    camera->fd = -1;
    if (sys == NULL || config == NULL || !is_valid(config)) {
        return HAL_E_RANGE;
    }
    opened = linux_open(sys, config->path, O_RDWR | O_NONBLOCK);
    if (opened < 0) {
        return linux_error(opened);
    }
    camera->fd = (int32_t)opened;
    code = look_at(camera);
    if (code == HAL_OK) {
        code = set_format(camera, config);
    }
    if (code == HAL_OK) {
        code = start(camera, config->buffers);
    }
    if (code != HAL_OK) {
        linux_camera_close(camera);
    }
    return code;
}

void linux_camera_close(struct linux_camera *camera)
{
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    if (camera == NULL || camera->fd < 0) {
        return;
    }
    if (camera->streaming) {
        (void)linux_camera_ask(camera, VIDIOC_STREAMOFF, &type);
        camera->streaming = 0;
    }
    for (size_t index = 0; index < LINUX_CAMERA_BUFFERS_MAX; index++) {
        struct linux_camera_buffer *buffer = &camera->buffers[index];

        if (buffer->memory != NULL) {
            (void)camera->sys->munmap(camera->sys->context, buffer->memory, buffer->bytes);
            buffer->memory = NULL;
        }
    }
    linux_close(camera->sys, &camera->fd);
}
