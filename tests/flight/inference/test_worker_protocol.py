import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.inference.job import TILE_BYTES_A_PX, Plausibility, Screening
from flight.inference.screening import screen
from flight.inference.worker_protocol import (
    RESULT_BYTES_A_PX,
    pack_screening,
    slot_bytes,
    unpack_screening,
)

SCREENINGS = st.builds(
    Screening,
    st.sampled_from(Plausibility),
    st.integers(0, 1000),
    st.binary(max_size=40),
    st.none() | st.binary(max_size=40),
)


@settings(deadline=None, max_examples=100)
@given(SCREENINGS)
def test_a_screening_comes_back_as_it_was_sent(screening):
    assert unpack_screening(pack_screening(screening)) == screening


@settings(deadline=None, max_examples=100)
@given(SCREENINGS, st.integers(1, 200))
def test_a_screening_with_bytes_missing_or_too_many_is_refused(screening, count):
    data = pack_screening(screening)
    for bad in (data[:-count], data + bytes(count)):
        with pytest.raises(ValueError, match="screening"):
            unpack_screening(bad)


def test_a_verdict_nobody_knows_is_refused():
    data = pack_screening(Screening(Plausibility.PLAUSIBLE))
    with pytest.raises(ValueError, match="verdict 99"):
        unpack_screening(bytes([99]) + data[1:])


@pytest.mark.parametrize(
    "shape", [(1, 1), (128, 128), (512, 512), (4096, 1), (1, 4096), (4096, 64)]
)
def test_the_shared_memory_holds_the_worst_picture_of_any_tile(shape):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 4000, (*shape, 6), dtype=np.uint16)
    noise = rng.random(shape, dtype=np.float32)
    noise[0, 0] = 0.0
    screening = screen(pixels, np.append(noise, 0)[: noise.size].reshape(shape), 0.5, 1000)
    room = slot_bytes(noise.size) - noise.size * TILE_BYTES_A_PX
    assert room >= noise.size * RESULT_BYTES_A_PX
    assert len(pack_screening(screening)) <= room
