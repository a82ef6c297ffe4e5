"""Seeded downlink cases of the product's own: a day of contacts, and more products than it carries.

A family is a sky, a rhythm of contacts, a mix of products and a load (bytes offered over bytes the
good slots carry). Mixes: `graded`, small products are the dear ones; `heavy`, sizes over four
decades, deadlines of minutes to hours, and a class that says nothing about worth.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight.config import ConfigError
from hil.plant.optical_channel import ChannelConfig
from hil.score.downlink_case import Case, CaseHead, digest
from hil.score.downlink_channel import Masks, Sky, draw_contact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

SLOT_NS = 1_310_720
PAYLOAD_BYTES, SEGMENT_HEADER_BYTES = 32_704, 16
PERIOD_SLOTS = 20
BOOT_NS = 6_000_000_000
_S = 1_000_000_000
_FIRST_S = 5_000.0


class Family(msgspec.Struct, frozen=True):
    """See the module; `rtt_s` is halved between down and up."""

    sky: Sky
    mix: str = "heavy"
    load: float = 1.5
    contacts: int = 8
    spacing_s: float = 5_700.0
    rtt_s: float = 0.02
    reboots: int = 0


def _channel(**fields: float) -> ChannelConfig:
    return ChannelConfig(**({"scintillation_index_zenith": 0.02} | fields))


FAMILIES: dict[str, Family] = {
    "calm": Family(Sky(elevation_deg=(65.0, 85.0)), mix="graded", load=1.0),
    "low": Family(Sky(elevation_deg=(25.0, 32.0))),
    "stormy": Family(Sky(_channel(scintillation_index_zenith=0.12, margin_db=9.0), (50.0, 70.0))),
    "shaking": Family(Sky(_channel(jitter_urad=6.0), (50.0, 70.0)), mix="graded", load=1.0),
    "clouds": Family(Sky(cloudy=0.3, cloud_s=20.0)),
    "overcast": Family(Sky(cloudy=0.4, cloud_s=90.0), load=1.0),
    "deaf": Family(Sky(reports_lost=0.9)),
    "flooded": Family(Sky(cloudy=0.15, cloud_s=30.0), load=3.0),
    "short": Family(
        Sky(cloudy=0.1, duration_s=(70.0, 110.0), elevation_deg=(25.0, 45.0)),
        contacts=24,
        spacing_s=2_850.0,
    ),
    "relay": Family(
        Sky(
            _channel(scintillation_index_zenith=0.0, margin_db=8.0, jitter_urad=5.0),
            None,
            (100.0, 400.0),
            acquisition_s=12.0,
        ),
        contacts=10,
        spacing_s=400.0,
        rtt_s=0.12,
    ),
    "resets": Family(Sky(cloudy=0.1), mix="graded", reboots=6),
}


def make_case(name: str, seed: int, load: float | None = None) -> Case:
    """The case of a family and a seed; the same arguments give the same case.

    Raises:
        ConfigError: no such family.
    """
    family = FAMILIES.get(name)
    if family is None:
        raise ConfigError(f"--family: {name!r}: allowed is {', '.join(FAMILIES)}")
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    root = np.random.SeedSequence([seed, number])
    of_plan, of_products, *of_contacts = root.spawn(family.contacts + 2)
    rng = np.random.Generator(np.random.PCG64(of_plan))
    starts, slots, at_s = [], [], _FIRST_S
    for _ in range(family.contacts):
        length_s = rng.uniform(*family.sky.duration_s)
        starts.append(int(at_s * 1e3) * 1_000_000)
        slots.append(int(length_s * _S) // SLOT_NS)
        at_s += max(family.spacing_s, length_s) + rng.uniform(0.0, 60.0)
    masks = [
        draw_contact(family.sky, count, SLOT_NS, seeds)
        for count, seeds in zip(slots, of_contacts, strict=True)
    ]
    good_slots = sum(int(mask.good.sum()) for mask in masks)
    offered = (load or family.load) * good_slots * (PAYLOAD_BYTES - SEGMENT_HEADER_BYTES)
    windows = [
        (start / _S, start / _S + 0.9 * count * SLOT_NS / _S)
        for start, count in zip(starts, slots, strict=True)
    ]
    arrays = _line_arrays(family, starts, slots, masks, rng)
    arrays |= _products(np.random.Generator(np.random.PCG64(of_products)), family, offered, windows)
    return Case(_head(family, arrays), arrays)


def _head(family: Family, arrays: dict[str, NDArray[Any]]) -> CaseHead:
    return CaseHead(
        sha256=digest(arrays),
        frame_bytes=32_768,
        payload_bytes=PAYLOAD_BYTES,
        segment_header_bytes=SEGMENT_HEADER_BYTES,
        slot_ns=SLOT_NS,
        down_ns=int(family.rtt_s * _S) // 2,
        up_ns=int(family.rtt_s * _S) // 2,
        report_period_slots=PERIOD_SLOTS,
        report_max_bytes=1_024,
        boot_ns=BOOT_NS,
    )


def _line_arrays(
    family: Family,
    starts: list[int],
    slots: list[int],
    masks: list[Masks],
    rng: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    """Everything about contacts, channel, reports and resets."""
    emit, arrive = [], []
    for start, mask in zip(starts, masks, strict=True):
        at = np.arange(0, len(mask.lock), PERIOD_SLOTS)
        at = at[mask.lock[at]]
        emitted = start + at * SLOT_NS
        emit.append(emitted)
        arrive.append(np.where(mask.uplink[at], emitted + int(family.rtt_s * _S) // 2, -1))
    reboots = []
    for _ in range(family.reboots):
        index = int(rng.integers(family.contacts))
        reboots.append(starts[index] + int(rng.uniform(0.1, 0.9) * slots[index]) * SLOT_NS)
    return {
        "pass_t0_ns": np.array(starts, np.int64),
        "pass_slots": np.array(slots, np.int64),
        "good": _packed([mask.good for mask in masks]),
        "lock": _packed([mask.lock for mask in masks]),
        "uplink": _packed([mask.uplink for mask in masks]),
        "rate_slot": np.zeros(1, np.int64),
        "rate_exp": np.zeros(1, np.uint8),
        "rep_emit_ns": np.concatenate(emit).astype(np.int64),
        "rep_arrive_ns": np.concatenate(arrive).astype(np.int64),
        "reboot_ns": np.array(sorted(reboots), np.int64),
    }


def _packed(masks: list[NDArray[np.bool_]]) -> NDArray[np.uint8]:
    return np.packbits(np.concatenate(masks), bitorder="little")


def _nanoseconds(seconds: Iterable[float]) -> NDArray[np.int64]:
    """Whole microseconds, so that a case holds no fraction."""
    return np.array([int(each * 1e6) * 1_000 for each in seconds], np.int64)


def _products(
    rng: np.random.Generator,
    family: Family,
    offered_bytes: float,
    windows: list[tuple[float, float]],
) -> dict[str, NDArray[Any]]:
    """Products until their bytes reach the load; two alarms of 20 s in every contact."""
    span_s = windows[-1][1]
    rows = []
    for first_s, last_s in windows:
        for _ in range(2):
            created_s = rng.uniform(first_s, last_s)
            rows.append((created_s, int(rng.uniform(4e4, 2e5)), 60.0, created_s + 20.0, 0))
    total = sum(row[1] for row in rows)
    while total < offered_bytes:
        draw = _graded if family.mix == "graded" else _heavy
        size, value, patience_s, klass = draw(rng)
        created_s = rng.uniform(0.0, 0.9 * span_s)
        if rng.random() < 0.15:
            created_s = rng.uniform(*windows[int(rng.integers(len(windows)))])
        due_s = created_s + patience_s * span_s / 45_600.0 if patience_s else -1.0
        rows.append((created_s, max(1_000, int(size)), value, due_s, klass))
        total += rows[-1][1]
    rows.sort()
    created, sizes, values, due, klasses = zip(*rows, strict=True)
    deadlines = _nanoseconds(due)
    supersedes = np.full(len(rows), -1, np.int64)
    tiles = [index for index, klass in enumerate(klasses) if klass == 2]
    for older, newer in itertools.pairwise(tiles):
        if rng.random() < 0.05:
            supersedes[newer] = older
    return {
        "created_ns": _nanoseconds(created),
        "size": np.array(sizes, np.int64),
        "value": np.array([max(1, round(each * 1_000)) for each in values], np.int64),
        "deadline_ns": np.where(deadlines < 0, -1, deadlines),
        "cls": np.array(klasses, np.uint8),
        "supersedes": supersedes,
    }


def _graded(rng: np.random.Generator) -> tuple[float, float, float, int]:
    """(bytes, value, seconds of patience or 0, class): the smaller the dearer."""
    klass = int(rng.choice(4, p=[0.35, 0.35, 0.2, 0.1]))
    size = (5e4, 4e6, 3e7, 3e8)[klass] * rng.lognormal(0.0, 0.7)
    value = (50.0, 20.0, 15.0, 10.0)[klass] * rng.lognormal(0.0, 0.7)
    patience_s = (7e3, 15e3, 30e3, 90e3)[klass] * rng.uniform(0.7, 1.5)
    return size, value, 0.0 if klass == 3 and rng.random() < 0.3 else patience_s, klass


def _heavy(rng: np.random.Generator) -> tuple[float, float, float, int]:
    klass = int(rng.choice(4, p=[0.35, 0.35, 0.2, 0.1]))
    units = min(30_000.0, rng.lognormal(np.log(60.0), 1.6))
    value = units ** rng.choice([0.3, 0.7, 1.0, 1.0]) * rng.lognormal(0.0, 0.8)
    patience_s = float(rng.choice([2e3, 6.5e3, 12.5e3, 30e3], p=[0.2, 0.35, 0.3, 0.15]))
    return 0.2e6 * units, value, patience_s, klass
