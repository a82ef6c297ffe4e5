import zlib

import numpy as np
import pytest

from flight.inference import png_image
from flight.inference.job import Result, Tile
from flight.inference.mask_product import decode_mask
from flight.inference.result_products import DraftKind, ValueTable, products_of
from flight.inference.screening import screen

VALUES = ValueTable(
    mask_land_millis=100,
    mask_sea_millis=50,
    quicklook_land_millis=1000,
    quicklook_sea_millis=300,
    quicklook_cloud_permille_max=600,
)
HASH = "ab" * 32


def drafts_of(cloudy_rows: int, *, land: bool = True):
    pixels = np.full((10, 8, 6), 1500, np.uint16)
    probability = np.zeros((10, 8), np.float32)
    probability[:cloudy_rows] = 0.5
    probability[0, 0] += 0.01  # the answer of a network that lives
    tile = Tile(
        42, 0, pixels.tobytes(), 10, 8, bytes(32), "synthetic:0:0", land=land, synthetic=True
    )
    screening = screen(pixels, probability, 0.5, VALUES.quicklook_cloud_permille_max)
    result = Result(1, screening, HASH, 0, 1, None, 0.1)
    return products_of(result, tile, VALUES, 0.5)


def test_a_clear_tile_gives_a_mask_and_a_picture_that_open_again():
    mask, picture = drafts_of(2)
    opened = decode_mask(mask.payload)
    assert (opened.tile_id, opened.cloud_permille, opened.threshold_permille) == (42, 200, 500)
    assert opened.model_id == bytes.fromhex(HASH)[:8]
    assert opened.cloud[:2].all()
    assert not opened.cloud[2:].any()
    assert picture.kind is DraftKind.QUICKLOOK
    assert png_image.decode(picture.payload).shape == (10, 8, 3)
    assert picture.crc32 == zlib.crc32(picture.payload)


@pytest.mark.parametrize(("cloudy_rows", "kinds"), [(6, 2), (7, 1), (10, 1)])
def test_no_picture_is_made_of_a_tile_that_is_mostly_cloud(cloudy_rows, kinds):
    assert len(drafts_of(cloudy_rows)) == kinds


def test_clear_land_is_worth_more_than_cloud_and_more_than_sea():
    clear, half = drafts_of(0)[1], drafts_of(5)[1]
    sea = drafts_of(0, land=False)
    assert (clear.value_millis, half.value_millis, sea[1].value_millis) == (1000, 500, 300)
    assert drafts_of(0)[0].value_millis > sea[0].value_millis


def test_names_tell_tile_and_kind():
    assert [d.name for d in drafts_of(0)] == [
        "tile-00000042-mask.msk",
        "tile-00000042-quicklook.png",
    ]
