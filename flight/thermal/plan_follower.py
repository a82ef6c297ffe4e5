"""From a plan to one second's work: shares of the second by mode and class, as far as frames wait.

A class that has run out of frames gives its share to what the plan does beside it; the plan's total
power and heat are not exceeded. Without a plan the work of most value a second is done at the
highest power, and the guard alone holds the limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.thermal.node_model import NodeModel
    from flight.thermal.plan_solver_native import SlotPlan

Work = list[tuple[int, int, float]]
"""(mode, class, share of the second)."""
LEAST = 1e-9


class PlanFollower:
    """Knows the node's modes; keeps nothing from one second to the next."""

    def __init__(self, model: NodeModel) -> None:
        self._rates = [mode.frames_per_s for mode in model.modes]
        pairs = [
            (model.classes[c].value[mode.variant] * fps, m, c)
            for m, mode in enumerate(model.modes)
            for c, fps in enumerate(mode.frames_per_s)
            if fps > 0.0
        ]
        pairs.sort(reverse=True)
        self._by_value = [(m, c) for _, m, c in pairs]

    def second(self, slot: SlotPlan | None, free_frames: Sequence[float], speed: float) -> Work:
        """The second's work; `free_frames` wait and are not begun; `speed` over the profile."""
        free = [max(0.0, frames) for frames in free_frames]
        if slot is None:
            return self._greedy(free, speed)
        work: Work = []
        left, unused = 1.0, 0.0
        for m, c, share in slot.work:
            part = min(share, left, free[c] / (self._rates[m][c] * speed))
            unused += share - part
            if part > LEAST:
                work.append((m, c, part))
                left -= part
                free[c] -= part * self._rates[m][c] * speed
        for i, (m, c, share) in enumerate(work):
            if unused <= LEAST or left <= LEAST:
                break
            part = min(unused, left, free[c] / (self._rates[m][c] * speed))
            if part > LEAST:
                work[i] = (m, c, share + part)
                left, unused = left - part, unused - part
                free[c] -= part * self._rates[m][c] * speed
        return work

    def _greedy(self, free: list[float], speed: float) -> Work:
        work: Work = []
        left = 1.0
        for m, c in self._by_value:
            part = min(left, free[c] / (self._rates[m][c] * speed))
            if part > LEAST:
                work.append((m, c, part))
                left -= part
                free[c] -= part * self._rates[m][c] * speed
        return work
