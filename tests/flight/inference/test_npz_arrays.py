import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.inference.npz_arrays import read_npz
from flight.inference.npz_members import NpzError


def archive_of(save):
    buffer = io.BytesIO()
    save(buffer, a=np.arange(300, dtype=np.float32), b=np.zeros((5, 5), np.uint8))
    return buffer.getvalue()


ARCHIVES = [archive_of(np.savez), archive_of(np.savez_compressed)]


@settings(deadline=None, max_examples=300)
@given(
    good=st.sampled_from(ARCHIVES),
    where=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
    cut=st.booleans(),
)
def test_damage_anywhere_raises_only_the_named_error(good, where, value, cut):
    at = int(where * len(good))
    bad = good[:at] if cut else good[:at] + bytes([value]) + good[at + 1 :]
    try:
        arrays = read_npz(io.BytesIO(bad), ("a", "b"), 10_000)
    except NpzError:
        return
    assert set(arrays) <= {"a", "b"}


def test_what_unpacks_too_large_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.zeros(10_000_000, np.uint8))
    assert len(buffer.getvalue()) < 20_000
    with pytest.raises(NpzError, match="at most 1000000"):
        read_npz(buffer, ("a",), 1_000_000)


def test_pickles_are_never_opened():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(NpzError, match="allow_pickle"):
        read_npz(buffer, ("a",), 1_000_000)


def test_a_missing_array_is_left_out():
    assert sorted(read_npz(io.BytesIO(ARCHIVES[0]), ("b", "c"), 10_000)) == ["b"]
