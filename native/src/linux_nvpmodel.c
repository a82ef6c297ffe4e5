/* The power modes of a Jetson by name; see linux_nvpmodel.h. */
#define _POSIX_C_SOURCE 200809L
#include "linux_nvpmodel.h"

#include "hal.h"
#include "linux_text.h"

#include <fcntl.h>
#include <string.h>

#define LINE_BYTES  256
#define CHUNK_BYTES 512
#define CHUNKS_MAX  128
#define HZ_PER_KHZ  1000
#define BLANKS      " \t\r\n"

/* The number behind "KEY=" or "KEY " anywhere in the line, or -1. */
static int64_t number_after(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    int64_t value = -1;

    return at != NULL && linux_parse_decimal(at + strlen(key), &value) == HAL_OK ? value : -1;
}

static void start_mode(struct linux_modes *modes, const char *line)
{
    const char *name = strstr(line, "NAME=");
    int64_t id = number_after(line, "ID=");

    if (name == NULL || id < 0 || id > UINT32_MAX) {
        return;
    }
    if (modes->count == LINUX_MODES_MAX) {
        modes->left_out++;
        return;
    }
    struct linux_mode *mode = &modes->mode[modes->count++];
    size_t name_bytes;

    *mode = (struct linux_mode){.id = (uint32_t)id};
    name += sizeof "NAME=" - 1;
    name_bytes = strcspn(name, BLANKS ">");
    linux_copy_name(mode->name, name);
    if (name_bytes < HAL_NAME_BYTES) {
        memset(mode->name + name_bytes, 0, HAL_NAME_BYTES - name_bytes);
    }
    modes->within = 1;
}

/* A cap of 0 or below means the clock's own maximum. */
static void take_cap(uint32_t *khz_max, int64_t khz)
{
    if (khz > 0 && khz <= UINT32_MAX && (*khz_max == 0 || khz < *khz_max)) {
        *khz_max = (uint32_t)khz;
    }
}

void linux_modes_line(struct linux_modes *modes, const char *line)
{
    line += strspn(line, BLANKS);
    if (*line == '<') {
        modes->within = 0;
        if (strstr(line, "POWER_MODEL") != NULL) {
            start_mode(modes, line);
        }
        return;
    }
    size_t word = strcspn(line, BLANKS);
    const char *key = line + word + strspn(line + word, BLANKS);

    if (modes->within == 0 || strncmp(key, "MAX_FREQ ", 9) != 0) {
        return;
    }
    struct linux_mode *mode = &modes->mode[modes->count - 1];
    int64_t value = number_after(key, "MAX_FREQ ");

    if (strncmp(line, "CPU_", 4) == 0) {
        take_cap(&mode->cpu_khz_max, value);
    } else if (word == 3 && strncmp(line, "GPU", 3) == 0) {
        take_cap(&mode->gpu_khz_max, value / HZ_PER_KHZ);
    }
}

int32_t linux_modes_load(const struct linux_syscalls *sys, const char *path,
                         struct linux_modes *modes)
{
    char line[LINE_BYTES];
    char chunk[CHUNK_BYTES];
    size_t filled = 0;
    int64_t got = linux_open(sys, path, O_RDONLY | O_NONBLOCK);
    int fd = (int)got;

    *modes = (struct linux_modes){0};
    if (got < 0) {
        return linux_error(got) == HAL_E_NODEV ? HAL_OK : linux_error(got);
    }
    for (int chunks = 0; chunks < CHUNKS_MAX; chunks++) {
        got = linux_read(sys, fd, chunk, sizeof chunk);
        for (int64_t i = 0; i < got; i++) {
            if (chunk[i] == '\n') {
                line[filled] = '\0';
                linux_modes_line(modes, line);
                filled = 0;
            } else if (filled < sizeof line - 1) {
                line[filled++] = chunk[i];
            }
        }
        if (got <= 0) {
            break;
        }
    }
    line[filled] = '\0';
    linux_modes_line(modes, line);
    linux_close(sys, &fd);
    return linux_error(got);
}

const struct linux_mode *linux_mode_named(const struct linux_modes *modes, const char *name)
{
    for (uint32_t i = 0; i < modes->count; i++) {
        if (strcmp(modes->mode[i].name, name) == 0) {
            return &modes->mode[i];
        }
    }
    return NULL;
}

int32_t linux_mode_of_status(const struct linux_modes *modes, const char *status)
{
    int64_t id = number_after(status, "pmode:");

    for (uint32_t i = 0; i < modes->count; i++) {
        if (modes->mode[i].id == id) {
            return (int32_t)i;
        }
    }
    return HAL_E_CORRUPT;
}
