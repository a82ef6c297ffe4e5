import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flight.inference import png_image


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
