/*
 * camera_session.h - a camera that is opened, lost and opened again, one picture at a time: what
 * the reader's thread does, without the thread.
 */
#ifndef LUMENODE_CAMERA_SESSION_H
#define LUMENODE_CAMERA_SESSION_H

#include "camera_reader.h"

struct camera_session {
    const struct linux_syscalls *sys;
    struct camera_reader_config config;
    char path[LINUX_PATH_BYTES]; /* config.camera.path points here */
    struct linux_camera camera;
    uint64_t next_try_ns; /* not opened before */
    int32_t lost_code;    /* why it is not open */
    uint32_t settle_left;
    struct camera_counters counters;
};

/* Whether a configuration can be done; as camera_reader_bytes(). */
int32_t camera_session_check(const struct camera_reader_config *config);

/* Takes over a checked configuration and opens the camera. @return as linux_camera_open(); the
 * session is there in any case. */
int32_t camera_session_start(struct camera_session *session, const struct linux_syscalls *sys,
                             const struct camera_reader_config *config);

/* Opens a lost camera if its time has come. HAL_OK: it is open; else why it is not. */
int32_t camera_session_mend(struct camera_session *session);

/* Takes one fresh picture into `tiles`. @return as camera_reader_take(), never 0. */
int32_t camera_session_capture(struct camera_session *session, uint8_t *tiles,
                               struct camera_picture *picture);

void camera_session_stop(struct camera_session *session);

#endif
