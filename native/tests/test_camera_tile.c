/* Pictures into tiles: the right place, the right plane, the right value, for every format. */
#define _POSIX_C_SOURCE 199309L
#include "camera_tile.h"
#include "check.h"
#include "hal.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include <linux/videodev2.h>

#define SIDE_MAX 64

static uint8_t picture[SIDE_MAX * SIDE_MAX * 4];
static uint8_t tiles[SIDE_MAX * SIDE_MAX * CAMERA_BANDS * 2];

static struct camera_tile_config config_of(uint32_t fourcc, uint32_t plane)
{
    struct camera_tile_config config = {
        .fourcc = fourcc,
        .width_px = 12,
        .height_px = 10,
        .tile_px = 4,
        .tiles_across = 1,
        .tiles_down = 1,
        .full_scale = 10000,
    };

    for (size_t band = 0; band < CAMERA_BANDS; band++) {
        config.bands[band] = plane;
    }
    return config;
}

static uint32_t value_at(uint32_t pixel, uint32_t band)
{
    const uint8_t *at = tiles + (pixel * CAMERA_BANDS + band) * 2;

    return at[0] | (uint32_t)at[1] << 8;
}

static void put16(uint32_t offset, uint32_t value)
{
    picture[offset] = (uint8_t)(value & 0xFF);
    picture[offset + 1] = (uint8_t)(value >> 8);
}

static void the_middle_is_cut_tile_by_tile(void)
{
    struct camera_tile_config config = config_of(V4L2_PIX_FMT_Y16, CAMERA_GREY);
    const uint32_t line_bytes = 2 * 12 + 6; /* padded */

    config.tiles_across = 2;
    config.tiles_down = 2;
    config.full_scale = 65535; /* values are the counts themselves */
    for (uint32_t y = 0; y < 10; y++) {
        for (uint32_t x = 0; x < 12; x++) {
            put16(y * line_bytes + 2 * x, 1000 * y + x);
        }
    }
    CHECK(camera_tile_check(&config) == HAL_OK);
    CHECK(camera_tile_bytes(&config) == 4 * 4 * 4 * CAMERA_BANDS * 2);
    CHECK(camera_tile_convert(&config, picture, 10 * line_bytes, line_bytes, tiles) == 4);
    for (uint32_t tile = 0; tile < 4; tile++) {
        for (uint32_t pixel = 0; pixel < 16; pixel++) {
            uint32_t x = 2 + 4 * (tile % 2) + pixel % 4;
            uint32_t y = 1 + 4 * (tile / 2) + pixel / 4;

            CHECK(value_at(16 * tile + pixel, 5) == 1000 * y + x);
        }
    }
    /* The last line may end with its pixels, and no earlier. */
    CHECK(camera_tile_convert(&config, picture, 10 * line_bytes - 6, line_bytes, tiles) == 4);
    CHECK(camera_tile_convert(&config, picture, 10 * line_bytes - 7, line_bytes, tiles) ==
          HAL_E_CORRUPT);
    CHECK(camera_tile_convert(&config, picture, 10 * line_bytes, 23, tiles) == HAL_E_CORRUPT);
}

static void each_band_takes_the_plane_it_names(void)
{
    static const uint32_t BANDS[CAMERA_BANDS] = {CAMERA_BLUE, CAMERA_GREEN, CAMERA_RED,
                                                 CAMERA_RED,  CAMERA_BLUE,  CAMERA_GREEN};
    static const uint32_t COUNTS[] = {[CAMERA_RED] = 51, [CAMERA_GREEN] = 102, [CAMERA_BLUE] = 255};
    static const uint32_t FOURCCS[] = {V4L2_PIX_FMT_RGB24, V4L2_PIX_FMT_BGR24};

    for (size_t i = 0; i < COUNT_OF(FOURCCS); i++) {
        struct camera_tile_config config = config_of(FOURCCS[i], CAMERA_RED);

        memcpy(config.bands, BANDS, sizeof BANDS);
        for (uint32_t pixel = 0; pixel < 12 * 10; pixel++) {
            picture[3 * pixel + (i == 0 ? 0 : 2)] = (uint8_t)COUNTS[CAMERA_RED];
            picture[3 * pixel + 1] = (uint8_t)COUNTS[CAMERA_GREEN];
            picture[3 * pixel + (i == 0 ? 2 : 0)] = (uint8_t)COUNTS[CAMERA_BLUE];
        }
        CHECK(camera_tile_check(&config) == HAL_OK);
        CHECK(camera_tile_convert(&config, picture, 360, 36, tiles) == 1);
        for (uint32_t pixel = 0; pixel < 16; pixel++) {
            for (uint32_t band = 0; band < CAMERA_BANDS; band++) {
                CHECK(value_at(pixel, band) == COUNTS[BANDS[band]] * 10000 / 255);
            }
        }
    }
}

static double clamped(double value)
{
    return value < 0 ? 0 : (value > 255 ? 255 : value);
}

