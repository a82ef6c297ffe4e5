/* Pictures into tiles; see camera_tile.h. Integers only. */
#include "camera_tile.h"
#include "hal.h"

#include <stddef.h>

enum { PLANES = CAMERA_GREY + 1, VALUE_BYTES = 2 };

/* Light of a code value of a screen, 65,535 for the brightest. */
static const uint16_t SRGB_LIGHT[256] = {
#include "srgb_table.inc"
};
static const uint32_t FULL_LIGHT = 65535;

struct size {
    uint32_t width_px;
    uint32_t height_px;
};

/* Of the picture once Bayer cells are pixels. */
static struct size size_of(const struct camera_tile_config *config,
                           const struct camera_format *format)
{
    uint32_t cell_px = format->kind == CAMERA_KIND_BAYER ? 2 : 1;

    return (struct size){config->width_px / cell_px, config->height_px / cell_px};
}

static uint32_t full_count(const struct camera_format *format)
{
    return (1U << format->bits) - 1;
}

static int is_in_bounds(const struct camera_tile_config *config)
{
    return config->tile_px >= 1 && config->tile_px <= CAMERA_TILE_PX_MAX &&
           config->tiles_across >= 1 && config->tiles_across <= CAMERA_TILES_MAX &&
           config->tiles_down >= 1 && config->tiles_down <= CAMERA_TILES_MAX &&
           config->tiles_across * config->tiles_down <= CAMERA_TILES_MAX &&
           config->width_px <= CAMERA_SIDE_PX_MAX && config->height_px <= CAMERA_SIDE_PX_MAX &&
           config->full_scale >= 1 && config->full_scale <= CAMERA_FULL_SCALE_MAX &&
           config->srgb <= 1 && (config->srgb == 0 || config->black_level == 0);
}

int32_t camera_tile_check(const struct camera_tile_config *config)
{
    const struct camera_format *format;
    struct size size;

    if (config == NULL || !is_in_bounds(config)) {
        return HAL_E_RANGE;
    }
    format = camera_format_find(config->fourcc);
    if (format == NULL || (config->srgb == 1 && format->bits > 8)) {
        return HAL_E_UNSUPPORTED;
    }
    for (size_t band = 0; band < CAMERA_BANDS; band++) {
        if (config->bands[band] > CAMERA_GREY) {
            return HAL_E_RANGE;
        }
        if ((format->planes & 1U << config->bands[band]) == 0) {
            return HAL_E_UNSUPPORTED;
        }
    }
    size = size_of(config, format);
    /* Two pixels of YUYV share their colour: there is no half pair. */
    if ((format->kind == CAMERA_KIND_YUYV && config->width_px % 2 != 0) ||
        config->black_level >= full_count(format) ||
        config->tiles_across * config->tile_px > size.width_px ||
        config->tiles_down * config->tile_px > size.height_px) {
        return HAL_E_RANGE;
    }
    return HAL_OK;
}

uint64_t camera_tile_bytes(const struct camera_tile_config *config)
{
    return (uint64_t)config->tiles_across * config->tiles_down * config->tile_px * config->tile_px *
           CAMERA_BANDS * VALUE_BYTES;
}

/* A picture while it is converted. */
struct source {
    const struct camera_tile_config *config;
    const struct camera_format *format;
    const uint8_t *picture;
    uint32_t bytes_per_line;
    uint32_t full_count;
};

