"""Brings every part to what the mode asks of it, one confirmed step after the other, and keeps it.

Hop: "sensor to actuator", between the mode table and the actuators. Pure: it is shown what reads
back, and says what is allowed, what has been reached and what drifts. A part drifts when it is not
as it should be for longer than its time: that of its step on the way into a mode, `DRIFT_AFTER_NS`
once it has been confirmed there. What cannot be read for a while neither drifts nor comes back; a
part that has never been read back has nothing to confirm.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, final

from flight.modes.mode_table import SEQUENCES, TARGETS, Need, Part
from flight.telemetry.definitions import Mode

if TYPE_CHECKING:
    from flight.modes.mode_table import Step

DRIFT_AFTER_NS: Final = 10_000_000_000
"""Out of its target for so long is a drift: whatever differs is told again each second before."""
DRIFT_OVER_NS: Final = 5_000_000_000
"""Back for so long ends it."""


class Seen(NamedTuple):
    """What reads back, and what was told before it was read; None for what could not be read.

    Attributes:
        payload_level, laser_on, heater_on: read back.
        beam_lit: by what the terminal draws.
        told_level, told_heater: in force when it was read; None where the board takes no orders.
        may_lase: an authorised contact is under way and the link is allowed.
    """

    payload_level: int | None
    laser_on: bool | None
    beam_lit: bool | None
    heater_on: bool | None
    told_level: int | None
    told_heater: bool | None
    may_lase: bool

    def is_met(self, part: Part, need: Need) -> bool | None:
        """Whether the part is as it should be; None when that cannot be said."""
        if part is Part.LASER or part is Part.BEAM:
            lit = self.laser_on if part is Part.LASER else self.beam_lit
            allowed = need is Need.BY_PLAN and self.may_lase
            return None if lit is None else allowed or not lit
        told, shown = self._of(part)
        if told is None:
            return True
        return None if shown is None else shown == (0 if need is Need.OFF else told)

    def shown(self, part: Part) -> int | None:
        """What the part reads back as, for telling."""
        lights = {Part.LASER: self.laser_on, Part.BEAM: self.beam_lit}
        found = lights[part] if part in lights else self._of(part)[1]
        return None if found is None else int(found)

    def _of(self, part: Part) -> tuple[int | None, int | None]:
        if part is Part.PAYLOAD:
            return self.told_level, self.payload_level
        return self.told_heater, self.heater_on


class Progress(Enum):
    """How far the node has come into its mode."""

    UNDER_WAY = 0
    REACHED = 1
    DRIFTED = 2


class EdgeKind(Enum):
    """What a look found."""

    REACHED = "reached"
    DRIFTED = "drifted"
    BACK = "back"


class TargetEdge(NamedTuple):
    """A change worth telling; `part` is None for a mode that was reached, after `after_ns`."""

    kind: EdgeKind
    part: Part | None
    need: Need | None
    shown: int | None
    after_ns: int


@dataclass(slots=True)
class _Held:
    """One part: what is asked of it, since when it is the other way, how long that may last."""

    need: Need
    patience_ns: int
    turned_ns: int
    met: bool = True
    drifts: bool = False
    known: bool = False


@final
class TargetKeeper:
    """Walks the sequence of a mode and watches over its target.

    Attributes:
        mode: the one that was entered last.
        drifts: parts that drift, in the order of `Part`.
        progress: how far it is.
    """

    def __init__(self, now_ns: int) -> None:
        self.mode = Mode.BOOT
        self.drifts: tuple[Part, ...] = ()
        self.progress = Progress.UNDER_WAY
        self._held: Final = {
            part: _Held(need, DRIFT_AFTER_NS, now_ns) for part, need in TARGETS[Mode.BOOT].items()
        }
        self._steps: list[Step] = list(SEQUENCES[Mode.BOOT])
        self._entered_ns = self._step_ns = now_ns
        self._begun = self._arrived = False

    @property
    def payload_allowed(self) -> bool:
        """The payload may run: its step has come."""
        return self._held[Part.PAYLOAD].need is Need.TOLD

    @property
    def link_allowed(self) -> bool:
        """The terminal may be used when the plan says so."""
        return self._held[Part.LASER].need is Need.BY_PLAN

    def enter(self, mode: Mode, now_ns: int) -> None:
        """Another mode: its sequence begins, whatever was left of the one before."""
        self.mode = mode
        self._steps = list(SEQUENCES[mode])
        self._entered_ns = now_ns
        self._begun = self._arrived = False
        self.progress = Progress.UNDER_WAY

    def look(self, seen: Seen, now_ns: int) -> list[TargetEdge]:
        """One look a cycle, and one more right after `enter`."""
        if self.progress is Progress.REACHED and self._is_there(seen):
            return []
        edges: list[TargetEdge] = []
        for part, held in self._held.items():
            self._judge(part, held, seen, now_ns, edges)
        while self._steps and self._advance(seen, now_ns):
            pass
        self.drifts = tuple(part for part, held in self._held.items() if held.drifts)
        self._tell_progress(seen, now_ns, edges)
        return edges

    def _is_there(self, seen: Seen) -> bool:
        """Every part that reads back at all is as it should be, and was so before."""
        for part, held in self._held.items():
            met = seen.is_met(part, held.need)
            if met is None:
                if held.known:
                    return False
            elif not (met and held.met and held.known):
                return False
        return True

    def _advance(self, seen: Seen, now_ns: int) -> bool:
        """Begin the first step that is left, or end it; False when it needs more time."""
        step = self._steps[0]
        held = self._held[step.part]
        if not self._begun:
            self._begun, self._step_ns = True, now_ns
            if held.need is not step.need:
                held.need, held.patience_ns = step.need, step.within_ns
                held.met, held.turned_ns = bool(seen.is_met(step.part, step.need)), now_ns
        met = seen.is_met(step.part, step.need)
        late = now_ns - self._step_ns >= step.within_ns
        if not met and not late and not (met is None and not held.known):
            return False
        if met:
            held.patience_ns = DRIFT_AFTER_NS
        self._steps.pop(0)
        self._begun = False
        return True

    def _judge(
        self, part: Part, held: _Held, seen: Seen, now_ns: int, edges: list[TargetEdge]
    ) -> None:
        met = seen.is_met(part, held.need)
        if met is None:
            # Not known: the clock stands still, for and against.
            held.turned_ns = now_ns
            return
        held.known = True
        if met is not held.met:
            held.met, held.turned_ns = met, now_ns
        so_ns = now_ns - held.turned_ns
        if met and not held.drifts:
            held.patience_ns = DRIFT_AFTER_NS
        elif not met and not held.drifts and so_ns >= held.patience_ns:
            held.drifts = True
            edges.append(TargetEdge(EdgeKind.DRIFTED, part, held.need, seen.shown(part), so_ns))
        elif met and held.drifts and so_ns >= DRIFT_OVER_NS:
            held.drifts = False
            edges.append(TargetEdge(EdgeKind.BACK, part, held.need, seen.shown(part), so_ns))

    def _tell_progress(self, seen: Seen, now_ns: int, edges: list[TargetEdge]) -> None:
        if self.drifts:
            self.progress = Progress.DRIFTED
        elif self._steps or not self._is_there(seen):
            self.progress = Progress.UNDER_WAY
        else:
            self.progress = Progress.REACHED
            if not self._arrived:
                self._arrived = True
                after_ns = now_ns - self._entered_ns
                edges.append(TargetEdge(EdgeKind.REACHED, None, None, None, after_ns))
