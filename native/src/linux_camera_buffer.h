/* The exchange of buffers with the driver: between linux_camera.c, which sets a camera up, and
 * linux_camera_stream.c, which takes its pictures. Needs _POSIX_C_SOURCE for struct timespec. */
#ifndef LUMENODE_LINUX_CAMERA_BUFFER_H
#define LUMENODE_LINUX_CAMERA_BUFFER_H

#include "linux_camera.h"

#include <time.h>

#include <linux/videodev2.h>

static inline int64_t linux_camera_ask(const struct linux_camera *camera, unsigned long request,
                                       void *argument)
{
    return linux_ioctl(camera->sys, camera->fd, request, argument);
}

static inline struct v4l2_buffer linux_camera_buffer_of(uint32_t index)
{
    return (struct v4l2_buffer){
        .index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
}

#endif
