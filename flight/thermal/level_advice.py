"""From a plan to a payload level: which one the minute's share of work asks for, and why not more.

Pure. Levels cannot be mixed within a second as a plan's shares can: minutes without work make up
for shares of less than all frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.telemetry.definitions import ThrottleReason
from flight.thermal.plan_guard import ENERGY_REASON
from flight.thermal.plan_model import FRESH, RESULT_BITS, frame_s

if TYPE_CHECKING:
    from flight.thermal.board_profile import BoardProfile
    from flight.thermal.plan_guard import GuardReason
    from flight.thermal.plan_model import Work
    from flight.thermal.plan_solver_native import Prices, SlotPlan

HOLD_S = 60.0
LEAST_SHARE, ALL_SHARE = 0.02, 0.95
"""Of the frames that can be done: less than the first is none, more than the second is all."""
WAITING_LEVEL = 1
"""While no frames are expected: awake, at the least it can draw."""


class LevelAdvice:
    """One `level` a cycle, kept for a minute of a slot."""

    def __init__(self, profile: BoardProfile, work: Work) -> None:
        self._profile = profile
        self._fps = [1.0 / frame_s(profile, work, m + 1) for m in range(profile.top)]
        self._owed = 0.0
        self._level = 0
        self._slot: SlotPlan | None = None
        self._until_s = 0.0

    def level(self, slot: SlotPlan, arrivals_fps: float, now_s: float) -> int:
        """The level of a plan's slot for now, 0 for none of its frames."""
        if slot is not self._slot or not self._until_s - HOLD_S <= now_s < self._until_s:
            self._slot, self._until_s = slot, now_s + HOLD_S
            self._level = self._decided(slot, arrivals_fps)
        return self._level

    def _decided(self, slot: SlotPlan, arrivals_fps: float) -> int:
        shares = sorted(((share, m) for m, c, share in slot.work if c == FRESH), reverse=True)
        if not shares or arrivals_fps <= 0.0:
            self._owed = 0.0
            return 0
        done_fps = sum(share * self._fps[m] for share, m in shares)
        wanted = done_fps / min(arrivals_fps, self._fps[-1])
        if wanted > ALL_SHARE:
            return shares[0][1] + 1
        self._owed += wanted
        if self._owed < 0.5 or wanted < LEAST_SHARE:
            return 0
        self._owed -= 1.0
        return shares[0][1] + 1

    def reason(
        self, prices: Prices, level: int, arrivals_fps: float, spared_for: GuardReason
    ) -> ThrottleReason:
        """What makes it dear to compute the frames that this level leaves; NONE if it leaves none.

        Heat, energy or link, by what the better level would cost of each; `spared_for` says what
        energy is wanted for. A plan leaves no frame whose cost is nothing; where the solver's
        remainder says so all the same it is energy.
        """
        top = self._profile.top
        done_fps = self._fps[level - 1] if level else 0.0
        if level == top or done_fps >= arrivals_fps:
            return ThrottleReason.NONE
        watts = self._profile.active_w(top) - self._profile.active_w(level)
        fps = self._fps[-1] - done_fps
        costs = (
            (prices.joule * watts, ENERGY_REASON[spared_for]),
            (prices.heat_j * watts, ThrottleReason.RADIATOR),
            (prices.link_mbit * fps * RESULT_BITS * 1e-6, ThrottleReason.QUEUE_FULL),
        )
        return max(costs, key=lambda each: each[0])[1]
