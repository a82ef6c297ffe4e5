import hashlib

import numpy as np
import pytest

from flight.inference.mask_product import encode_mask, mask_bits
from flight.inference.result_products import HEADER_BYTES, mask_payload


def payload(**changed):
    fields = {
        "tile_id": 7, "shape": (24, 20), "cloud_permille": 250, "threshold_permille": 450,
        "model_id": b"12345678",
    }  # fmt: skip
    return mask_payload(b"\0\0\0\0bits", **fields | changed)


def test_header_and_packed_bits_are_the_product_byte_for_byte():
    cloud = np.zeros((24, 20), dtype=np.bool_)
    cloud[3:11, 2:17] = True
    whole = encode_mask(7, cloud, 450, b"12345678")
    assert mask_payload(
        mask_bits(cloud),
        tile_id=7,
        shape=(24, 20),
        cloud_permille=250,
        threshold_permille=450,
        model_id=b"12345678",
    ) == whole  # fmt: skip
    header = "4c4d534b01000018001400fa01c200000000000000073132333435363738"
    assert whole[: HEADER_BYTES - 4].hex() == header
    # The layout as products in stores and archives have it: these bytes never change.
    assert hashlib.sha256(whole[:HEADER_BYTES]).hexdigest()[:16] == "3fc3209596e6c103"


@pytest.mark.parametrize("shape", [(0, 20), (24, 0), (4097, 20), (24, 4097)])
def test_a_side_that_the_ground_would_refuse_is_never_sent(shape):
    with pytest.raises(ValueError, match="mask of"):
        payload(shape=shape)


@pytest.mark.parametrize("model_id", [b"", b"1234567", b"123456789"])
def test_a_model_is_named_by_exactly_eight_bytes(model_id):
    with pytest.raises(ValueError, match="model id"):
        payload(model_id=model_id)
