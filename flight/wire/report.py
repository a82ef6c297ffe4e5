"""The ARQ report: what the ground holds of one downlink channel, cumulative and bounded.

Goes up as the data of an APID 0x060 packet. A report is complete knowledge about the frames
`floor..horizon` of one virtual channel: a frame in there that no range names has not arrived.
About frames below `floor` it says nothing at all (that is how a report too short for the whole
history stays truthful), and about frames above `horizon` neither.

    version 1 | vcid 1 | epoch | seq | horizon | floor gap | n | n x (gap, length) | m | m x id

All but the first two octets are varints. Ranges run from new to old: `gap` counts the missing
frames between a range and the one above it (for the first: between it and the horizon), `length`
is at least 1. Identities of products held complete and verified follow, newest first, each as a
signed step from the one before. The design is report-driven selective repeat: cumulative reports
with a horizon: losing a report costs only time.
"""

from __future__ import annotations

import msgspec

from flight.wire import varint
from flight.wire.errors import WireError, WireReason

VERSION = 1
REPORT_BYTES_MAX = 1_024
RANGES_MAX = REPORT_BYTES_MAX // 2
COMPLETED_MAX = REPORT_BYTES_MAX
_FRAME_MAX = (1 << 48) - 1  # VC frame count of six octets, CCSDS 732.1-B-2 section 4.1.2.11
_HEADER_BYTES_MAX = 2 + 4 * varint.VARINT_BYTES_MAX + 2 * 2


class Report(msgspec.Struct, frozen=True, gc=False):
    """What one report says; frame ranges are inclusive pairs (lowest, highest), newest first.

    Attributes:
        epoch: session of the ground receiver. Grows whenever the ground may have forgotten frames.
        seq: counts reports within the epoch.
        vcid: the virtual channel spoken of, 0..63.
        horizon: the highest frame number spoken of.
        floor: the lowest frame number spoken of.
        ranges: frames held, all within floor..horizon.
        completed: products rebuilt and verified end to end, newest first.
    """

    epoch: int
    seq: int
    vcid: int
    horizon: int
    floor: int
    ranges: tuple[tuple[int, int], ...]
    completed: tuple[int, ...] = ()


def range_bytes(above: int, low: int, high: int) -> int:
    """Octets the range low..high takes below a range whose lowest frame is `above`."""
    return _width(above - 1 - high) + _width(high - low + 1)


def completed_bytes(previous: int, product_id: int) -> int:
    """Octets an identity takes behind `previous` (0 before the first one)."""
    return _width(_step(previous, product_id))


def header_bytes_max() -> int:
    """Octets that everything but ranges and identities takes at most."""
    return _HEADER_BYTES_MAX


def _step(previous: int, product_id: int) -> int:
    step = (product_id - previous) & varint.U64_MAX
    return varint.zigzag(step - (1 << 64) if step >> 63 else step)


def _width(value: int) -> int:
    return (max(value, 1).bit_length() + 6) // 7


def encode(report: Report) -> bytes:
    """The report as bytes.

    Raises:
        WireError: TOO_LONG above `REPORT_BYTES_MAX`, BAD_VALUE when ranges are not newest first,
            disjoint and inside floor..horizon, or a number is out of range.
    """
    if not (0 <= report.vcid < 64 and 0 <= report.floor <= report.horizon <= _FRAME_MAX):
        raise WireError(WireReason.BAD_VALUE, "channel, floor or horizon")
    out = bytearray((VERSION, report.vcid))
    for value in (report.epoch, report.seq, report.horizon, report.horizon - report.floor):
        varint.put(out, value)
    varint.put(out, len(report.ranges))
    above = report.horizon + 1
    for low, high in report.ranges:
        if not report.floor <= low <= high < above - bool(above <= report.horizon):
            raise WireError(WireReason.BAD_VALUE, f"range {low}..{high} under {above}")
        varint.put(out, above - 1 - high)
        varint.put(out, high - low + 1)
        above = low
    varint.put(out, len(report.completed))
    previous = 0
    for product_id in report.completed:
        varint.put(out, _step(previous, product_id))
        previous = product_id
    if len(out) > REPORT_BYTES_MAX:
        raise WireError(WireReason.TOO_LONG, f"report of {len(out)} octets")
    return bytes(out)


def decode(buf: bytes) -> Report:
    """Bytes from the channel as a report.

    Raises:
        WireError: for whatever is not exactly one report; nothing else is ever raised.
    """
    if len(buf) > REPORT_BYTES_MAX:
        raise WireError(WireReason.TOO_LONG, f"report of {len(buf)} octets")
    if len(buf) < 2:
        raise WireError(WireReason.TRUNCATED, "report without a header")
    if buf[0] != VERSION:
        raise WireError(WireReason.BAD_VERSION, f"report version {buf[0]}")
    if buf[1] > 63:
        raise WireError(WireReason.BAD_VALUE, f"virtual channel {buf[1]}")
    epoch, at = varint.take(buf, 2)
    seq, at = varint.take(buf, at)
    horizon, at = varint.take(buf, at)
    depth, at = varint.take(buf, at)
    if horizon > _FRAME_MAX or depth > horizon:
        raise WireError(WireReason.BAD_VALUE, f"horizon {horizon}, depth {depth}")
    ranges, at = _take_ranges(buf, at, floor=horizon - depth, horizon=horizon)
    completed, at = _take_completed(buf, at)
    if at != len(buf):
        raise WireError(WireReason.TRAILING, f"{len(buf) - at} octets behind a report")
    return Report(epoch, seq, buf[1], horizon, horizon - depth, ranges, completed)


def _take_ranges(
    buf: bytes, at: int, *, floor: int, horizon: int
) -> tuple[tuple[tuple[int, int], ...], int]:
    count, at = varint.take(buf, at)
    if count > RANGES_MAX:
        raise WireError(WireReason.TOO_LONG, f"{count} ranges")
    ranges: list[tuple[int, int]] = []
    above = horizon + 1
    for _ in range(count):
        gap, at = varint.take(buf, at)
        length, at = varint.take(buf, at)
        high = above - 1 - gap
        low = high - length + 1
        if length == 0 or low < floor or (gap == 0 and ranges):
            raise WireError(WireReason.BAD_VALUE, f"range {low}..{high}")
        ranges.append((low, high))
        above = low
    return tuple(ranges), at


def _take_completed(buf: bytes, at: int) -> tuple[tuple[int, ...], int]:
    count, at = varint.take(buf, at)
    if count > COMPLETED_MAX:
        raise WireError(WireReason.TOO_LONG, f"{count} identities")
    completed: list[int] = []
    previous = 0
    for _ in range(count):
        step, at = varint.take(buf, at)
        previous = (previous + varint.unzigzag(step)) & varint.U64_MAX
        completed.append(previous)
    return tuple(completed), at
