import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flight.inference import png_image
from flight.inference.mask_product import (
    HEADER_BYTES,
    MaskError,
    cloud_permille,
    decode_mask,
    encode_mask,
)

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)


@settings(deadline=None, max_examples=60)
@given(
    cloud=hnp.arrays(np.bool_, SHAPES),
    tile_id=st.integers(0, 2**64 - 1),
    threshold=st.integers(0, 1000),
    model_id=st.binary(min_size=8, max_size=8),
)
def test_every_mask_comes_back_as_it_was_sent(cloud, tile_id, threshold, model_id):
    back = decode_mask(encode_mask(tile_id, cloud, threshold, model_id))
    assert np.array_equal(back.cloud, cloud)
    assert (back.tile_id, back.threshold_permille, back.model_id) == (tile_id, threshold, model_id)
    assert back.cloud_permille == cloud_permille(cloud)


@settings(deadline=None, max_examples=150)
@given(data=st.binary(max_size=200))
def test_garbage_raises_only_the_named_error(data):
    for candidate in (data, b"LMSK\x01" + data):
        with pytest.raises(MaskError):
            decode_mask(candidate)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_flipped_bit_or_a_cut_is_never_taken_for_another_picture(data):
    cloud = np.zeros((24, 20), dtype=np.bool_)
    cloud[3:11, 2:17] = True
    good = encode_mask(7, cloud, 500, b"12345678")
    if data.draw(st.booleans()):
        bad = good[: data.draw(st.integers(0, len(good) - 1))]
    else:
        bit = data.draw(st.integers(0, 8 * len(good) - 1))
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << (bit % 8)
    try:
        back = decode_mask(bytes(bad))
    except MaskError:
        return
    # Fields without redundancy of their own (ids, threshold) are covered by the product's CRC.
    assert np.array_equal(back.cloud, cloud)


def test_a_bomb_in_the_packed_bits_is_refused_before_it_grows():
    good = encode_mask(1, np.zeros((8, 8), dtype=np.bool_), 500, bytes(8))
    bomb = good[:HEADER_BYTES] + zlib.compress(bytes(50_000_000))
    with pytest.raises(MaskError, match="not exactly 8 bytes"):
        decode_mask(bomb)


@pytest.mark.parametrize(("clouds", "permille"), [(0, 0), (1, 63), (8, 500), (16, 1000)])
def test_cloud_share_is_told_in_thousandths(clouds, permille):
    cloud = np.zeros(16, dtype=np.bool_)
    cloud[:clouds] = True
    assert cloud_permille(cloud.reshape(4, 4)) == permille


@settings(deadline=None, max_examples=40)
@given(rgb=hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))))
def test_every_picture_comes_back_as_it_was_written(rgb):
    assert np.array_equal(png_image.decode(png_image.encode(rgb)), rgb)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_damaged_picture_raises_only_the_named_error(data):
    rgb = np.arange(6 * 5 * 3, dtype=np.uint8).reshape(6, 5, 3)
    good = png_image.encode(rgb)
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << (bit % 8)
    for candidate in (bytes(bad), good[: data.draw(st.integers(0, len(good) - 1))]):
        with pytest.raises(png_image.PngError):
            png_image.decode(candidate)


def test_the_picture_is_the_png_everybody_reads():
    # Written by hand after the standard: 1 x 1 px, filter None, colour (255, 128, 0).
    body = zlib.compress(b"\x00\xff\x80\x00")
    header = b"IHDR" + bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])
    file = png_image.SIGNATURE + b"\x00\x00\x00\x0d" + header
    file += zlib.crc32(header).to_bytes(4, "big")
    file += len(body).to_bytes(4, "big") + b"IDAT" + body
    file += zlib.crc32(b"IDAT" + body).to_bytes(4, "big")
    file += bytes(4) + b"IEND" + zlib.crc32(b"IEND").to_bytes(4, "big")
    assert png_image.decode(file).tolist() == [[[255, 128, 0]]]
