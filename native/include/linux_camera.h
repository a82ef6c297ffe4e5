/*
 * linux_camera.h - a Video4Linux camera: pictures through memory that the driver shares.
 *
 * For cameras that hand out pictures by themselves: USB cameras (UVC) and bridges that look like
 * one. A raw sensor on a CSI port needs its pipeline set up and its exposure controlled first
 * (libcamera, the vendor's pipeline): let that write tiles into a folder.
 *
 * Memory.   `struct linux_camera` is the caller's; the pictures lie in the driver's memory and are
 *           read where they lie. Nothing is allocated here.
 * Time.     open: setting a format and starting the stream take 0.1 to 1 s on USB, up to 5 s on a
 *           bus that does not answer: call from a thread that may wait. drain: up to two exchanges
 *           a buffer, some us each. wait: as long as asked and no longer.
 * Unplug.   Every call then answers HAL_E_NODEV or HAL_E_IO; close and open again. Give the path
 *           under /dev/v4l/by-id: the number in /dev/videoN depends on the order of plugging.
 * Source.   <linux/videodev2.h>; kernel documentation, userspace-api/media/v4l, "Streaming I/O
 *           (Memory Mapping)".
 */
#ifndef LUMENODE_LINUX_CAMERA_H
#define LUMENODE_LINUX_CAMERA_H

#include "linux_syscalls.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LINUX_CAMERA_BUFFERS_MIN 2
#define LINUX_CAMERA_BUFFERS_MAX 8
#define LINUX_CAMERA_NAME_BYTES  33

struct linux_camera_config {
    const char *path; /* "/dev/v4l/by-id/..." or "/dev/video0" */
    uint32_t fourcc;  /* of the format wanted */
    uint32_t width_px;
    uint32_t height_px;
    uint32_t buffers; /* LINUX_CAMERA_BUFFERS_MIN to _MAX; 4 keep a camera busy */
};

struct linux_camera_buffer {
    void *memory; /* NULL: not mapped */
    uint64_t bytes;
};

struct linux_camera {
    const struct linux_syscalls *sys;
    int32_t fd; /* -1: closed */
    uint32_t streaming;
    uint32_t buffer_count;
    uint32_t bytes_per_line;
    uint32_t picture_bytes;     /* of a whole picture */
    uint32_t offered_fourcc;    /* what the driver would do when open answers HAL_E_UNSUPPORTED; */
    uint32_t offered_width_px;  /* zero: it is no camera at all */
    uint32_t offered_height_px; /* likewise */
    uint64_t frames;            /* handed out */
    uint64_t frames_old;        /* given back unseen: from before they were asked for */
    uint64_t frames_damaged;    /* the driver says so, or they were too short */
    char card[LINUX_CAMERA_NAME_BYTES]; /* the driver's name for the camera */
    struct linux_camera_buffer buffers[LINUX_CAMERA_BUFFERS_MAX];
};

/* A picture in the driver's memory, between wait and give. */
struct linux_camera_frame {
    const uint8_t *picture;
    uint64_t picture_bytes;
    uint64_t t_ns; /* CLOCK_MONOTONIC: the driver's stamp, or the time of the call without one */
    uint32_t sequence;
    uint32_t index; /* of its buffer */
};

/*
 * Opens the camera and starts its stream. HAL_E_RANGE: NULL or a field out of bounds. HAL_E_NODEV:
 * no such device. HAL_E_PERM: not in the group `video`. HAL_E_BUSY: another program streams from
 * it, or the driver has no memory for two buffers. HAL_E_UNSUPPORTED: no camera that streams, or
 * it does not do this format and size: offered_* then say what it would do instead. On error it
 * stays closed.
 */
int32_t linux_camera_open(struct linux_camera *camera, const struct linux_syscalls *sys,
                          const struct linux_camera_config *config);

/* Stops and gives everything back; closed or NULL: nothing happens. */
void linux_camera_close(struct linux_camera *camera);

/* Gives back the pictures that wait already. @return how many. HAL_E_NODEV, HAL_E_IO: the camera
 * is gone or its stream broke. HAL_E_STATE: closed. */
int32_t linux_camera_drain(struct linux_camera *camera);

/*
 * Waits up to `timeout_ns` for the next whole picture; damaged ones are counted and passed over.
 * @return 1 with `*frame` filled, to be given back by linux_camera_give(); 0 when none came.
 * HAL_E_RANGE: NULL. The rest as linux_camera_drain().
 */
int32_t linux_camera_wait(struct linux_camera *camera, uint64_t timeout_ns,
                          struct linux_camera_frame *frame);

/* Gives a picture's buffer back to the driver. HAL_OK, or as linux_camera_drain(). */
int32_t linux_camera_give(struct linux_camera *camera, const struct linux_camera_frame *frame);

#ifdef __cplusplus
}
#endif

#endif
