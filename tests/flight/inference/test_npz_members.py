import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flight.inference.npz_members import NpzError, member_of, read_members

DTYPES = st.sampled_from(["<u2", "|u1", "<i4", "<f4", "<f8", "|b1"])


def archive_of(save, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def npy_of(array, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version)
    return buffer.getvalue()


ARCHIVES = [
    archive_of(save, a=np.arange(300, dtype=np.float32), b=np.zeros((5, 5), np.uint8))
    for save in (np.savez, np.savez_compressed)
]


@settings(deadline=None, max_examples=100)
@given(
    array=DTYPES.flatmap(lambda kind: hnp.arrays(np.dtype(kind), hnp.array_shapes(min_side=0))),
    packed=st.booleans(),
    version=st.sampled_from([(1, 0), (2, 0), (3, 0)]),
)
def test_what_numpy_writes_is_read_as_numpy_reads_it(array, packed, version):
    data = archive_of(np.savez_compressed if packed else np.savez, x=array)
    members = [read_members(io.BytesIO(data), ("x",), 100_000)["x"]]
    members.append(member_of(npy_of(array, version)))
    for member in members:
        assert (member.dtype, member.shape) == (array.dtype.str, array.shape)
        assert member.data == array.tobytes()


@settings(deadline=None, max_examples=300)
@given(
    good=st.sampled_from(ARCHIVES),
    where=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
    cut=st.booleans(),
)
def test_damage_anywhere_raises_only_the_named_error_or_changes_no_byte(good, where, value, cut):
    at = int(where * len(good))
    bad = good[:at] if cut else good[:at] + bytes([value]) + good[at + 1 :]
    try:
        members = read_members(io.BytesIO(bad), ("a", "b"), 10_000)
    except NpzError:
        return
    whole = read_members(io.BytesIO(good), ("a", "b"), 10_000)
    assert all(whole[name] == member for name, member in members.items())


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=120))
def test_garbage_in_place_of_an_array_raises_only_the_named_error(data):
    for candidate in (data, b"\x93NUMPY\x01\x00" + data):
        with pytest.raises(NpzError):
            member_of(candidate)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 4), ">u2"),
        np.zeros((3, 4), np.uint16, order="F"),
        np.zeros(3, "<U4"),
        np.zeros(3, [("a", "<u2")]),
        np.zeros(3, np.complex128),
    ],
)
def test_what_is_not_plain_numbers_row_by_row_is_refused(array):
    with pytest.raises(NpzError, match="plain numbers"):
        member_of(npy_of(array))


def test_too_few_and_too_many_bytes_are_refused():
    good = npy_of(np.arange(6, dtype="<u2"))
    for bad in (good[:-1], good + b"\0"):
        with pytest.raises(NpzError, match="bytes for shape"):
            member_of(bad)


def test_an_archive_that_unpacks_too_large_is_refused_before_it_is_unpacked():
    data = archive_of(np.savez_compressed, a=np.zeros(10_000_000, np.uint8))
    assert len(data) < 20_000
    with pytest.raises(NpzError, match="at most 1000000"):
        read_members(io.BytesIO(data), ("a",), 1_000_000)


def test_a_pickle_is_never_opened():
    data = archive_of(np.savez, a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(NpzError, match="plain numbers"):
        read_members(io.BytesIO(data), ("a",), 1_000_000)


def test_an_array_that_is_not_there_is_left_out():
    assert sorted(read_members(io.BytesIO(ARCHIVES[0]), ("b", "c"), 10_000)) == ["b"]
