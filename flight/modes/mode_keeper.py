"""The mode with what was wanted of it, and what of both outlives a reset.

Hop: "sensor to actuator", decided: mode. A reset is no way out of SAFE: a node that was in SAFE
begins in SAFE, and only a command leads on. What the ground has said (idle or compute, inference
or none) holds over a reset as well. A critical service that was given up ends the process; the
next one begins in SAFE, with the link alive and the name of what was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import msgspec

from flight.modes.mode_table import ModeInputs, ModeMachine
from flight.telemetry.definitions import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.cycle_telemetry import CycleTelemetry
    from flight.fdir.health_watch import DriftWatch
    from flight.modes.target_keeper import Seen
    from flight.node_status import Wishes

MEMORY: Final = "mode.kept"
"""The name in the store."""
_NOMINAL: Final = (Mode.IDLE, Mode.COMPUTE)


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What a reset must not forget.

    Attributes:
        safe: why the node is in SAFE; "" when it is not.
        wanted: outside of a contact, IDLE or COMPUTE.
        inference: the ground lets the payload run.
    """

    safe: str = ""
    wanted: Mode = Mode.COMPUTE
    inference: bool = True


def encode_kept(kept: Kept) -> bytes:
    """For the store."""
    return msgspec.msgpack.encode(kept)


def decode_kept(blob: bytes | None) -> Kept:
    """What `encode_kept` wrote; a node without a memory, or with a damaged one, begins anew."""
    if blob is None:
        return Kept()
    try:
        kept = msgspec.msgpack.decode(blob, type=Kept)
    except msgspec.DecodeError:
        return Kept()
    return kept if kept.wanted in _NOMINAL else msgspec.structs.replace(kept, wanted=Mode.COMPUTE)


@final
class ModeKeeper:
    """Asks the table once a cycle, has the targets follow, and remembers.

    Args:
        machine, targets: of the mode; what a change means for every part.
        telemetry: told every change, and every wish that is refused.
        kept: from before the reset.
        keep: makes it durable; it tells of a failure itself.
    """

    def __init__(
        self,
        machine: ModeMachine,
        targets: DriftWatch,
        telemetry: CycleTelemetry,
        kept: Kept,
        keep: Callable[[Kept, int], None],
    ) -> None:
        self._machine = machine
        self._targets = targets
        self._telemetry = telemetry
        self._before = self.kept = kept
        self._keep = keep

    @property
    def wanted(self) -> Mode:
        """IDLE or COMPUTE, as the ground said last."""
        return self.kept.wanted

    def lost(self, service: str, now_ns: int) -> None:
        """A critical service was given up: whatever comes next begins in SAFE."""
        self._remember(msgspec.structs.replace(self.kept, safe=f"{service} was given up"), now_ns)

    def step(  # noqa: PLR0913  what the table looks at, each named
        self,
        wishes: Wishes,
        danger: str,
        seen: Seen,
        *,
        battery_low: bool,
        contact: bool,
        checks_done: bool,
        now_ns: int,
    ) -> Mode:
        """The mode of this cycle."""
        machine, kept = self._machine, self.kept
        wanted = kept.wanted
        if wishes.mode in _NOMINAL:
            if machine.mode is Mode.SAFE and danger:
                self._telemetry.mode_refused(wishes.mode, machine.mode, danger, now_ns)
            else:
                wanted = wishes.mode
        change = machine.step(
            ModeInputs(
                checks_done=checks_done,
                boot_failed=wishes.boot_failed,
                danger=danger,
                kept_safe=self._before.safe,
                battery_low=battery_low,
                contact_active=contact,
                wanted=wanted,
                command=wishes.mode,
            ),
            now_ns,
        )
        safe = kept.safe
        if change is not None:
            self._telemetry.mode_changed(change, now_ns)
            self._targets.enter(change.new, seen, now_ns)
            safe = (safe or change.cause) if change.new is Mode.SAFE else ""
        if (safe, wanted, wishes.inference_enabled) != (kept.safe, kept.wanted, kept.inference):
            self._remember(Kept(safe, wanted, wishes.inference_enabled), now_ns)
        return machine.mode

    def _remember(self, kept: Kept, now_ns: int) -> None:
        self.kept = kept
        self._keep(kept, now_ns)
