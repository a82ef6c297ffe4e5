/* The thread that waits for a camera; see camera_reader.h. */
#define _POSIX_C_SOURCE 200809L
#include "camera_reader.h"
#include "camera_session.h"
#include "hal.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static const uint64_t NS_PER_S = 1000000000;
static const uint64_t ALIGNMENT = 16;

/* Converting needs little; the library's own start of a thread needs some. */
static const size_t STACK_BYTES = 262144;

struct camera_reader {
    struct camera_session session; /* the thread's, once it runs */
    uint8_t *tiles;                /* the thread's while `asked` and not `done` */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    uint32_t asked;
    uint32_t done;
    uint32_t stop;
    uint32_t ended;
    int32_t code;
    struct camera_picture picture;
    struct camera_counters counters;
};

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int64_t camera_reader_bytes(const struct camera_reader_config *config)
{
    int32_t code = config == NULL ? HAL_E_RANGE : camera_session_check(config);

    return code < 0 ? code
                    : (int64_t)(ALIGNMENT + aligned(sizeof(struct camera_reader)) +
                                camera_tile_bytes(&config->tile));
}

/* Waits for a change, until `due_ns` at most; the lock is held. */
static void wait_until(struct camera_reader *reader, uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / NS_PER_S),
                                 .tv_nsec = (long)(due_ns % NS_PER_S)};

    (void)pthread_cond_timedwait(&reader->changed, &reader->lock, &due);
}

/* What the counters are now, those of the open stream included. */
static struct camera_counters counted(const struct camera_session *session)
{
    struct camera_counters counters = session->counters;

    counters.frames_old += session->camera.frames_old;
    counters.frames_damaged += session->camera.frames_damaged;
    return counters;
}

/* One turn of the thread, with the lock held before and after and not in between. */
static void serve_once(struct camera_reader *reader)
{
    struct camera_picture picture = {0};
    uint32_t asked = reader->asked && !reader->done;
    int32_t code;

    (void)pthread_mutex_unlock(&reader->lock);
    code = asked ? camera_session_capture(&reader->session, reader->tiles, &picture)
                 : camera_session_mend(&reader->session);
    (void)pthread_mutex_lock(&reader->lock);
    reader->counters = counted(&reader->session);
    if (asked) {
        reader->code = code;
        reader->picture = picture;
        reader->done = 1;
    }
}

static void *serve(void *argument)
{
    struct camera_reader *reader = argument;

    (void)pthread_mutex_lock(&reader->lock);
    while (!reader->stop) {
        if (reader->asked && !reader->done) {
            serve_once(reader);
        } else if (reader->session.camera.fd < 0) {
            wait_until(reader, reader->session.next_try_ns);
            if (!reader->stop) {
                serve_once(reader);
            }
        } else {
            (void)pthread_cond_wait(&reader->changed, &reader->lock);
        }
    }
    (void)pthread_mutex_unlock(&reader->lock);
    camera_session_stop(&reader->session);
    (void)pthread_mutex_lock(&reader->lock);
    reader->ended = 1;
    (void)pthread_cond_broadcast(&reader->changed);
    (void)pthread_mutex_unlock(&reader->lock);
    return NULL;
}

/* A thread that takes no signals: they are for the one that runs the loop. */
static int start_thread(struct camera_reader *reader)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    int error;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&reader->thread, &attributes, serve, reader);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return error;
}

static void make_locks(struct camera_reader *reader)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&reader->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&reader->lock, NULL);
}

static void destroy_locks(struct camera_reader *reader)
{
    (void)pthread_cond_destroy(&reader->changed);
    (void)pthread_mutex_destroy(&reader->lock);
}

int32_t camera_reader_open(struct camera_reader **reader, void *arena, uint64_t arena_bytes,
                           const struct linux_syscalls *sys,
                           const struct camera_reader_config *config, struct camera_offer *offer)
{
    int64_t needed = camera_reader_bytes(config);
    struct camera_reader *made;
    const struct linux_camera *camera;

    if (needed < 0) {
        return (int32_t)needed;
    }
    if (reader == NULL || arena == NULL || offer == NULL || arena_bytes < (uint64_t)needed) {
        return HAL_E_RANGE;
    }
    made =
        (struct camera_reader *)((uint8_t *)arena + (aligned((uintptr_t)arena) - (uintptr_t)arena));
    *made = (struct camera_reader){0};
    made->tiles = (uint8_t *)made + aligned(sizeof *made);
    camera = &made->session.camera;
    *offer = (struct camera_offer){0};
    offer->code =
        camera_session_start(&made->session, sys == NULL ? linux_syscalls_real() : sys, config);
    offer->fourcc = camera->offered_fourcc;
    offer->width_px = camera->offered_width_px;
    offer->height_px = camera->offered_height_px;
    for (size_t i = 0; i < sizeof offer->card; i++) {
        offer->card[i] = camera->card[i];
    }
    made->counters = counted(&made->session);
    make_locks(made);
    if (start_thread(made) != 0) {
        camera_session_stop(&made->session);
        destroy_locks(made);
        return HAL_E_BUSY;
    }
    *reader = made;
    return HAL_OK;
}

int32_t camera_reader_ask(struct camera_reader *reader)
{
    int32_t code = HAL_E_BUSY;

    if (reader == NULL) {
        return HAL_E_STATE;
    }
    (void)pthread_mutex_lock(&reader->lock);
    if (!reader->asked) {
        reader->asked = 1;
        reader->done = 0;
        code = HAL_OK;
        (void)pthread_cond_broadcast(&reader->changed);
    }
    (void)pthread_mutex_unlock(&reader->lock);
    return code;
}

int32_t camera_reader_take(struct camera_reader *reader, struct camera_picture *picture)
{
    int32_t code = HAL_E_STATE;

    if (reader == NULL || picture == NULL) {
        return HAL_E_STATE;
    }
    (void)pthread_mutex_lock(&reader->lock);
    if (reader->asked) {
        code = 0;
        if (reader->done) {
            code = reader->code;
            *picture = reader->picture;
            reader->asked = 0;
        }
    }
    (void)pthread_mutex_unlock(&reader->lock);
    return code;
}

const uint8_t *camera_reader_tiles(const struct camera_reader *reader)
{
    return reader->tiles;
}

int32_t camera_reader_read_counters(struct camera_reader *reader, struct camera_counters *counters)
{
    if (reader == NULL || counters == NULL) {
        return HAL_E_STATE;
    }
    (void)pthread_mutex_lock(&reader->lock);
    *counters = reader->counters;
    (void)pthread_mutex_unlock(&reader->lock);
    return HAL_OK;
}

int32_t camera_reader_close(struct camera_reader *reader, uint64_t timeout_ns)
{
    const struct linux_syscalls *sys;
    uint64_t due_ns;
    uint32_t ended;

    if (reader == NULL) {
        return HAL_OK;
    }
    sys = reader->session.sys;
    due_ns = sys->now_ns(sys->context) + timeout_ns;
    (void)pthread_mutex_lock(&reader->lock);
    reader->stop = 1;
    (void)pthread_cond_broadcast(&reader->changed);
    for (uint64_t now_ns = 0; !reader->ended && now_ns < due_ns;
         now_ns = sys->now_ns(sys->context)) {
        wait_until(reader, due_ns);
    }
    ended = reader->ended;
    (void)pthread_mutex_unlock(&reader->lock);
    if (!ended) {
        (void)pthread_detach(reader->thread);
        return HAL_E_TIMEOUT;
    }
    (void)pthread_join(reader->thread, NULL);
    destroy_locks(reader);
    return HAL_OK;
}
