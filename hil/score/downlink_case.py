"""A downlink case: what a sender may know, and the channel it must not know.

Reads the format `laser-downlink-case`, version 1: a folder with `case.json` (header) and `case.npz`
(arrays). Times are nanoseconds from the start of the case, sizes bytes, values thousandths.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight.config import ConfigError
from flight.inference.npz_members import NpzError, check_size, damage
from hil.score.downlink_case_check import (
    ARRAYS,
    INTEGERS,
    as_computed,
    wrong_with_arrays,
    wrong_with_head,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT, VERSION = "laser-downlink-case", 1
HEAD_BYTES_MAX = 1 << 20
ARRAYS_BYTES_MAX = 1 << 28
"""Unpacked; a day of contact without a pause needs half of it."""


class CaseHead(msgspec.Struct, frozen=True):
    """Constants of a case; see the names' units."""

    sha256: str
    frame_bytes: int
    payload_bytes: int
    segment_header_bytes: int
    slot_ns: int
    down_ns: int
    up_ns: int
    report_period_slots: int
    report_max_bytes: int
    boot_ns: int


class Case:
    """One case in memory; arrays by the names of the format.

    Attributes:
        lock, usable: per slot, flat over all passes; usable: in lock and the node is not down.
        good: the frame of this slot arrives. Only the harness's ground may look at it.
        capacity: octets a frame takes in each slot.
        starts: flat index of each pass's first slot, and the end.
    """

    def __init__(self, head: CaseHead, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.head, self.arrays = head, dict(arrays)
        slots = self.arrays["pass_slots"]
        self.starts = np.concatenate(([0], np.cumsum(slots))).astype(np.int64)
        count = int(self.starts[-1])
        self.good = _bits(self.arrays["good"], count)
        self.lock = _bits(self.arrays["lock"], count)
        of_pass = np.repeat(np.arange(len(slots)), slots)
        since = np.arange(count) - self.starts[of_pass]
        self.slot_time_ns = self.arrays["pass_t0_ns"][of_pass] + since * head.slot_ns
        steps = np.diff(np.append(self.arrays["rate_slot"], count))
        halvings = np.repeat(self.arrays["rate_exp"], steps).astype(np.int64)
        self.capacity = head.payload_bytes >> halvings
        self.usable = self.lock.copy()
        for reboot_ns in self.arrays["reboot_ns"]:
            down = self.slot_time_ns + head.slot_ns > reboot_ns
            self.usable &= ~(down & (self.slot_time_ns < reboot_ns + head.boot_ns))
        self.vanishes_ns = _vanishing(self.arrays)

    @property
    def passes(self) -> int:
        """Number of contacts."""
        return len(self.arrays["pass_slots"])


def load_case(folder: Path) -> Case:
    """The case in a folder.

    Raises:
        ConfigError: missing, unreadable, of another format, not what its digest says, or with
            numbers that no case can have.
    """
    try:
        head, arrays = _head(folder / "case.json"), _stored(folder / "case.npz")
    except (OSError, NpzError) as error:
        raise ConfigError(f"{folder}: no readable case ({error})") from None
    if not isinstance(head, dict) or (head.get("format"), head.get("version")) != (FORMAT, VERSION):
        raise ConfigError(f"{folder}/case.json: format: allowed is {FORMAT}, version {VERSION}")
    for name in ARRAYS:
        if name not in arrays:
            raise ConfigError(f"{folder}/case.npz: {name}: missing")
    for name, wrong in wrong_with_head(head):
        raise ConfigError(f"{folder}/case.json: {name}: {wrong}")
    if digest(arrays) != head.get("sha256"):
        raise ConfigError(f"{folder}/case.npz: does not match the digest in case.json")
    for name, wrong in wrong_with_arrays(arrays, head):
        raise ConfigError(f"{folder}/case.npz: {name}: {wrong}")
    constants = {name: head[name] for name in INTEGERS}
    return Case(CaseHead(head["sha256"], **constants), as_computed(arrays))


def _head(path: Path) -> Any:
    """The header as it stands there; NpzError for what is no JSON."""
    with path.open("rb") as file:
        text = file.read(HEAD_BYTES_MAX + 1)
    if len(text) > HEAD_BYTES_MAX:
        raise NpzError(f"case.json: more than {HEAD_BYTES_MAX} B")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NpzError(f"case.json: {error}") from None


def _stored(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of the file, for the digest covers all; NpzError for damage of any kind."""
    with path.open("rb") as file:
        try:
            check_size(file, ARRAYS_BYTES_MAX)
            with np.load(file, allow_pickle=False) as stored:
                return {name: np.asarray(stored[name]) for name in stored.files}
        except NpzError:
            raise
        except Exception as error:  # damaged bytes raise a dozen types out of zipfile and numpy
            raise NpzError(f"case.npz: {damage(error)}") from error


def digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over names, types, shapes and bytes of all arrays, as the format defines it."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name}|{array.dtype.str}|{array.shape}|".encode() + array.tobytes())
    return total.hexdigest()


def _bits(packed: NDArray[Any], count: int) -> NDArray[np.bool_]:
    return np.unpackbits(packed, count=count, bitorder="little").astype(np.bool_)


def _vanishing(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """When each product's successor exists; far in the future for most."""
    vanishes = np.full(len(arrays["size"]), 1 << 62, np.int64)
    newer = np.flatnonzero(arrays["supersedes"] >= 0)
    np.minimum.at(vanishes, arrays["supersedes"][newer], arrays["created_ns"][newer])
    return vanishes
