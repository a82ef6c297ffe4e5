"""A case is read whole or refused in one line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_case import SLOT_NS, S, save, small_case

from flight.config import ConfigError
from hil.score.downlink_case import load_case


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


def edit(folder, **fields):
    head = json.loads((folder / "case.json").read_text()) | fields
    (folder / "case.json").write_text(json.dumps(head))


def test_a_slower_step_of_the_modem_halves_the_frame():
    case = small_case([(0, 1000, 5, -1)])
    case.arrays["rate_slot"], case.arrays["rate_exp"] = np.array([0, 100]), np.array([0, 2])
    again = type(case)(case.head, case.arrays)
    assert again.capacity[99] == 32_704
    assert again.capacity[100] == 32_704 // 4
