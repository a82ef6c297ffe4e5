/*
 * camera_reader.h - tiles of a camera, asked for and fetched without ever waiting.
 *
 * Opening a camera, starting its stream and waiting for a picture take from milliseconds to
 * seconds, and a USB bus that does not answer holds its caller for 5 s. A control loop cannot pay
 * that: a thread of this reader does, and the loop asks for a picture and looks later whether it
 * has come. A camera that is unplugged is opened again every `reopen_ns` until it is back.
 *
 * A picture is a fresh one: those that the driver has ready from before are given back unseen.
 *
 * Memory.   All in the caller's arena, until camera_reader_close() returned HAL_OK.
 * Threads.  One thread of the reader's own, which takes no signals; the functions here are for one
 *           thread of the caller's.
 * Time.     open waits for the camera as linux_camera_open() does; close as long as asked; ask,
 *           take, counters some us.
 */
#ifndef LUMENODE_CAMERA_READER_H
#define LUMENODE_CAMERA_READER_H

#include "camera_tile.h"
#include "linux_camera.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAMERA_TIMEOUT_NS_MAX    60000000000
#define CAMERA_SETTLE_FRAMES_MAX 600

struct camera_reader_config {
    struct linux_camera_config camera;
    struct camera_tile_config tile; /* format and size as in `camera` */
    uint64_t timeout_ns;            /* for one picture, 1 to CAMERA_TIMEOUT_NS_MAX */
    uint64_t reopen_ns;             /* between two tries to open a lost camera, likewise */
    uint32_t settle_frames;         /* thrown away after the stream has started, for the camera's
                                       own exposure control; up to CAMERA_SETTLE_FRAMES_MAX */
};

/* What came of opening the camera. */
struct camera_offer {
    int32_t code;                       /* enum hal_err of linux_camera_open() */
    uint32_t fourcc;                    /* with HAL_E_UNSUPPORTED: what it would do instead; */
    uint32_t width_px;                  /* zero: it is no camera */
    uint32_t height_px;                 /* likewise */
    char card[LINUX_CAMERA_NAME_BYTES]; /* the driver's name for it */
};

struct camera_picture {
    uint64_t t_ns; /* CLOCK_MONOTONIC */
    uint32_t sequence;
    uint32_t tiles;
};

/* Each counts from the first opening on. */
struct camera_counters {
    uint64_t opened;          /* streams started */
    uint64_t open_failed;     /* tries that failed */
    uint64_t pictures;        /* converted */
    uint64_t pictures_failed; /* asked for and not got */
    uint64_t frames_old;      /* given back unseen */
    uint64_t frames_damaged;  /* the driver says so, or they were too short */
};

struct camera_reader;

/* Octets of arena for a configuration, any alignment. HAL_E_RANGE, HAL_E_UNSUPPORTED: as
 * camera_tile_check(), or a field out of bounds. */
int64_t camera_reader_bytes(const struct camera_reader_config *config);

/*
 * Opens the camera, tells in `*offer` what came of it, and starts the thread. A camera that could
 * not be opened is no error: it may come.
 * HAL_E_RANGE, HAL_E_UNSUPPORTED: as camera_reader_bytes(), a NULL, or too small an arena.
 * HAL_E_BUSY: no thread to be had. `sys` NULL: the kernel.
 */
int32_t camera_reader_open(struct camera_reader **reader, void *arena, uint64_t arena_bytes,
                           const struct linux_syscalls *sys,
                           const struct camera_reader_config *config, struct camera_offer *offer);

/* Asks for a picture. HAL_E_BUSY: one is under way. HAL_E_STATE: NULL. */
int32_t camera_reader_ask(struct camera_reader *reader);

/*
 * Looks for the picture that was asked for. @return the number of its tiles, which lie at
 * camera_reader_tiles() until the next one is asked for, with `*picture` filled; 0: not yet.
 * Negative: it does not come: HAL_E_NODEV, HAL_E_IO the camera is gone, HAL_E_TIMEOUT it is silent,
 * HAL_E_CORRUPT the picture was damaged. HAL_E_STATE: NULL, or none was asked for.
 */
int32_t camera_reader_take(struct camera_reader *reader, struct camera_picture *picture);

/* Where the tiles of the last picture lie. */
const uint8_t *camera_reader_tiles(const struct camera_reader *reader);

/* Copies the counters. */
int32_t camera_reader_read_counters(struct camera_reader *reader, struct camera_counters *counters);

/*
 * Ends the thread and closes the camera. HAL_OK: the arena is the caller's again. HAL_E_TIMEOUT: a
 * driver did not let go of the thread in `timeout_ns`; the arena must stay for the life of the
 * process. NULL: HAL_OK.
 */
int32_t camera_reader_close(struct camera_reader *reader, uint64_t timeout_ns);

#ifdef __cplusplus
}
#endif

#endif
