"""Seeded cases of the product's own: reproducible, loaded as they say, and of the format."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from flight.config import ConfigError
from hil.score import downlink_families
from hil.score.downlink_case import digest
from hil.score.downlink_families import FAMILIES, PAYLOAD_BYTES, Family, make_case
from hil.score.downlink_harness import contacts_of, products_of


@pytest.fixture
def tiny(monkeypatch):
    """A family that is drawn in a second."""
    sky = downlink_families.Sky(duration_s=(20.0, 30.0), acquisition_s=2.0, failed=0.0)
    family = Family(sky, contacts=3, spacing_s=300.0, reboots=2)
    monkeypatch.setitem(FAMILIES, "tiny", family)
    return family


def test_the_same_seed_is_the_same_case_and_another_is_another(tiny):
    one, again, other = (make_case("tiny", seed) for seed in (3, 3, 4))
    assert one.head == again.head
    assert one.head.sha256 == digest(one.arrays) != other.head.sha256


def test_a_case_is_loaded_as_its_family_says(tiny):
    for load in (0.5, 2.0):
        case = make_case("tiny", 1, load)
        offered = case.arrays["size"].sum()
        carried = case.good.sum() * PAYLOAD_BYTES
        assert offered >= load * carried * 0.99
        last = case.arrays["size"].max()
        assert offered <= load * carried + last


def test_a_case_is_what_the_harness_flies(tiny):
    case = make_case("tiny", 2)
    contacts = contacts_of(case)
    assert len(contacts) == 3
    assert all(a.end_ns <= b.start_ns for a, b in itertools.pairwise(contacts))
    created = [product.created_ns for product in products_of(case)]
    assert created == sorted(created)
    assert (case.arrays["reboot_ns"] > 0).all()
    older = case.arrays["supersedes"]
    assert (older[older >= 0] < np.flatnonzero(older >= 0)).all()
    assert not (case.good & ~case.lock).any()


def test_an_unknown_family_is_refused():
    with pytest.raises(ConfigError, match="allowed is calm"):
        make_case("sunny", 1)
