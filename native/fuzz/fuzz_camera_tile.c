/*
 * Pictures of a camera that says anything of itself: a configuration that passes the check can be
 * converted from a picture of any length, and nothing outside the picture or the tiles is touched.
 */
#include "camera_tile.h"

#include "hal.h"

#include <stdlib.h>
#include <string.h>

enum { PIXELS_MAX = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t take(const uint8_t **data, size_t *size, uint32_t below)
{
    uint32_t value = 0;

    if (*size >= 2) {
        value = (uint32_t)(*data)[0] | (uint32_t)(*data)[1] << 8;
        *data += 2;
        *size -= 2;
    }
    return value % below;
}

static void convert(const struct camera_tile_config *config, const uint8_t *picture, size_t bytes,
                    uint32_t bytes_per_line)
{
    uint64_t tiles_bytes = camera_tile_bytes(config);
    uint8_t *tiles = malloc((size_t)tiles_bytes);
    uint8_t *copy = malloc(bytes + (bytes == 0)); /* of its very length: reading on is a finding */

    if (tiles != NULL && copy != NULL) {
        if (bytes > 0) {
            memcpy(copy, picture, bytes);
        }
        int32_t made = camera_tile_convert(config, copy, bytes, bytes_per_line, tiles);

        if (made != HAL_E_CORRUPT && (uint32_t)made != config->tiles_across * config->tiles_down) {
            abort();
        }
    }
    free(copy);
    free(tiles);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct camera_format *format = camera_format_at(take(&data, &size, 32));
    struct camera_tile_config config = {
        .fourcc = format != NULL ? format->fourcc : 0x20202020,
        .width_px = take(&data, &size, 300),
        .height_px = take(&data, &size, 300),
        .tile_px = take(&data, &size, 70),
        .tiles_across = take(&data, &size, 9),
        .tiles_down = take(&data, &size, 9),
        .full_scale = take(&data, &size, 1 << 16),
        .black_level = take(&data, &size, 1 << 12),
        .srgb = take(&data, &size, 3),
    };
    uint32_t bytes_per_line = take(&data, &size, 4000);

    for (uint32_t band = 0; band < CAMERA_BANDS; band++) {
        config.bands[band] = take(&data, &size, 5);
    }
    if (camera_tile_check(&config) == HAL_OK &&
        (uint64_t)config.tiles_across * config.tiles_down * config.tile_px * config.tile_px <=
            PIXELS_MAX) {
        convert(&config, data, size, bytes_per_line);
    }
    return 0;
}
