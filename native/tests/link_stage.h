/*
 * link_stage.h - a "link" device and the bench at its far end, for the tests of that backend: on a
 * socket, or on a pseudo-terminal whose name can be pulled and put back.
 */
#ifndef LUMENODE_LINK_STAGE_H
#define LUMENODE_LINK_STAGE_H

#include "backend_link.h"
#include "link_far_end.h"

#include <stdlib.h>

static struct hal dev;
static struct hal_config config;
static struct hal_link_config link_config;
static struct hal_frame frame;
static struct hal_link_status status;
static struct far_end *far;
static void *arena;

/* The defaults of every test here: fields of link_config may be changed before stage_open(). */
static void stage_config(uint8_t mode)
{
    CHECK(hal_config_init(&config, "link") == HAL_OK);
    CHECK(hal_link_config_init(&link_config) == HAL_OK);
    config.tx_fifo_frames = FAR_FRAMES;
    config.rx_fifo_frames = 3;
    config.backend_config = &link_config;
    link_config.mode = mode;
    link_config.stale_ms = HAL_LINK_STALE_MS_MAX;
}

/* @return what hal_open() says; the arena is there in any case. */
static int32_t stage_open(void)
{
    int64_t bytes = hal_arena_bytes(&config);

    CHECK(bytes > 0);
    arena = malloc((size_t)bytes);
    far = malloc(sizeof *far);
    CHECK(arena != NULL && far != NULL);
    memset(&dev, 0, sizeof dev);
    return hal_open(&dev, &config, arena, (uint64_t)bytes);
}

static void stage_close(void)
{
    hal_close(&dev);
    free(arena);
    free(far);
}

static uint32_t phase(void)
{
    CHECK(hal_link_read_status(&dev, &status) == HAL_OK);
    return status.phase;
}

static const struct hal_frame *snapshot(void)
{
    CHECK(hal_snapshot(&dev, &frame) == HAL_OK);
    CHECK(hal_frame_check(&frame) == HAL_OK);
    return &frame;
}

/* Until both ends know each other, and the node sees what the bench shows. */
static void stage_meet(void)
{
    FAR_UNTIL(far, phase() == HAL_LINK_UP && far->session.state == LINK_STATE_UP);
    far_show(far);
    FAR_UNTIL(far, snapshot()->valid == HAL_SENSOR_ALL);
}

#endif
