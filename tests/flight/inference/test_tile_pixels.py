import numpy as np
import pytest

from flight.inference.job import BANDS, Tile, pixel_digest
from flight.inference.tile_pixels import WHITE_DN, pixel_bytes, pixels_of, quicklook

PIXELS = (np.arange(3 * 5 * 6, dtype=np.uint16) * 701).reshape(3, 5, 6)


def tile_of(pixels, height=3, width=5):
    data = pixel_bytes(pixels)
    return Tile(1, 0, data, height, width, pixel_digest(data), "synthetic:0:0", synthetic=True)


@pytest.mark.parametrize("form", [PIXELS, np.asfortranarray(PIXELS), PIXELS.astype(">u2")])
def test_pixels_come_back_whatever_their_order_in_memory_was(form):
    tile = tile_of(form)
    assert np.array_equal(pixels_of(tile), PIXELS)
    assert tile.sha256 == tile_of(PIXELS).sha256
    assert tile.pixels[:4] == (0).to_bytes(2, "little") + (701).to_bytes(2, "little")


def test_bytes_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="reshape"):
        pixels_of(tile_of(PIXELS, 4, 5))


def test_a_quick_look_shows_red_green_blue_and_saturates_at_white():
    pixels = np.zeros((1, 2, 6), np.uint16)
    for level, band in enumerate(("B4", "B3", "B2"), 1):
        pixels[0, 0, BANDS.index(band)] = level * 1000
    pixels[0, 1] = 65_535
    picture = quicklook(pixels)
    assert picture[0, 0].tolist() == [level * 1000 * 255 // WHITE_DN for level in (1, 2, 3)]
    assert picture[0, 1].tolist() == [255, 255, 255]
