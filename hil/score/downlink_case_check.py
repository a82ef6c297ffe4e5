"""What makes a downlink case one that can be flown: each thing wrong with it, in the case's words.

A case may come from anywhere, and its digest only says that it is whole. So every number is looked
at before the stack sees it: types, lengths, ranges, and the orders that the format implies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from flight.downlink.frame_filler import SEGMENT_OVERHEAD_BYTES
from flight.downlink.pass_plan import CONTACTS_MAX
from flight.wire.product_packet import SIZE_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

TIME_NS_MAX = 1 << 60
"""36 years: sums of a few such times stay within 64 bits."""
SLOTS_MAX = 1 << 26
"""A day of contact without a pause, at 1.3 ms a slot."""
PRODUCTS_MAX = 1 << 20
TOTAL_BYTES_MAX = 1 << 50
REPORT_BYTES_LEAST = 64
REBOOTS_MAX = 1 << 10

INTEGERS = {
    "frame_bytes": (1, 1 << 30),
    "payload_bytes": (SEGMENT_OVERHEAD_BYTES + 1, 1 << 30),
    "segment_header_bytes": (0, SEGMENT_OVERHEAD_BYTES),
    "slot_ns": (1_000, 1_000_000_000),
    "down_ns": (0, TIME_NS_MAX),
    "up_ns": (0, TIME_NS_MAX),
    "report_period_slots": (1, SLOTS_MAX),
    "report_max_bytes": (REPORT_BYTES_LEAST, 1 << 20),
    "boot_ns": (0, TIME_NS_MAX),
}
"""Constants of the header and their ranges; the stack takes its own overhead for each segment."""

Group = Literal["pass", "mask", "rate", "product", "report", "reboot"]
COUNT_MAX: dict[Group, int] = {
    "pass": CONTACTS_MAX,
    "product": PRODUCTS_MAX,
    "reboot": REBOOTS_MAX,
}
"""The rest is bounded by the slots, and by the octets of the file."""


class _Rule(NamedTuple):
    """Arrays of one group are equally long; every number is within the range."""

    group: Group
    least: int
    most: int


_TIME = (-TIME_NS_MAX, TIME_NS_MAX)
ARRAYS = {
    "pass_t0_ns": _Rule("pass", *_TIME),
    "pass_slots": _Rule("pass", 1, SLOTS_MAX),
    "good": _Rule("mask", 0, 255),
    "lock": _Rule("mask", 0, 255),
    "uplink": _Rule("mask", 0, 255),
    "rate_slot": _Rule("rate", 0, SLOTS_MAX),
    "rate_exp": _Rule("rate", 0, 30),
    "created_ns": _Rule("product", *_TIME),
    "size": _Rule("product", 1, SIZE_BYTES_MAX),
    "value": _Rule("product", 0, 1 << 42),
    "deadline_ns": _Rule("product", -1, 1 << 62),
    "cls": _Rule("product", 0, 3),
    "supersedes": _Rule("product", -1, PRODUCTS_MAX),
    "rep_emit_ns": _Rule("report", *_TIME),
    "rep_arrive_ns": _Rule("report", -1, TIME_NS_MAX),
    "reboot_ns": _Rule("reboot", *_TIME),
}
"""Arrays of the format; there may be others."""

Wrong = tuple[str, str]
"""Where, and what would be allowed there."""


def wrong_with_head(head: Mapping[str, Any]) -> Iterator[Wrong]:
    """Each constant that is missing, no whole number, or out of its range."""
    for name, (least, most) in INTEGERS.items():
        value = head.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            yield name, f"allowed is a whole number, {least} to {most}"


def wrong_with_arrays(
    arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]
) -> Iterator[Wrong]:
    """Each thing wrong with the arrays of a case whose header is good.

    What comes later may be looked at only when nothing came before it.
    """
    yield from _wrong_numbers(arrays)
    yield from _wrong_contacts(arrays, head)
    yield from _wrong_masks(arrays)
    yield from _wrong_products(arrays)
    arrive, emit = arrays["rep_arrive_ns"], arrays["rep_emit_ns"]
    if np.any((arrive >= 0) & (arrive < emit)):
        yield "rep_arrive_ns", "allowed is -1, or no earlier than rep_emit_ns"


def as_computed(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Good arrays with every number of one type: mixed signs would make fractions of times."""
    return {
        name: arrays[name] if rule.group == "mask" else arrays[name].astype(np.int64)
        for name, rule in ARRAYS.items()
    }


def _wrong_numbers(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Wrong]:
    lengths: dict[str, int] = {}
    for name, rule in ARRAYS.items():
        array = arrays[name]
        if array.ndim != 1 or array.dtype.kind not in "iu":
            yield name, "allowed are whole numbers in one row"
            continue
        if rule.group == "mask" and array.dtype != np.uint8:
            yield name, "allowed are octets of eight slots each"
        if rule.group != "mask" and lengths.setdefault(rule.group, len(array)) != len(array):
            yield name, f"needs {lengths[rule.group]} numbers, has {len(array)}"
        if len(array) > COUNT_MAX.get(rule.group, len(array)):
            yield name, f"allowed are {COUNT_MAX[rule.group]} of them"
        if len(array) and not rule.least <= int(array.min()) <= int(array.max()) <= rule.most:
            yield name, f"allowed is {rule.least} to {rule.most}"


def _wrong_contacts(arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]) -> Iterator[Wrong]:
    starts, slots = arrays["pass_t0_ns"].astype(np.int64), arrays["pass_slots"].astype(np.int64)
    count = int(slots.sum())
    if not count:
        yield "pass_slots", f"allowed are 1 to {CONTACTS_MAX} contacts"
    if count > SLOTS_MAX:
        yield "pass_slots", f"allowed are {SLOTS_MAX} in all"
    if np.any(starts[1:] < (starts + slots * head["slot_ns"])[:-1]):
        yield "pass_t0_ns", "allowed are contacts one after the other"
    steps = arrays["rate_slot"].astype(np.int64)
    if steps[:1].tolist() != [0] or np.any(np.diff(steps) <= 0) or np.any(steps[1:] >= count):
        yield "rate_slot", f"allowed is 0, then ever later ones below {count}"
    least = head["payload_bytes"] >> int(arrays["rate_exp"].max(initial=0))
    if least <= head["segment_header_bytes"]:
        yield "rate_exp", f"leaves {least} B, not more than segment_header_bytes"


def _wrong_masks(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Wrong]:
    count = int(arrays["pass_slots"].sum())
    for name in ("good", "lock", "uplink"):
        if len(arrays[name]) < (count + 7) // 8:
            yield name, f"needs {(count + 7) // 8} octets, has {len(arrays[name])}"
            return
    masks = (np.unpackbits(arrays[x], count=count, bitorder="little") for x in ("good", "lock"))
    good, lock = masks
    if np.any(good > lock):
        yield "good", "allowed are slots in lock"


def _wrong_products(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Wrong]:
    count = len(arrays["size"])
    if int(arrays["size"].astype(np.int64).sum()) > TOTAL_BYTES_MAX:
        yield "size", f"allowed are {TOTAL_BYTES_MAX} B in all"
    if np.any(arrays["supersedes"] >= count):
        yield "supersedes", f"allowed is -1, or a product: 0 to {count - 1}"
