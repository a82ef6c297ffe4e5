/* One camera through its losses; see camera_session.h. */
#include "camera_session.h"
#include "hal.h"

#include <string.h>

static uint64_t now_ns(const struct camera_session *session)
{
    return session->sys->now_ns(session->sys->context);
}

int32_t camera_session_check(const struct camera_reader_config *config)
{
    const struct linux_camera_config *camera = &config->camera;
    const struct camera_tile_config *tile = &config->tile;

    if (camera->path == NULL || strlen(camera->path) >= LINUX_PATH_BYTES ||
        camera->buffers < LINUX_CAMERA_BUFFERS_MIN || camera->buffers > LINUX_CAMERA_BUFFERS_MAX ||
        camera->fourcc != tile->fourcc || camera->width_px != tile->width_px ||
        camera->height_px != tile->height_px || config->timeout_ns == 0 ||
        config->timeout_ns > CAMERA_TIMEOUT_NS_MAX || config->reopen_ns == 0 ||
        config->reopen_ns > CAMERA_TIMEOUT_NS_MAX ||
        config->settle_frames > CAMERA_SETTLE_FRAMES_MAX) {
        return HAL_E_RANGE;
    }
    return camera_tile_check(tile);
}

static int32_t try_open(struct camera_session *session)
{
    int32_t code = linux_camera_open(&session->camera, session->sys, &session->config.camera);

    session->next_try_ns = now_ns(session) + session->config.reopen_ns;
    session->settle_left = session->config.settle_frames;
    session->lost_code = code;
    session->counters.opened += code == HAL_OK;
    session->counters.open_failed += code != HAL_OK;
    return code;
}

int32_t camera_session_start(struct camera_session *session, const struct linux_syscalls *sys,
                             const struct camera_reader_config *config)
{
    memset(session, 0, sizeof *session);
    session->sys = sys;
    session->config = *config;
    memcpy(session->path, config->camera.path, strlen(config->camera.path) + 1);
    session->config.camera.path = session->path;
    return try_open(session);
}

int32_t camera_session_mend(struct camera_session *session)
{
    if (session->camera.fd >= 0) {
        return HAL_OK;
    }
    return now_ns(session) >= session->next_try_ns ? try_open(session) : session->lost_code;
}

static void lose(struct camera_session *session, int32_t code)
{
    session->counters.frames_old += session->camera.frames_old;
    session->counters.frames_damaged += session->camera.frames_damaged;
    session->camera.frames_old = session->camera.frames_damaged = 0;
    session->lost_code = code;
    session->next_try_ns = now_ns(session) + session->config.reopen_ns;
    linux_camera_close(&session->camera);
}

/* The next picture before `due_ns`; HAL_E_TIMEOUT when there is none. */
static int32_t next_frame(struct camera_session *session, uint64_t due_ns,
                          struct linux_camera_frame *frame)
{
    uint64_t now = now_ns(session);
    int32_t code = linux_camera_wait(&session->camera, due_ns > now ? due_ns - now : 0, frame);

    return code == 0 ? HAL_E_TIMEOUT : code;
}

static int32_t settle(struct camera_session *session, uint64_t due_ns)
{
    struct linux_camera_frame frame;
    int32_t code = linux_camera_drain(&session->camera);

    while (code >= 0 && session->settle_left > 0) {
        code = next_frame(session, due_ns, &frame);
        if (code > 0) {
            session->settle_left--;
            session->camera.frames_old++;
            code = linux_camera_give(&session->camera, &frame);
        }
    }
    return code;
}

static int32_t fresh_picture(struct camera_session *session, uint8_t *tiles,
                             struct camera_picture *picture)
{
    uint64_t due_ns = now_ns(session) + session->config.timeout_ns;
    struct linux_camera_frame frame;
    int32_t tile_count;
    int32_t code = settle(session, due_ns);

    if (code >= 0) {
        code = next_frame(session, due_ns, &frame);
    }
    if (code < 0) {
        return code;
    }
    tile_count = camera_tile_convert(&session->config.tile, frame.picture, frame.picture_bytes,
                                     session->camera.bytes_per_line, tiles);
    code = linux_camera_give(&session->camera, &frame);
    if (code < 0) {
        return code;
    }
    *picture = (struct camera_picture){
        .t_ns = frame.t_ns,
        .sequence = frame.sequence,
        .tiles = tile_count > 0 ? (uint32_t)tile_count : 0,
    };
    return tile_count;
}

int32_t camera_session_capture(struct camera_session *session, uint8_t *tiles,
                               struct camera_picture *picture)
{
    int32_t code = camera_session_mend(session);

    if (code == HAL_OK) {
        code = fresh_picture(session, tiles, picture);
        if (code == HAL_E_NODEV || code == HAL_E_IO) {
            /* It may have been unplugged and plugged in again since the last picture. */
            lose(session, code);
            code = try_open(session);
            if (code == HAL_OK) {
                code = fresh_picture(session, tiles, picture);
            }
        }
        if (code < 0 && code != HAL_E_CORRUPT) {
            lose(session, code);
        }
    }
    session->counters.pictures += code > 0;
    session->counters.pictures_failed += code < 0;
    return code;
}

void camera_session_stop(struct camera_session *session)
{
    lose(session, HAL_E_STATE);
}
