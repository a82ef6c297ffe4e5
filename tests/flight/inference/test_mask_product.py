import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flight.inference.mask_product import (
    MaskError,
    cloud_permille,
    decode_mask,
    encode_mask,
)
from flight.inference.result_products import HEADER_BYTES

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
