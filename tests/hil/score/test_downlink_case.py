"""A case is read whole or refused in one line."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_case import SLOT_NS, S, save, small_case

from flight.config import ConfigError
from hil.score import downlink_case
from hil.score.downlink_case import HEAD_BYTES_MAX, digest, load_case


def test_a_case_is_read_as_it_was_written(tmp_path):
    case = small_case([(0, 1000, 5, -1)], bad=[3], reboots=[S + 10 * SLOT_NS])
    save(case, tmp_path)
    again = load_case(tmp_path)
    assert again.head == case.head
    assert np.array_equal(again.good, case.good)
    assert not again.good[3]
    assert not again.usable[10]
    assert again.usable[8]
    assert (again.capacity == 32_704).all()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda folder: (folder / "case.npz").write_bytes(b"PK"), "no readable case"),
        (lambda folder: (folder / "case.json").write_text("[]"), "format"),
        (lambda folder: (folder / "case.json").unlink(), "no readable case"),
        (lambda folder: edit(folder, version=2), "version 1"),
        (lambda folder: edit(folder, slot_ns="x"), "slot_ns"),
        (lambda folder: edit(folder, sha256="0"), "digest"),
        (lambda folder: np.savez(folder / "case.npz", good=np.zeros(1)), "pass_t0_ns: missing"),
    ],
)
def test_a_spoilt_case_is_refused_with_the_reason(tmp_path, spoil, named):
    save(small_case([(0, 1000, 5, -1)]), tmp_path)
    spoil(tmp_path)
    with pytest.raises(ConfigError, match=named):
        load_case(tmp_path)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        b"[" * 100_000,
        b'{"slot_ns": ' + b"9" * 5_000 + b"}",
        b'"\xff"',
        b" " * (HEAD_BYTES_MAX + 1),
    ],
)
def test_a_header_that_is_no_json_or_too_deep_or_too_long_is_refused_in_one_line(tmp_path, octets):
    save(small_case([(0, 1000, 5, -1)]), tmp_path)
    (tmp_path / "case.json").write_bytes(octets)
    refused(tmp_path, "no readable case")


def test_a_file_of_arrays_of_another_kind_is_refused_in_one_line(tmp_path):
    save(small_case([(0, 1000, 5, -1)]), tmp_path)
    path = tmp_path / "case.npz"
    whole = path.read_bytes()
    for octets in (whole[: len(whole) // 2], b"", npy(np.zeros(3)), pickle.dumps([1])):
        path.write_bytes(octets)
        refused(tmp_path, "not an npz file")
    path.write_bytes(with_member(whole, "size.npy", npy(np.array(["x"], object), pickles=True)))
    refused(tmp_path, "allow_pickle=False")
    long = npy(np.zeros(1, [(f"field{index}", "u1") for index in range(2_000)]))
    path.write_bytes(with_member(whole, "size.npy", long))
    refused(tmp_path, "damaged")
    path.unlink()
    path.mkdir()
    refused(tmp_path, "directory")


def test_arrays_that_unpack_to_more_than_a_case_has_are_not_unpacked(tmp_path, monkeypatch):
    save(small_case([(0, 1000, 5, -1)]), tmp_path)
    path = tmp_path / "case.npz"
    bomb = with_member(path.read_bytes(), "good.npy", npy(np.zeros(1 << 20, np.uint8)))
    path.write_bytes(bomb)
    assert len(bomb) < 1 << 14
    monkeypatch.setattr(downlink_case, "ARRAYS_BYTES_MAX", 1 << 20)
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("unpacked"))
    refused(tmp_path, "bytes unpacked, at most")


def test_a_shape_that_the_octets_do_not_fill_is_refused(tmp_path):
    save(small_case([(0, 1000, 5, -1)]), tmp_path)
    path = tmp_path / "case.npz"
    claimed = npy(np.zeros(1, np.int64)).replace(b"(1,), }" + b" " * 14, b"(1099511627776,), }  ")
    assert b"1099511627776" in claimed
    path.write_bytes(with_member(path.read_bytes(), "size.npy", claimed))
    refused(tmp_path, "damaged")


def test_a_member_without_an_array_header_is_no_array(tmp_path):
    save(small_case([(0, 1000, 5, -1)]), tmp_path)
    path = tmp_path / "case.npz"
    path.write_bytes(with_member(path.read_bytes(), "size.npy", b"12345678"))
    with np.load(path) as stored:
        edit(tmp_path, sha256=digest({name: stored[name] for name in stored.files}))
    refused(tmp_path, "size: allowed are whole numbers")


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_no_octet_of_a_header_makes_more_of_a_case_than_one_line(tmp_path_factory, data):
    """Of the JSON, of the archive, and of an array whose checksum holds."""
    folder = tmp_path_factory.mktemp("case")
    save(small_case([(0, 1000, 5, -1)], passes=((S, 40),)), folder)
    head, arrays = folder / "case.json", folder / "case.npz"
    part = data.draw(st.sampled_from(["json", "archive", "array"]))
    if part == "json":
        head.write_bytes(mutated(data, head.read_bytes()))
    elif part == "archive":
        arrays.write_bytes(mutated(data, arrays.read_bytes()))
    else:
        octets = npy(np.arange(3, dtype=np.int64))
        arrays.write_bytes(with_member(arrays.read_bytes(), "size.npy", mutated(data, octets)))
    assert "\n" not in told(folder)


def told(folder):
    """What is said of the case; nothing of a good one."""
    try:
        load_case(folder)
    except ConfigError as error:
        return str(error)
    return ""


def mutated(data, octets):
    """A few octets changed, or the end cut off."""
    changed = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    return bytes(changed[: data.draw(st.integers(1, len(changed)))])


def npy(array, *, pickles=False):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickles)
    return file.getvalue()


def with_member(archive, name, octets):
    """The archive with one member replaced, its checksum and its lengths right."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for each in old.namelist():
            new.writestr(each, octets if each == name else old.read(each))
    return changed.getvalue()


def refused(folder, told):
    with pytest.raises(ConfigError, match=told) as found:
        load_case(folder)
    assert "\n" not in str(found.value)


def edit(folder, **fields):
    head = json.loads((folder / "case.json").read_text()) | fields
    (folder / "case.json").write_text(json.dumps(head))


def test_a_slower_step_of_the_modem_halves_the_frame():
    case = small_case([(0, 1000, 5, -1)])
    case.arrays["rate_slot"], case.arrays["rate_exp"] = np.array([0, 100]), np.array([0, 2])
    again = type(case)(case.head, case.arrays)
    assert again.capacity[99] == 32_704
    assert again.capacity[100] == 32_704 // 4
