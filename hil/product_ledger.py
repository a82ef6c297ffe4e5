"""The bench's own book of products, held against what the ground has.

Fed with the node's events as they are raised; the node's word is one side, the archive the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import EVENT_BY_NAME
from flight.wire.product_packet import value_after

if TYPE_CHECKING:
    from flight.telemetry.event_log import Event
    from hil.ground.archive import Archive

_CREATED = EVENT_BY_NAME["PRODUCT_CREATED"].event_id
_DELIVERED = EVENT_BY_NAME["PRODUCT_DELIVERED"].event_id


@dataclass(frozen=True, slots=True)
class Booked:
    """One product as the node announced it."""

    value_millis: int
    size_bytes: int


class ProductLedger:
    """Counts what was made, and finds what the node believes delivered and the ground lacks."""

    def __init__(self) -> None:
        self._made: dict[int, Booked] = {}
        self._freed: dict[int, None] = {}

    def on_event(self, event: Event) -> None:
        """Takes note of creations and deliveries."""
        if event.event_id == _CREATED:
            args = event.args
            value_millis = round(float(args["value"]) * 1000)
            self._made[int(args["product"])] = Booked(value_millis, int(args["size"]))
        elif event.event_id == _DELIVERED:
            self._freed[int(event.args["product"])] = None

    @property
    def products(self) -> int:
        """Products that became durable on board."""
        return len(self._made)

    @property
    def size_bytes(self) -> int:
        """Their bytes."""
        return sum(booked.size_bytes for booked in self._made.values())

    @property
    def value_millis(self) -> int:
        """Their value, in thousandths of a value unit."""
        return sum(booked.value_millis for booked in self._made.values())

    def delivered_value_millis(self, archive: Archive, half_life_ns: int | None = None) -> int:
        """Value of what the ground has, as it was when it came."""
        return sum(
            value_after(booked.value_millis, archive.age_ns(product_id), half_life_ns)
            for product_id, booked in self._made.items()
            if archive.digest(product_id) is not None
        )

    def freed_but_missing(self, archive: Archive) -> int:
        """Products the node freed as delivered and the ground does not have: must be none."""
        return sum(1 for product_id in self._freed if archive.digest(product_id) is None)