/* Against the formulas of the kernel's documentation (colorspaces-details), in floating point. */
static void yuyv_is_bt_601_of_limited_range(void)
{
    struct camera_tile_config config = config_of(V4L2_PIX_FMT_YUYV, CAMERA_RED);

    config.full_scale = 255;
    for (size_t band = 0; band < 4; band++) {
        config.bands[band] = (uint32_t)band;
    }
    for (uint32_t y = 0; y < 256; y += 5) {
        for (uint32_t cb = 0; cb < 256; cb += 17) {
            for (uint32_t cr = 0; cr < 256; cr += 17) {
                double luma = (y - 16.0) * 255 / 219;
                double u = (cb - 128.0) * 255 / 224;
                double v = (cr - 128.0) * 255 / 224;

                for (uint32_t i = 0; i < 12 * 10 * 2; i += 4) {
                    picture[i] = (uint8_t)y;
                    picture[i + 1] = (uint8_t)cb;
                    picture[i + 2] = (uint8_t)(255 - y);
                    picture[i + 3] = (uint8_t)cr;
                }
                CHECK(camera_tile_convert(&config, picture, 240, 24, tiles) == 1);
                CHECK(fabs(value_at(0, 0) - clamped(luma + 1.402 * v)) <= 1.5);
                CHECK(fabs(value_at(0, 1) - clamped(luma - 0.344136 * u - 0.714136 * v)) <= 1.5);
                CHECK(fabs(value_at(0, 2) - clamped(luma + 1.772 * u)) <= 1.5);
                CHECK(fabs(value_at(0, 3) - clamped(luma)) <= 1.5);
                luma = (239.0 - y) * 255 / 219; /* the second of the pair */
                CHECK(fabs(value_at(1, 3) - clamped(luma)) <= 1.5);
            }
        }
    }
}

static void a_bayer_cell_is_a_pixel_whatever_its_order(void)
{
    static const char ORDERS[][5] = {"RGGB", "GRBG", "GBRG", "BGGR"};

    for (uint32_t i = 0; camera_format_at(i) != NULL; i++) {
        const struct camera_format *format = camera_format_at(i);
        struct camera_tile_config config = config_of(format->fourcc, CAMERA_RED);
        const uint32_t bytes = format->sample_bytes;
        uint32_t greens = 0;

        if (format->kind != CAMERA_KIND_BAYER) {
            continue;
        }
        CHECK(memcmp(format->name + 1, ORDERS[i % 4 == 3 ? 0 : i % 4 + 1], 4) == 0);
        config.bands[1] = CAMERA_GREEN;
        config.bands[2] = CAMERA_BLUE;
        config.full_scale = (1U << format->bits) - 1;
        for (uint32_t y = 0; y < 10; y++) {
            for (uint32_t x = 0; x < 12; x++) {
                char colour = format->name[1 + 2 * (y % 2) + x % 2];
                uint32_t count =
                    colour == 'R' ? 200 : (colour == 'B' ? 50 : 100 + (greens++ % 2) * 9);

                picture[(y * 12 + x) * bytes] = (uint8_t)count;
                if (bytes == 2) {
                    picture[(y * 12 + x) * bytes + 1] = 0;
                }
            }
        }
        CHECK(camera_tile_check(&config) == HAL_OK);
        CHECK(camera_tile_convert(&config, picture, 120 * bytes, 12 * bytes, tiles) == 1);
        for (uint32_t pixel = 0; pixel < 16; pixel++) {
            CHECK(value_at(pixel, 0) == 200);
            CHECK(value_at(pixel, 1) >= 100 && value_at(pixel, 1) <= 109);
            CHECK(value_at(pixel, 2) == 50);
        }
    }
}

static void both_greens_of_a_cell_count(void)
{
    struct camera_tile_config config = config_of(V4L2_PIX_FMT_SRGGB8, CAMERA_GREEN);

    config.width_px = config.height_px = 2;
    config.tile_px = 1;
    config.full_scale = 255;
    memcpy(picture, "\x10\x20\x31\x40", 4);
    CHECK(camera_tile_check(&config) == HAL_OK);
    CHECK(camera_tile_convert(&config, picture, 4, 2, tiles) == 1);
    CHECK(value_at(0, 0) == 0x29); /* (0x20 + 0x31 + 1) / 2 */
}

static void counts_are_scaled_above_the_black_level(void)
{
    struct camera_tile_config config = config_of(V4L2_PIX_FMT_Y10, CAMERA_GREY);

    config.width_px = 4;
    config.height_px = 1;
    config.tile_px = 1;
    config.tiles_across = 4;
    config.black_level = 64;
    put16(0, 10); /* darker than black */
    put16(2, 64);
    put16(4, 544);    /* half way: (544 - 64) / 959 */
    put16(6, 0xFFFF); /* bits that the format does not have */
    CHECK(camera_tile_check(&config) == HAL_OK);
    CHECK(camera_tile_convert(&config, picture, 8, 8, tiles) == 4);
    CHECK(value_at(0, 0) == 0 && value_at(1, 0) == 0);
    CHECK(value_at(2, 0) == 5005 && value_at(3, 0) == 10000);
    put16(6, 1023);
    CHECK(camera_tile_convert(&config, picture, 8, 8, tiles) == 4);
    CHECK(value_at(3, 0) == 10000);
}

