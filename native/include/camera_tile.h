/*
 * camera_tile.h - from a camera's picture to the tiles that the network reads. No device, no clock.
 *
 * A tile is (tile_px, tile_px, 6) of uint16, little-endian, row by row, the six bands of a pixel
 * together: reflectance x 10,000. A camera has planes, not bands: the user says which plane stands
 * in for which band, because only he knows his filters; there is no default.
 *
 * Cut.      The middle of the picture, tiles_across x tiles_down tiles; what is left at the edges is
 *           not looked at.
 * Colour.   Bayer cells of 2 x 2 become one pixel each (both greens averaged), so the picture has
 *           half the width and height and nothing is interpolated. YUYV is ITU-R BT.601, limited
 *           range, which is what V4L2 means unless it says otherwise.
 * Value.    (count - black_level) / (largest count - black_level) x full_scale. Counts are taken as
 *           proportional to light, or, with `srgb`, as written for a screen: then the curve of IEC
 *           61966-2-1 is undone first. What reflectance a full count stands for depends on lens,
 *           exposure and light: full_scale is the user's calibration.
 * Source.   Kernel documentation, userspace-api/media/v4l: pixfmt-yuyv, pixfmt-rgb, pixfmt-bayer,
 *           colorspaces-details.
 */
#ifndef LUMENODE_CAMERA_TILE_H
#define LUMENODE_CAMERA_TILE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAMERA_BANDS          6
#define CAMERA_TILE_PX_MAX    512
#define CAMERA_TILES_MAX      64
#define CAMERA_SIDE_PX_MAX    16384
#define CAMERA_NAME_BYTES     8
#define CAMERA_FULL_SCALE_MAX 65535

enum camera_plane { CAMERA_RED = 0, CAMERA_GREEN = 1, CAMERA_BLUE = 2, CAMERA_GREY = 3 };

enum camera_kind {
    CAMERA_KIND_YUYV = 0,
    CAMERA_KIND_RGB = 1,
    CAMERA_KIND_BGR = 2,
    CAMERA_KIND_GREY = 3,
    CAMERA_KIND_BAYER = 4
};

/* How a camera lays out its pixels. */
struct camera_format {
    char name[CAMERA_NAME_BYTES]; /* as V4L2 calls it, without V4L2_PIX_FMT_: "YUYV" */
    uint32_t fourcc;
    uint32_t kind;         /* enum camera_kind */
    uint32_t bits;         /* of a sample */
    uint32_t sample_bytes; /* 1, or 2 with the low octet first */
    uint32_t pixel_bytes;  /* of a pixel of the picture as it comes */
    uint32_t planes;       /* mask of 1 << enum camera_plane: what it has */
    uint32_t red;          /* Bayer: where red is in a cell, 0 to 3 row by row; blue is 3 - red */
};

struct camera_tile_config {
    uint32_t fourcc;   /* of a known format */
    uint32_t width_px; /* of the picture as it comes */
    uint32_t height_px;
    uint32_t tile_px;      /* side of a tile, up to CAMERA_TILE_PX_MAX */
    uint32_t tiles_across; /* both together up to CAMERA_TILES_MAX tiles */
    uint32_t tiles_down;
    uint32_t bands[CAMERA_BANDS]; /* enum camera_plane of B2, B3, B4, B8, B11, B12 */
    uint32_t full_scale;          /* value of a full count, 1 to CAMERA_FULL_SCALE_MAX */
    uint32_t black_level;         /* counts without light; 0 with srgb */
    uint32_t srgb;                /* 1: formats of 8 bits a sample written for a screen */
};

/* The format of that place in the table, or NULL past the last one. Static. */
const struct camera_format *camera_format_at(uint32_t index);

/* The format with that four-character code, or NULL. Static. */
const struct camera_format *camera_format_find(uint32_t fourcc);

/*
 * Whether the configuration can be done. HAL_OK. HAL_E_UNSUPPORTED: unknown format, a band named
 * for a plane that it has not, or srgb on more than 8 bits. HAL_E_RANGE: NULL, a number out of its
 * bounds, YUYV of an odd width, or tiles that do not fit into the picture.
 */
int32_t camera_tile_check(const struct camera_tile_config *config);

/* Octets of all tiles of one picture, for a checked configuration. */
uint64_t camera_tile_bytes(const struct camera_tile_config *config);

/*
 * Converts one picture into tiles_across x tiles_down tiles, one after the other, row by row.
 * `config` is checked; `tiles` holds camera_tile_bytes(). Some 20 ns a pixel.
 * @return the number of tiles. HAL_E_CORRUPT: the picture is shorter than its format says.
 */
int32_t camera_tile_convert(const struct camera_tile_config *config, const uint8_t *picture,
                            uint64_t picture_bytes, uint32_t bytes_per_line, uint8_t *tiles);

#ifdef __cplusplus
}
#endif

#endif
