"""The guard of a board whose watts nobody knows, or that has no plan: levels by slopes and budget.

The highest payload level that heat, battery, queue and command allow. Where there is a model of the
node, `level_guard` stands in its place.

The rule is plain and sound. Levels are tried from the best one wanted downwards; each is judged by
predicting the sink a horizon ahead (present slope plus the change of power over the sink's heat
capacity) and the die on top of it (power times the die's thermal resistance). The first level that
keeps every target is taken, and the reason that forbade the next better one is told. Stepping down
is immediate; stepping up waits out a dwell and needs a margin, so the level does not chatter.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from flight.power.power_budget import PowerState, PowerVerdict, judge_payload
from flight.telemetry.definitions import ThrottleReason

if TYPE_CHECKING:
    from collections.abc import Collection

    from flight.thermal.board_profile import BoardProfile
    from flight.thermal.thermal_estimate import ThermalState

HORIZON_S = 45.0
RISE_MARGIN_K = 2.0
RISE_DWELL_NS = 30_000_000_000
DIE_GUARD_K = 4.0
"""Closer than this to the die limit the board is switched off, whatever was predicted."""

_POWER_REASON = {
    PowerVerdict.FLOOR: ThrottleReason.BATTERY_FLOOR,
    PowerVerdict.ECLIPSE_RESERVE: ThrottleReason.ECLIPSE_RESERVE,
    PowerVerdict.PASS_RESERVE: ThrottleReason.PASS_RESERVE,
}


@dataclass(frozen=True, slots=True)
class GovernorInputs:
    """What the guard looks at this cycle.

    Attributes:
        thermal, power: the estimates; `power` is `None` for a node that is fed from outside.
        duty: share of time the payload would be busy, 0..1, as recently observed.
        payload_allowed: mode and command let the payload run at all.
        commanded_off: it is the ground that forbids it (else a mode or a fault).
        queue_full: results have no room.
        fault: a recovery holds the payload down, or the estimates are no basis to run it on.
        battery_low: the battery's band is near its floor.
        utc_s: Unix seconds; `None` while the time is not known.
        contact: an authorised contact goes on, for which the laser is lit.
    """

    thermal: ThermalState
    power: PowerState | None
    duty: float
    payload_allowed: bool
    commanded_off: bool
    queue_full: bool
    fault: bool
    battery_low: bool = False
    utc_s: float | None = None
    contact: bool = False


@dataclass(frozen=True, slots=True)
class GovernorDecision:
    """Level to set, the one reason it is not the best one, and the die it foresees (degC).

    `link` is False while energy or heat do not bear the laser.
    """

    level: int
    reason: ThrottleReason
    die_predicted_c: float
    link: bool = True


def forbids_all(inputs: GovernorInputs, *, blind: bool, too_hot: bool) -> ThrottleReason:
    """The reason that forbids every level, whatever is predicted; of several the first row's.

    `blind`: a thermometer that is needed shows nothing; `too_hot`: the die is at its own limit.
    """
    rows = (
        (inputs.fault, ThrottleReason.FAULT),
        (inputs.commanded_off, ThrottleReason.COMMAND),
        (inputs.battery_low, ThrottleReason.BATTERY_FLOOR),
        (not inputs.payload_allowed, ThrottleReason.COMMAND),
        (blind, ThrottleReason.FAULT),
        (too_hot, ThrottleReason.DIE),
        (inputs.queue_full, ThrottleReason.QUEUE_FULL),
    )
    return next((reason for holds, reason in rows if holds), ThrottleReason.NONE)


class Governor:
    """Holds the present level; one `decide` a cycle.

    Args:
        absent: "die" and "sink" where the board has no such sensor: not knowing it is no fault
            then, and what cannot be predicted forbids nothing.
    """

    def __init__(self, profile: BoardProfile, absent: Collection[str] = ()) -> None:
        self._profile = profile
        self._needs_die = "die" not in absent
        self._needs_sink = "sink" not in absent or self._needs_die
        self.level = 0
        self._changed_ns = -RISE_DWELL_NS

    def decide(
        self, inputs: GovernorInputs, die_target_c: float, sink_target_c: float, now_ns: int
    ) -> GovernorDecision:
        """The level for the coming cycle; targets are parameters (degC).

        A die target above the board's own guard is taken as that guard.
        """
        die_target_c = min(die_target_c, self._profile.die_limit_c - DIE_GUARD_K)
        reason = self._blanket(inputs)
        level = 0 if reason is not ThrottleReason.NONE else self._profile.top
        while level > 0:
            margin_k = RISE_MARGIN_K if level > self.level else 0.0
            verdict = self._judge(level, inputs, die_target_c - margin_k, sink_target_c - margin_k)
            if verdict is ThrottleReason.NONE:
                break
            reason = verdict
            level -= 1
        rested = now_ns - self._changed_ns >= RISE_DWELL_NS
        if level > self.level and not rested:
            level, reason = self.level, reason or self._held_reason
        if level != self.level:
            self.level, self._changed_ns = level, now_ns
        self._held_reason = reason
        return GovernorDecision(level, reason, self._die_ahead_c(level, inputs.thermal))

    _held_reason = ThrottleReason.NONE

    def _blanket(self, inputs: GovernorInputs) -> ThrottleReason:
        """The reason that forbids every level."""
        thermal = inputs.thermal
        return forbids_all(
            inputs,
            blind=(self._needs_die and isnan(thermal.die_c))
            or (self._needs_sink and isnan(thermal.sink_c)),
            too_hot=thermal.die_c >= self._profile.die_limit_c - DIE_GUARD_K,
        )

    def _judge(
        self, level: int, inputs: GovernorInputs, die_target_c: float, sink_target_c: float
    ) -> ThrottleReason:
        if self._die_ahead_c(level, inputs.thermal) > die_target_c:
            return ThrottleReason.DIE
        if self._sink_ahead_c(level, inputs.thermal) > sink_target_c:
            return ThrottleReason.SINK
        if inputs.power is None:
            return ThrottleReason.NONE
        active_w, idle_w = self._profile.active_w(level), self._profile.idle_w(level)
        mean_w = idle_w + inputs.duty * (active_w - idle_w)
        verdict = judge_payload(mean_w, inputs.power)
        return _POWER_REASON.get(verdict, ThrottleReason.NONE)

    def _sink_ahead_c(self, level: int, thermal: ThermalState) -> float:
        drawn_w = 0.0 if isnan(thermal.payload_w) else thermal.payload_w
        change_w = self._profile.active_w(level) - drawn_w
        slope = thermal.sink_slope_k_s + change_w / self._profile.sink_j_per_k
        return thermal.sink_c + max(slope, 0.0) * HORIZON_S

    def _die_ahead_c(self, level: int, thermal: ThermalState) -> float:
        rise_k = self._profile.die_k_per_w * self._profile.active_w(level)
        return self._sink_ahead_c(level, thermal) + rise_k


class FullPower:
    """No governor: the top level whenever the payload is allowed. For control runs only."""

    def __init__(self, profile: BoardProfile) -> None:
        self._profile = profile

    def decide(
        self, inputs: GovernorInputs, die_target_c: float, sink_target_c: float, now_ns: int
    ) -> GovernorDecision:
        """Always the best level; heat and battery are not looked at."""
        del die_target_c, sink_target_c, now_ns
        if inputs.commanded_off or not inputs.payload_allowed:
            return GovernorDecision(0, ThrottleReason.COMMAND, inputs.thermal.die_c)
        return GovernorDecision(self._profile.top, ThrottleReason.NONE, inputs.thermal.die_c)