static void the_curve_of_a_screen_is_undone(void)
{
    struct camera_tile_config config = config_of(V4L2_PIX_FMT_GREY, CAMERA_GREY);

    config.width_px = config.height_px = 16;
    config.tile_px = 16;
    config.srgb = 1;
    config.full_scale = 65535;
    for (uint32_t i = 0; i < 256; i++) {
        picture[i] = (uint8_t)i;
    }
    CHECK(camera_tile_check(&config) == HAL_OK);
    CHECK(camera_tile_convert(&config, picture, 256, 16, tiles) == 1);
    for (uint32_t i = 0; i < 256; i++) {
        double code = i / 255.0;
        double light = code <= 0.04045 ? code / 12.92 : pow((code + 0.055) / 1.055, 2.4);

        CHECK(fabs(value_at(i, 0) - light * 65535) <= 0.501);
    }
}

static void every_format_is_in_the_table_once(void)
{
    uint32_t count = 0;

    for (; camera_format_at(count) != NULL; count++) {
        const struct camera_format *format = camera_format_at(count);

        CHECK(camera_format_find(format->fourcc) == format);
        CHECK(strlen(format->name) < CAMERA_NAME_BYTES && format->planes != 0);
        CHECK(format->bits <= 8 * format->sample_bytes);
    }
    CHECK(count == 23);
    CHECK(camera_format_find(V4L2_PIX_FMT_MJPEG) == NULL);
}

static void what_cannot_be_done_is_refused(void)
{
    struct camera_tile_config bad[17];

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bad[i] = config_of(V4L2_PIX_FMT_YUYV, CAMERA_RED);
        CHECK(camera_tile_check(&bad[i]) == HAL_OK);
    }
    bad[0].tile_px = 0;
    bad[1].tile_px = 11; /* higher than the picture */
    bad[2].tiles_across = 4;
    bad[3].tiles_down = 3;
    bad[4].tiles_across = 0;
    bad[5].tiles_down = 0;
    bad[6].tiles_across = CAMERA_TILES_MAX + 1;
    bad[7].tiles_down = CAMERA_TILES_MAX + 1;
    bad[8].width_px = CAMERA_SIDE_PX_MAX + 1;
    bad[9].full_scale = 0;
    bad[10].full_scale = CAMERA_FULL_SCALE_MAX + 1;
    bad[11].srgb = 2;
    bad[12].srgb = 1;
    bad[12].black_level = 1;
    bad[13].bands[5] = CAMERA_GREY + 1;
    bad[14].black_level = 255;
    bad[15].height_px = CAMERA_SIDE_PX_MAX + 1;
    bad[16].width_px = 13; /* the last pixel would have no partner */
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(camera_tile_check(&bad[i]) == HAL_E_RANGE);
    }
    bad[0] = config_of(V4L2_PIX_FMT_YUYV, CAMERA_RED);
    bad[0].tile_px = CAMERA_TILE_PX_MAX + 1;
    CHECK(camera_tile_check(&bad[0]) == HAL_E_RANGE);
    bad[0].tile_px = 1;
    bad[0].tiles_across = bad[0].tiles_down = 9; /* 81 tiles */
    CHECK(camera_tile_check(&bad[0]) == HAL_E_RANGE);
    CHECK(camera_tile_check(NULL) == HAL_E_RANGE);
    bad[0] = config_of(V4L2_PIX_FMT_MJPEG, CAMERA_RED);
    CHECK(camera_tile_check(&bad[0]) == HAL_E_UNSUPPORTED);
    bad[0] = config_of(V4L2_PIX_FMT_Y10, CAMERA_GREY);
    bad[0].srgb = 1;
    CHECK(camera_tile_check(&bad[0]) == HAL_E_UNSUPPORTED);
    bad[0] = config_of(V4L2_PIX_FMT_GREY, CAMERA_RED);
    CHECK(camera_tile_check(&bad[0]) == HAL_E_UNSUPPORTED);
    bad[0] = config_of(V4L2_PIX_FMT_SRGGB8, CAMERA_RED);
    bad[0].tile_px = 6; /* its picture is 6 x 5 */
    CHECK(camera_tile_check(&bad[0]) == HAL_E_RANGE);
}

int main(void)
{
    static const struct promise PROMISES[] = {
        PROMISE(the_middle_is_cut_tile_by_tile),
        PROMISE(each_band_takes_the_plane_it_names),
        PROMISE(yuyv_is_bt_601_of_limited_range),
        PROMISE(a_bayer_cell_is_a_pixel_whatever_its_order),
        PROMISE(both_greens_of_a_cell_count),
        PROMISE(counts_are_scaled_above_the_black_level),
        PROMISE(the_curve_of_a_screen_is_undone),
        PROMISE(every_format_is_in_the_table_once),
        PROMISE(what_cannot_be_done_is_refused),
    };

    KEEP(PROMISES);
    return 0;
}