static uint32_t sample_at(const struct source *s, uint32_t x, uint32_t y)
{
    const uint8_t *at =
        s->picture + (size_t)y * s->bytes_per_line + (size_t)x * s->format->pixel_bytes;

    return s->format->sample_bytes == 1 ? at[0] : (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t clamped_octet(int32_t value)
{
    return value < 0 ? 0 : (value > 255 ? 255 : (uint32_t)value);
}

/* ITU-R BT.601, limited range, in 256ths; two pixels share their colour. */
static void yuyv_at(const struct source *s, uint32_t x, uint32_t y, uint32_t *counts)
{
    const uint8_t *pair = s->picture + (size_t)y * s->bytes_per_line + (size_t)(x & ~1U) * 2;
    int32_t luma = 298 * ((x & 1U ? pair[2] : pair[0]) - 16) + 128;
    int32_t cb = pair[1] - 128;
    int32_t cr = pair[3] - 128;

    counts[CAMERA_RED] = clamped_octet((luma + 409 * cr) / 256);
    counts[CAMERA_GREEN] = clamped_octet((luma - 100 * cb - 208 * cr) / 256);
    counts[CAMERA_BLUE] = clamped_octet((luma + 516 * cb) / 256);
    counts[CAMERA_GREY] = clamped_octet(luma / 256);
}

static void bayer_at(const struct source *s, uint32_t x, uint32_t y, uint32_t *counts)
{
    uint32_t cell[4];
    uint32_t red = s->format->red;

    for (uint32_t i = 0; i < 4; i++) {
        cell[i] = sample_at(s, 2 * x + (i & 1U), 2 * y + (i >> 1));
    }
    counts[CAMERA_RED] = cell[red];
    counts[CAMERA_BLUE] = cell[3 - red];
    /* Green is on the other diagonal. */
    counts[CAMERA_GREEN] = (cell[red ^ 1U] + cell[(3 - red) ^ 1U] + 1) / 2;
}

static void counts_at(const struct source *s, uint32_t x, uint32_t y, uint32_t *counts)
{
    const uint8_t *at;

    switch (s->format->kind) {
    case CAMERA_KIND_YUYV: yuyv_at(s, x, y, counts); break;
    case CAMERA_KIND_BAYER: bayer_at(s, x, y, counts); break;
    case CAMERA_KIND_GREY: counts[CAMERA_GREY] = sample_at(s, x, y); break;
    default:
        at = s->picture + (size_t)y * s->bytes_per_line + (size_t)x * 3;
        counts[CAMERA_RED] = at[s->format->kind == CAMERA_KIND_RGB ? 0 : 2];
        counts[CAMERA_GREEN] = at[1];
        counts[CAMERA_BLUE] = at[s->format->kind == CAMERA_KIND_RGB ? 2 : 0];
    }
}

static uint32_t value_of(const struct source *s, uint32_t count)
{
    uint64_t over = s->config->black_level;
    uint64_t range = s->full_count - over;
    uint64_t light = count > over ? count - over : 0;

    if (s->config->srgb == 1) {
        light = SRGB_LIGHT[count];
        range = FULL_LIGHT;
    }
    if (light >= range) {
        return s->config->full_scale; /* a sample may be wider than its format says */
    }
    return (uint32_t)((light * s->config->full_scale + range / 2) / range);
}

static void convert_tile(const struct source *s, uint32_t left, uint32_t top, uint8_t *tile)
{
    const uint32_t side = s->config->tile_px;
    uint32_t counts[PLANES] = {0};

    for (uint32_t y = top; y < top + side; y++) {
        for (uint32_t x = left; x < left + side; x++) {
            counts_at(s, x, y, counts);
            for (size_t band = 0; band < CAMERA_BANDS; band++) {
                uint32_t value = value_of(s, counts[s->config->bands[band]]);

                *tile++ = (uint8_t)(value & 0xFF);
                *tile++ = (uint8_t)(value >> 8);
            }
        }
    }
}

/* The last line may lack its padding. */
static int is_whole(const struct source *s, uint64_t picture_bytes)
{
    uint64_t line_bytes = (uint64_t)s->config->width_px * s->format->pixel_bytes;

    return s->bytes_per_line >= line_bytes &&
           picture_bytes >= (uint64_t)(s->config->height_px - 1) * s->bytes_per_line + line_bytes;
}

int32_t camera_tile_convert(const struct camera_tile_config *config, const uint8_t *picture,
                            uint64_t picture_bytes, uint32_t bytes_per_line, uint8_t *tiles)
{
    const struct camera_format *format = camera_format_find(config->fourcc);
    const struct source s = {
        .config = config,
        .format = format,
        .picture = picture,
        .bytes_per_line = bytes_per_line,
        .full_count = full_count(format),
    };
    const struct size size = size_of(config, format);
    const uint32_t left = (size.width_px - config->tiles_across * config->tile_px) / 2;
    const uint32_t top = (size.height_px - config->tiles_down * config->tile_px) / 2;
    const size_t tile_bytes =
        (size_t)config->tile_px * config->tile_px * CAMERA_BANDS * VALUE_BYTES;

    if (!is_whole(&s, picture_bytes)) {
        return HAL_E_CORRUPT;
    }
    for (uint32_t row = 0; row < config->tiles_down; row++) {
        for (uint32_t column = 0; column < config->tiles_across; column++) {
            convert_tile(&s, left + column * config->tile_px, top + row * config->tile_px, tiles);
            tiles += tile_bytes;
        }
    }
    return (int32_t)(config->tiles_across * config->tiles_down);
}
