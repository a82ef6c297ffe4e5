/* The pixel formats that are understood; see camera_tile.h. */
#define _POSIX_C_SOURCE 199309L /* videodev2.h needs struct timespec */
#include "camera_tile.h"

#include <stddef.h>
#include <time.h>

#include <linux/videodev2.h>

enum plane_mask {
    COLOURS = 1 << CAMERA_RED | 1 << CAMERA_GREEN | 1 << CAMERA_BLUE,
    BRIGHTNESS = 1 << CAMERA_GREY
};

#define BAYER(order, red_place, sample_bits, bytes)                                                \
    {.name = "S" #order #sample_bits,                                                              \
     .fourcc = V4L2_PIX_FMT_S##order##sample_bits,                                                 \
     .kind = CAMERA_KIND_BAYER,                                                                    \
     .bits = (sample_bits),                                                                        \
     .sample_bytes = (bytes),                                                                      \
     .pixel_bytes = (bytes),                                                                       \
     .planes = COLOURS,                                                                            \
     .red = (red_place)}
#define BAYER_ORDERS(sample_bits, bytes)                                                           \
    BAYER(RGGB, 0, sample_bits, bytes), BAYER(GRBG, 1, sample_bits, bytes),                        \
        BAYER(GBRG, 2, sample_bits, bytes), BAYER(BGGR, 3, sample_bits, bytes)
#define ONE_PLANE(label, code, sample_bits, bytes)                                                 \
    {.name = #label,                                                                               \
     .fourcc = (code),                                                                             \
     .kind = CAMERA_KIND_GREY,                                                                     \
     .bits = (sample_bits),                                                                        \
     .sample_bytes = (bytes),                                                                      \
     .pixel_bytes = (bytes),                                                                       \
     .planes = BRIGHTNESS}
#define THREE_OCTETS(label, code, order)                                                           \
    {.name = #label,                                                                               \
     .fourcc = (code),                                                                             \
     .kind = (order),                                                                              \
     .bits = 8,                                                                                    \
     .sample_bytes = 1,                                                                            \
     .pixel_bytes = 3,                                                                             \
     .planes = COLOURS}

static const struct camera_format FORMATS[] = {
    {.name = "YUYV",
     .fourcc = V4L2_PIX_FMT_YUYV,
     .kind = CAMERA_KIND_YUYV,
     .bits = 8,
     .sample_bytes = 1,
     .pixel_bytes = 2,
     .planes = COLOURS | BRIGHTNESS},
    THREE_OCTETS(RGB24, V4L2_PIX_FMT_RGB24, CAMERA_KIND_RGB),
    THREE_OCTETS(BGR24, V4L2_PIX_FMT_BGR24, CAMERA_KIND_BGR),
    ONE_PLANE(GREY, V4L2_PIX_FMT_GREY, 8, 1),
    ONE_PLANE(Y10, V4L2_PIX_FMT_Y10, 10, 2),
    ONE_PLANE(Y12, V4L2_PIX_FMT_Y12, 12, 2),
    ONE_PLANE(Y16, V4L2_PIX_FMT_Y16, 16, 2),
    BAYER_ORDERS(8, 1),
    BAYER_ORDERS(10, 2),
    BAYER_ORDERS(12, 2),
    BAYER_ORDERS(16, 2),
};

const struct camera_format *camera_format_at(uint32_t index)
{
    return index < sizeof FORMATS / sizeof FORMATS[0] ? &FORMATS[index] : NULL;
}

const struct camera_format *camera_format_find(uint32_t fourcc)
{
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++) {
        if (FORMATS[i].fourcc == fourcc) {
            return &FORMATS[i];
        }
    }
    return NULL;
}
