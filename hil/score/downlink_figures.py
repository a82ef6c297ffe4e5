"""What a ledger delivered, and what the rest was lost to.

Works from the case and the ledger alone, so that it can be held against any other judge of both.
Value counts when the last needed byte is on the ground by the deadline, and before a successor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hil.score.downlink_case import Case

NEVER = np.int64(1 << 62)


class Delivery(msgspec.Struct, frozen=True):
    """Per product, arrays of the case's length.

    Attributes:
        done_ns: when the ground held all of it; `NEVER` if it did not.
        received: different bytes on the ground, as segments of a plain ledger never overlap.
        sent: different bytes that went out, arrived or not.
    """

    done_ns: NDArray[np.int64]
    received: NDArray[np.int64]
    sent: NDArray[np.int64]


class Figures(msgspec.Struct, frozen=True):
    """One flight in numbers; values in units, bytes in bytes.

    Attributes:
        value_on_time, value_offered: of all products.
        bytes_useful: sizes of products delivered whole before a successor existed.
        frames, frames_good: sent, arrived.
        payload_lost_to_headers: octets of good frames that were no product bytes.
        repeated_bytes: received although held.
        unfinished_bytes: received of products that never became whole.
        late_value: of products delivered whole after the deadline.
        unfinished_value: of products of which some bytes arrived, not all.
        unsent_value: of products of which nothing was sent in time.
        idle_good_slots: good slots in which nothing was sent.
    """

    value_on_time: float
    value_offered: float
    bytes_useful: int
    frames: int
    frames_good: int
    payload_lost_to_headers: int
    repeated_bytes: int
    unfinished_bytes: int
    late_value: float
    unfinished_value: float
    unsent_value: float
    idle_good_slots: int


def deliveries(case: Case, ledger: Mapping[str, NDArray[Any]]) -> Delivery:
    """When each product became whole on the ground, by the case's own channel."""
    frame_slot = case.starts[ledger["frame_pass"]] + ledger["frame_slot"]
    slot = np.repeat(frame_slot, ledger["frame_nseg"])
    good = case.good[slot]
    pid, offset = ledger["seg_pid"][good], ledger["seg_off"][good]
    length, when = ledger["seg_len"][good], slot[good]
    received, latest = _union(case, pid, offset, length, when)
    arrives = case.slot_time_ns[np.maximum(latest, 0)] + case.head.slot_ns + case.head.down_ns
    whole = received == case.arrays["size"]
    everything = (ledger["seg_pid"], ledger["seg_off"], ledger["seg_len"])
    sent, _ = _union(case, *everything, slot)
    return Delivery(np.where(whole, arrives, NEVER), received, sent)


def _union(
    case: Case,
    pid: NDArray[np.int64],
    offset: NDArray[np.int64],
    length: NDArray[np.int64],
    when: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per product: different bytes, and the slot of the last piece that brought new ones.

    Of overlapping pieces of unequal start the one behind counts for what the one before leaves.
    """
    count = len(case.arrays["size"])
    order = np.lexsort((when, offset, pid))
    pid, offset, length, when = pid[order], offset[order], length[order], when[order]
    base = np.concatenate(([0], np.cumsum(case.arrays["size"]))).astype(np.int64)
    start = base[pid] + offset
    end = start + length
    reached = np.maximum.accumulate(end) if len(end) else end
    before = np.concatenate(([0], reached[:-1])) if len(end) else reached
    fresh = np.maximum(end - np.maximum(start, before), 0)
    latest = np.full(count, -1, np.int64)
    np.maximum.at(latest, pid[fresh > 0], when[fresh > 0])
    return np.bincount(pid, fresh, count).astype(np.int64), latest


def effective_deadlines(case: Case) -> NDArray[np.int64]:
    """The earlier of the deadline and the successor's creation."""
    own = np.where(case.arrays["deadline_ns"] < 0, NEVER, case.arrays["deadline_ns"])
    return np.minimum(own, case.vanishes_ns)


def figures(case: Case, ledger: Mapping[str, NDArray[Any]]) -> Figures:
    """The flight in numbers."""
    delivery = deliveries(case, ledger)
    value, size = case.arrays["value"] / 1_000, case.arrays["size"]
    due = effective_deadlines(case)
    whole = delivery.done_ns < NEVER
    on_time = whole & (delivery.done_ns <= due)
    late, partly = whole & ~on_time, ~whole & (delivery.received > 0)
    frame_slot = case.starts[ledger["frame_pass"]] + ledger["frame_slot"]
    good = case.good[frame_slot]
    segment_good = np.repeat(good, ledger["frame_nseg"])
    carried = int(ledger["seg_len"][segment_good].sum())
    used = np.zeros(len(case.good), np.bool_)
    used[frame_slot] = True
    return Figures(
        value_on_time=float(value[on_time].sum()),
        value_offered=float(value.sum()),
        bytes_useful=int(size[whole & (delivery.done_ns <= case.vanishes_ns)].sum()),
        frames=len(frame_slot),
        frames_good=int(good.sum()),
        payload_lost_to_headers=int(case.capacity[frame_slot][good].sum()) - carried,
        repeated_bytes=carried - int(delivery.received.sum()),
        unfinished_bytes=int(delivery.received[~whole].sum()),
        late_value=float(value[late].sum()),
        unfinished_value=float(value[partly].sum()),
        unsent_value=float(value[~whole & ~partly].sum()),
        idle_good_slots=int((case.good & case.usable & ~used).sum()),
    )
