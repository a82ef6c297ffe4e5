"""The ledger of a scored flight: which frame carried what, and what became of each product.

Format version 1 of the downlink ledger; the arrays are flat, segments in the order of frames.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from flight.downlink.product import Segment
    from hil.score.downlink_case import Case

VERSION = 1


class LedgerWriter:
    """Records a flight."""

    def __init__(self) -> None:
        self._passes, self._slots, self._segments = array("i"), array("i"), array("i")
        self._pids, self._offsets, self._lengths = array("i"), array("q"), array("i")
        self._acked: dict[int, int] = {}
        self._dropped: dict[int, int] = {}

    def frame(self, contact: int, slot: int, segments: Sequence[Segment]) -> None:
        """A frame went out in this slot."""
        self._passes.append(contact)
        self._slots.append(slot)
        self._segments.append(len(segments))
        for segment in segments:
            self._pids.append(segment.product_id)
            self._offsets.append(segment.offset)
            self._lengths.append(segment.length)

    def acknowledged(self, product_id: int, at_ns: int) -> None:
        """The stack regards this product as complete on the ground."""
        self._acked.setdefault(product_id, at_ns)
        self._dropped.pop(product_id, None)

    def dropped(self, product_id: int, at_ns: int) -> None:
        """The stack has given this product up."""
        if product_id not in self._acked:
            self._dropped.setdefault(product_id, at_ns)

    def arrays(self, case: Case) -> dict[str, NDArray[Any]]:
        """The ledger, ready to be stored."""
        acked, dropped, count = self._acked, self._dropped, len(case.arrays["size"])
        pending = [each for each in range(count) if each not in acked and each not in dropped]
        numbers = {
            "frame_pass": self._passes,
            "frame_slot": self._slots,
            "frame_nseg": self._segments,
            "seg_pid": self._pids,
            "seg_off": self._offsets,
            "seg_len": self._lengths,
        }
        found: dict[str, NDArray[Any]] = {
            name: np.array(numbers[name], dtype=np.int64) for name in numbers
        }
        found |= {
            "ack_pid": np.array(list(acked), np.int64),
            "ack_ns": np.array(list(acked.values()), np.int64),
            "dropped_pid": np.array(list(dropped), np.int64),
            "dropped_ns": np.array(list(dropped.values()), np.int64),
            "pending_pid": np.array(pending, np.int64),
            "version": np.array(VERSION, np.int64),
            "case_sha256": np.array(case.head.sha256),
        }
        return found
