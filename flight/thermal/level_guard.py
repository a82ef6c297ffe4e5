"""The fast guard in flight: the highest payload level that `PlanGuard` lets through.

Hop "decided" of the cycle. Levels are tried from the best one downwards, each as what it draws at
most; the first that is let through whole is taken, and what forbade the next better one is the
reason. Stepping down is immediate. Stepping up waits out a dwell and needs the level to fit with a
band to spare, so that neighbouring levels overlap and do not chatter. It needs no plan.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from flight.telemetry.definitions import ThrottleReason
from flight.thermal.governor import DIE_GUARD_K, GovernorDecision, forbids_all
from flight.thermal.plan_guard import ENERGY_REASON, NO_BAND, Band, GuardReason
from flight.thermal.plan_model import ZERO_C_K

if TYPE_CHECKING:
    from flight.thermal.board_profile import BoardProfile
    from flight.thermal.governor import GovernorInputs
    from flight.thermal.guarded_plant import GuardedPlant, Seen
    from flight.thermal.node_plant import NodePlant
    from flight.thermal.plan_guard import Allowed

RISE_BAND_K, RISE_BAND_S = 2.0, 60.0
"""A level is taken up so far under the limits, and with energy for so long."""
RISE_DWELL_NS = 30_000_000_000
LINK_DWELL_NS = 60_000_000_000
"""So long a laser that was forbidden stays so: an acquisition takes seconds of the pass."""
WHOLE = 0.999

_NODE_REASON = (ThrottleReason.DIE, ThrottleReason.SINK, ThrottleReason.RADIATOR)
_REASON = {**ENERGY_REASON, GuardReason.SENSOR: ThrottleReason.FAULT}


class LevelGuard:
    """Holds the present level; one `decide` a cycle.

    Attributes:
        level: in force.
    """

    def __init__(self, profile: BoardProfile, node: NodePlant) -> None:
        self._profile, self._node = profile, node
        self.level = 0
        self._changed_ns = -RISE_DWELL_NS
        self._held_reason = ThrottleReason.NONE
        self._link_again_ns = 0

    def decide(
        self, inputs: GovernorInputs, die_target_c: float, sink_target_c: float, now_ns: int
    ) -> GovernorDecision:
        """The level for the coming cycle; targets are parameters (degC).

        A die target above the board's own guard is taken as that guard.
        """
        hottest_c = self._profile.die_limit_c - DIE_GUARD_K
        thermal = inputs.thermal
        seen = self._node.look(
            thermal, inputs.power, inputs.utc_s, min(die_target_c, hottest_c), sink_target_c, now_ns
        )
        blind = seen is None or not all(map(isfinite, seen.temp_k))
        reason = forbids_all(inputs, blind=blind, too_hot=thermal.die_c >= hottest_c)
        level, link, plant = 0, True, self._node.plant
        if seen is not None and plant is not None:
            link = blind or self._link(plant, seen, inputs, now_ns)
            if reason is ThrottleReason.NONE:
                level, reason = self._highest(plant, seen, inputs)
        if level > self.level and now_ns - self._changed_ns < RISE_DWELL_NS:
            level, reason = self.level, reason or self._held_reason
        if level != self.level:
            self.level, self._changed_ns = level, now_ns
        self._held_reason = reason
        return GovernorDecision(level, reason, self._die_ahead_c(plant, seen, level), link)

    def _highest(
        self, plant: GuardedPlant, seen: Seen, inputs: GovernorInputs
    ) -> tuple[int, ThrottleReason]:
        """The best level that is let through, and what forbade the next better one."""
        reason = ThrottleReason.NONE
        for level in range(self._profile.top, 0, -1):
            load = self._node.load(level, link=inputs.contact)
            band = Band(RISE_BAND_K, RISE_BAND_S * load.work_w) if level > self.level else NO_BAND
            allowed = plant.allow(seen, load, band)
            if allowed.work >= WHOLE:
                return level, reason
            reason = reason_of(allowed)
        return 0, reason

    def _link(self, plant: GuardedPlant, seen: Seen, inputs: GovernorInputs, now_ns: int) -> bool:
        """Whether a contact's laser is borne, were it alone."""
        if inputs.contact and plant.allow(seen, self._node.load(0, link=True)).link < WHOLE:
            self._link_again_ns = now_ns + LINK_DWELL_NS
        return now_ns >= self._link_again_ns

    def _die_ahead_c(self, plant: GuardedPlant | None, seen: Seen | None, level: int) -> float:
        """The die a second ahead at a level; NaN without an estimate."""
        if plant is None or seen is None:
            return float("nan")
        return plant.after_second(seen, self._node.load(level, link=False))[0] - ZERO_C_K


def reason_of(allowed: Allowed) -> ThrottleReason:
    """The word of telemetry for what the guard took something away for."""
    if allowed.reason is GuardReason.NODE:
        return _NODE_REASON[min(allowed.node, len(_NODE_REASON) - 1)]
    return _REASON.get(allowed.reason, ThrottleReason.NONE)
