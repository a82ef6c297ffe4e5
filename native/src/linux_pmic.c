/* Board power of a Raspberry Pi 5, estimated; see linux_pmic.h. */
#include "linux_pmic.h"

#include "hal.h"
#include "linux_text.h"

#include <string.h>

#define RAIL_BYTES   24
#define MICRO_MAX    INT64_C(100000000) /* 100 V, 100 A */
#define SLOPE_E4     11451
#define OFFSET_UW    587900
#define POWER_MW_MAX 1000000

struct rail {
    char name[RAIL_BYTES];
    int64_t uv;
    int64_t ua;
    int has_uv;
    int has_ua;
};

struct rails {
    uint32_t count;
    struct rail rail[LINUX_PMIC_RAILS_MAX];
};

/* The rail of that name, made if there is room; NULL when there is none. */
static struct rail *rail_of(struct rails *rails, const char *name, size_t name_bytes)
{
    if (name_bytes == 0 || name_bytes >= RAIL_BYTES) {
        return NULL;
    }
    for (uint32_t i = 0; i < rails->count; i++) {
        if (strlen(rails->rail[i].name) == name_bytes &&
            memcmp(rails->rail[i].name, name, name_bytes) == 0) {
            return &rails->rail[i];
        }
    }
    if (rails->count == LINUX_PMIC_RAILS_MAX) {
        return NULL;
    }
    struct rail *made = &rails->rail[rails->count++];

    *made = (struct rail){0};
    memcpy(made->name, name, name_bytes);
    return made;
}

/* One line, its blanks in front gone: NAME_V or NAME_A, then anything, '=', a number. */
static void take_line(struct rails *rails, const char *line, size_t line_bytes)
{
    size_t word = strcspn(line, " =\t\n");
    const char *equals = memchr(line, '=', line_bytes);
    int64_t micro = 0;

    if (equals == NULL || word < 3 || word > line_bytes || line[word - 2] != '_' ||
        linux_scan_fixed(equals + 1, 6, &micro) == NULL || micro < 0 || micro > MICRO_MAX) {
        return;
    }
    struct rail *rail = rail_of(rails, line, word - 2);

    if (rail != NULL && line[word - 1] == 'V') {
        rail->uv = micro;
        rail->has_uv = 1;
    } else if (rail != NULL && line[word - 1] == 'A') {
        rail->ua = micro;
        rail->has_ua = 1;
    }
}

int32_t linux_pmic_estimate(const char *text, int32_t *mw)
{
    struct rails rails = {0};
    int64_t sum_uw = 0;
    uint32_t pairs = 0;

    while (*text != '\0') {
        size_t line_bytes;

        text += strspn(text, " \t\r\n");
        line_bytes = strcspn(text, "\r\n");
        take_line(&rails, text, line_bytes);
        text += line_bytes;
    }
    for (uint32_t i = 0; i < rails.count; i++) {
        if (rails.rail[i].has_uv && rails.rail[i].has_ua) {
            sum_uw += rails.rail[i].uv * rails.rail[i].ua / 1000000;
            pairs++;
        }
    }
    if (pairs == 0) {
        return HAL_E_CORRUPT;
    }
    int64_t estimate_mw = (sum_uw * SLOPE_E4 / 10000 + OFFSET_UW) / 1000;

    if (estimate_mw > POWER_MW_MAX) {
        return HAL_E_RANGE;
    }
    *mw = (int32_t)estimate_mw;
    return HAL_OK;
}
