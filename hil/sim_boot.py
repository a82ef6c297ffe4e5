"""The boot record of a simulated node: two slots in memory that outlive its power cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.boot_keeper import BootPorts, BootStart, Instant, begin
from flight.boot_record import SLOTS, encode, newest, slot_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.boot_record import BootRecord


class SimBoot:
    """What lies on the node's medium, over all its lives.

    Attributes:
        slots: the bytes of each, to look at or to damage.

    Args:
        reset: how the bench answers a node that wants to be started again.
    """

    def __init__(self, reset: Callable[[], None]) -> None:
        self.slots = [b""] * SLOTS
        self._reset = reset

    def write(self, record: BootRecord) -> None:
        """Durable at once: virtual time does not pass meanwhile."""
        self.slots[slot_of(record)] = encode(record)

    def start(self, *, now_ns: int, utc_s: float, power_ups: int) -> BootStart:
        """The start of one more life, in the power-up of that number."""
        found = newest(self.slots)
        now = Instant(mono_ns=now_ns, utc_ns=round(utc_s * 1e9), utc_trusted=True)
        power_up = power_ups.to_bytes(8, "little")
        record, resumed = begin(found, now, power_up=power_up, granted=True)
        self.write(record)
        ports = BootPorts(
            offer=self.write,
            finish=self.write,
            failed=lambda: 0,
            utc_trusted=lambda: True,
            reset=self._reset,
        )
        return BootStart(
            before=found.record,
            damaged=found.damaged,
            record=record,
            resumed=resumed,
            ports=ports,
        )
