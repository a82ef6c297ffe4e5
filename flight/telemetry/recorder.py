"""The telemetry recorder: packets pile up into one compressed product of class TELEMETRY.

A product is closed when it is long or old enough; its payload is the plain sequence of space
packets under zlib (RFC 1950), so any tool that reads packets reads a recording.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from flight.wire.product_packet import Producer, ProductClass

if TYPE_CHECKING:
    from flight.downlink.product_intake import ProductIntake

CLOSE_BYTES = 256 * 1024
CLOSE_AFTER_NS = 600_000_000_000
VALUE_MILLIS = 500


class Recorder:
    """Collects packets; `step` closes a product when due."""

    def __init__(self, intake: ProductIntake) -> None:
        self._intake = intake
        self._buffer = bytearray()
        self._opened_ns: int | None = None

    def record(self, packet: bytes) -> None:
        """Adds one packet; bounded by `CLOSE_BYTES` plus one step's packets."""
        self._buffer += packet

    def step(self, now_ns: int) -> None:
        """Hands the recording on when it is long or old enough."""
        if not self._buffer:
            return
        if self._opened_ns is None:
            self._opened_ns = now_ns
        if len(self._buffer) >= CLOSE_BYTES or now_ns - self._opened_ns >= CLOSE_AFTER_NS:
            self.close(now_ns)

    def close(self, now_ns: int) -> None:
        """Hands on what there is, however little."""
        if not self._buffer:
            return
        if self._opened_ns is None:
            self._opened_ns = now_ns
        payload = zlib.compress(bytes(self._buffer), 6)
        name = f"telemetry-{self._opened_ns // 1_000_000_000:08d}s.tm.z"
        self._intake.submit(
            name=name,
            klass=ProductClass.TELEMETRY,
            producer=Producer.TELEMETRY,
            payload=payload,
            value_millis=VALUE_MILLIS,
            deadline_ns=None,
            now_ns=now_ns,
        )
        self._buffer.clear()
        self._opened_ns = None
