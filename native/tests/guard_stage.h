/*
 * guard_stage.h - a guard and a device's memory in shared files, as the flight process has them, for
 * tests that start the watcher's process.
 */
#ifndef LUMENODE_GUARD_STAGE_H
#define LUMENODE_GUARD_STAGE_H

#include "check.h"
#include "guard.h"
#include "guard_plan.h"
#include "hal.h"

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#define STAGE_DATA_BYTES  8192
#define STAGE_DATA_OFFSET 64

struct stage {
    int guard_fd;
    int data_fd;
    int file_fd; /* stands for a file of sysfs: the plan writes "0" over its "7" */
    struct guard *guard;
    uint32_t *words; /* the plan makes words[2] zero */
};

static void *stage_file(int *fd, size_t bytes)
{
    *fd = memfd_create("stage", MFD_CLOEXEC);
    CHECK(*fd >= 0 && ftruncate(*fd, (off_t)bytes) == 0);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);

    CHECK(memory != MAP_FAILED);
    return memory;
}

static struct guard_plan stage_plan(const struct stage *stage)
{
    return (struct guard_plan){
        .count = 2,
        .steps = {{.kind = GUARD_STORE, .offset = 8},
                  {.kind = GUARD_WRITE, .fd = stage->file_fd, .text_bytes = 1, .text = "0"}},
    };
}

static struct stage make_stage(uint64_t period_ns, uint32_t limit_ticks)
{
    const struct guard_config config = {.period_ns = period_ns, .limit_ticks = limit_ticks};
    struct stage stage;
    struct guard_plan plan;

    stage.guard = stage_file(&stage.guard_fd, sizeof *stage.guard);
    stage.words =
        (uint32_t *)((uint8_t *)stage_file(&stage.data_fd, STAGE_DATA_BYTES) + STAGE_DATA_OFFSET);
    stage.file_fd = memfd_create("file", MFD_CLOEXEC);
    CHECK(stage.file_fd >= 0 && write(stage.file_fd, "7", 1) == 1);
    stage.words[1] = stage.words[2] = stage.words[3] = 5;
    plan = stage_plan(&stage);
    CHECK(guard_init(stage.guard, &config) == HAL_OK);
    CHECK(guard_set_plan(stage.guard, &plan, STAGE_DATA_BYTES - STAGE_DATA_OFFSET) == HAL_OK);
    return stage;
}

static void close_stage(const struct stage *stage)
{
    CHECK(munmap(stage->guard, sizeof *stage->guard) == 0);
    CHECK(munmap((uint8_t *)stage->words - STAGE_DATA_OFFSET, STAGE_DATA_BYTES) == 0);
    CHECK(close(stage->guard_fd) == 0 && close(stage->data_fd) == 0);
    CHECK(close(stage->file_fd) == 0);
}

static struct guard_status stage_status(const struct stage *stage)
{
    struct guard_status status;

    CHECK(guard_read_status(stage->guard, &status) == HAL_OK);
    return status;
}

static int stage_is_safe(const struct stage *stage)
{
    char text = '\0';

    CHECK(pread(stage->file_fd, &text, 1, 0) == 1);
    CHECK(stage->words[1] == 5 && stage->words[3] == 5);
    return text == '0' && __atomic_load_n(&stage->words[2], __ATOMIC_SEQ_CST) == 0;
}

static void stage_rest(void)
{
    (void)poll(NULL, 0, 1);
}

#endif
