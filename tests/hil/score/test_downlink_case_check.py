"""Every number of a case that could not be flown is named; whatever passes can be flown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_case import CONSTANTS, SLOT_NS, S, small_case

from hil.score.downlink_case import Case, CaseHead
from hil.score.downlink_case_check import (
    ARRAYS,
    INTEGERS,
    REBOOTS_MAX,
    as_computed,
    wrong_with_arrays,
    wrong_with_head,
)
from hil.score.downlink_figures import figures
from hil.score.downlink_harness import DownlinkHarness


def good():
    """Two contacts, two steps of the rate, three products, a reset."""
    products = [(0, 40_000, 9, -1), (0, 1000, 5, 9 * S), (S, 2000, 7, -1, 0)]
    case = small_case(products, passes=((S, 60), (2 * S, 40)), bad=[3], reboots=[S + 1])
    steps = {"rate_slot": np.array([0, 50]), "rate_exp": np.array([0, 1], np.uint8)}
    return case.arrays | steps


def first_wrong(arrays, **head):
    for wrong in wrong_with_head(CONSTANTS | head):
        return wrong
    return next(wrong_with_arrays(arrays, CONSTANTS | head), None)


def test_nothing_is_wrong_with_a_good_case_nor_with_one_without_products():
    assert first_wrong(good()) is None
    products = {name for name, rule in ARRAYS.items() if rule.group == "product"}
    empty = good() | {name: good()[name][:0] for name in products}
    assert first_wrong(empty) is None
    assert fly(empty).value_offered == 0.0


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", [None, True, 1.0, "1", [], float("nan"), -1, 1 << 70])
def test_a_constant_that_is_no_whole_number_of_its_range_is_named(name, value):
    where, rule = first_wrong(good(), **{name: value})
    assert where == name
    assert rule.startswith("allowed is a whole number, ")


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_another_type_shape_or_length_is_named(name):
    held = good()[name]
    for spoilt in (held.astype(float), held[None, :], held.astype("U4"), np.array(3), held > 0):
        assert first_wrong(good() | {name: spoilt})[0] == name
    group = ARRAYS[name].group
    if group in ("pass", "rate", "product", "report"):
        assert first_wrong(good() | {name: held[:-1]})[1].startswith("needs ")
    if group == "mask":
        assert first_wrong(good() | {name: held[:5]}) == (name, "needs 13 octets, has 5")
        assert first_wrong(good() | {name: held.astype(np.int64)})[0] == name


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("size", [40_000, 0, 2000]),
        ("size", [40_000, -7, 2000]),
        ("size", [40_000, 1 << 40, 2000]),
        ("value", [9, -5, 7]),
        ("value", [9, 1 << 60, 7]),
        ("cls", [0, 4, 0]),
        ("supersedes", [-1, 3, 0]),
        ("supersedes", [-2, -1, 0]),
        ("deadline_ns", [-2, -1, -1]),
        ("pass_slots", [60, 0]),
        ("pass_slots", [60, -1]),
        ("pass_slots", [1 << 26, 1 << 26]),
        ("pass_t0_ns", [S, S]),
        ("pass_t0_ns", [2 * S, S]),
        ("pass_t0_ns", [S, S + 60 * SLOT_NS - 1]),
        ("pass_t0_ns", [S, 1 << 61]),
        ("rate_slot", [1, 50]),
        ("rate_slot", [0, 0]),
        ("rate_slot", [0, 100]),
        ("rate_exp", [0, 11]),
        ("rate_exp", [0, 200]),
        ("rate_exp", [-1, 0]),
        ("rep_arrive_ns", [-1, -1, S, 0, 0]),
        ("reboot_ns", [0] * (REBOOTS_MAX + 1)),
    ],
)
def test_a_number_that_no_case_can_have_is_named(name, numbers):
    assert first_wrong(good() | {name: np.array(numbers)})[0] == name


def test_contacts_touch_but_do_not_overlap_and_there_is_one():
    touching = {"pass_t0_ns": np.array([S, S + 60 * SLOT_NS])}
    assert first_wrong(good() | touching) is None
    none = {name: good()[name][:0] for name in ("pass_t0_ns", "pass_slots")}
    assert first_wrong(good() | none) == ("pass_slots", "allowed are 1 to 1024 contacts")


def test_no_slot_is_good_out_of_lock():
    lock = good()["lock"].copy()
    lock[2] = 0
    assert first_wrong(good() | {"lock": lock}) == ("good", "allowed are slots in lock")


def test_a_header_of_segments_that_the_stack_does_not_leave_room_for_is_refused():
    assert first_wrong(good(), segment_header_bytes=31)[0] == "segment_header_bytes"


def test_numbers_of_other_widths_are_the_same_case():
    narrow = good() | {"pass_t0_ns": good()["pass_t0_ns"].astype(">u8")}
    assert first_wrong(narrow) is None
    assert as_computed(narrow)["pass_t0_ns"].dtype == np.int64
    assert fly(narrow) == fly(good())


NUMBERS = [-(1 << 63), -(1 << 60), -S, -2, -1, 0, 1, 2, 3, 40, 99, S, 2 * S, 1 << 60, (1 << 63) - 1]


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from([*ARRAYS, *INTEGERS]),
    at=st.integers(0, 4),
    number=st.sampled_from(NUMBERS) | st.integers(-(1 << 63), (1 << 63) - 1),
)
def test_what_is_not_refused_can_be_flown(name, at, number):
    arrays, head = good(), CONSTANTS
    if name in INTEGERS:
        head = head | {name: number}
    else:
        held = arrays[name].astype(np.int64)
        held[at % len(held)] = number
        dtype = np.uint8 if ARRAYS[name].group == "mask" else np.int64
        arrays[name] = held.astype(dtype)
    if first_wrong(arrays, **head) is None:
        flown = fly(arrays, **head)
        assert 0.0 <= flown.value_on_time <= flown.value_offered


def fly(arrays, **head):
    case = Case(CaseHead("", **(CONSTANTS | head)), as_computed(arrays))
    return figures(case, DownlinkHarness(case).fly())
