"""Between which temperatures every legal course of a day lies, slot by slot.

More heat into any node makes every node warmer or leaves it as it is, so the course with the least
heat that a governor can choose and the one with the most enclose all others; limits close the box
from above. Where nothing is computed above a temperature, a second ends at most there or where the
warmest course would have come to without computing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hil.score.heat_truth import HeatTruth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from flight.thermal.node_model import NodeModel
    from hil.score.day_truth import DayTruth

FREE_K = 1e4
"""No limit."""
TOLERANCE_K = 0.01
"""Within a second a temperature may pass its limit by less than this and be under it again."""


@dataclass(frozen=True, slots=True)
class HeatBoxes:
    """[slot, node] each, kelvin.

    Attributes:
        mean_low, mean_high: of the mean over a slot.
        end_low, end_high: of the value at its end.
        apart: how far the mean may lie from the middle of the two ends.
    """

    mean_low: NDArray[np.float64]
    mean_high: NDArray[np.float64]
    end_low: NDArray[np.float64]
    end_high: NDArray[np.float64]
    apart: NDArray[np.float64]


def heat_boxes(
    model: NodeModel, truth: DayTruth, start_k: list[float], slot_s: int,
    work_k: Sequence[float] | None = None,
) -> HeatBoxes:  # fmt: skip
    """The boxes of a day; by node, nothing is computed in a second that ends above `work_k`."""
    cold = _coldest(model, truth, start_k)
    hot = _hottest(model, truth, start_k, [FREE_K] * len(start_k) if work_k is None else work_k)
    limit = np.array([node.limit_k for node in model.nodes])
    slots = truth.seconds // slot_s
    span = np.arange(slots)[:, None] * slot_s + np.arange(slot_s + 1)
    mean_low = cold[span].min(axis=1) - TOLERANCE_K
    mean_high = np.maximum(np.minimum(hot[span].max(axis=1), limit) + TOLERANCE_K, mean_low)
    end_low = cold[slot_s::slot_s] - TOLERANCE_K
    end_high = np.maximum(np.minimum(hot[slot_s::slot_s], limit) + TOLERANCE_K, end_low)
    apart = _apart(model, truth, slot_s, mean_low, mean_high)
    return HeatBoxes(mean_low, mean_high, end_low, end_high, apart)


def _choice_w(model: NodeModel, *, most: bool) -> NDArray[np.float64]:
    """Least or most heat of payload modes and idling, by node."""
    heats = np.array([mode.heat_w for mode in model.modes] + [model.idle_heat_w])
    found: NDArray[np.float64] = heats.max(axis=0) if most else heats.min(axis=0)
    return found


def _coldest(model: NodeModel, truth: DayTruth, start_k: list[float]) -> NDArray[np.float64]:
    """Temperatures [second + 1, node] with the least heat all day."""
    heat = truth.outside_w + _base_heat_w(model, truth) + _choice_w(model, most=False)
    network, temp_k, course = HeatTruth(model), start_k, [start_k]
    for row, emissivity in zip(heat.tolist(), truth.emissivity.tolist(), strict=True):
        temp_k = network.after_second(temp_k, row, emissivity)
        course.append(temp_k)
    return np.array(course)


def _hottest(
    model: NodeModel, truth: DayTruth, start_k: list[float], work_k: Sequence[float]
) -> NDArray[np.float64]:
    """Temperatures [second + 1, node] that no course exceeds."""
    link = (truth.link_bps > 0.0)[:, None] * np.array(model.link_heat_w)
    fixed = truth.outside_w + _base_heat_w(model, truth) + link
    busy, idle = fixed + _choice_w(model, most=True), fixed + np.array(model.idle_heat_w)
    network, temp_k, course = HeatTruth(model), start_k, [start_k]
    for most_w, idle_w, emissivity in zip(
        busy.tolist(), idle.tolist(), truth.emissivity.tolist(), strict=True
    ):
        warmer_k = network.after_second(temp_k, most_w, emissivity)
        if any(t > limit for t, limit in zip(warmer_k, work_k, strict=True)):
            calm_k = network.after_second(temp_k, idle_w, emissivity)
            warmer_k = [
                max(calm, min(warm, limit))
                for calm, warm, limit in zip(calm_k, warmer_k, work_k, strict=True)
            ]
        temp_k = warmer_k
        course.append(temp_k)
    return np.array(course)


def _base_heat_w(model: NodeModel, truth: DayTruth) -> NDArray[np.float64]:
    scale = truth.base_w / model.base_w if model.base_w else np.zeros(truth.seconds)
    found: NDArray[np.float64] = scale[:, None] * np.array(model.base_heat_w)
    return found


def _apart(
    model: NodeModel, truth: DayTruth, slot_s: int, low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """|mean - (start + end) / 2| <= range of dT/dt x slot / 8, for any course of one slot."""
    slots, nodes = low.shape
    capacity = np.array([node.capacity_j_k for node in model.nodes])
    radiance = np.array([n.radiance_w_k4 for n in model.nodes]) * truth.emissivity[::slot_s]
    fixed = (truth.outside_w + _base_heat_w(model, truth)).reshape(slots, slot_s, nodes)
    linked = truth.link_bps.reshape(slots, slot_s).max(axis=1, keepdims=True) > 0.0
    most = _choice_w(model, most=True) + linked * np.array(model.link_heat_w)
    least = _choice_w(model, most=False)
    up = fixed.max(axis=1) + most - radiance * low**4
    down = radiance * high**4 - fixed.min(axis=1) - least
    for a, b, w_k in model.conductances:
        for i, j in ((a, b), (b, a)):
            up[:, i] += w_k * (high[:, j] - low[:, i])
            down[:, i] += w_k * (high[:, i] - low[:, j])
    moved = np.minimum(high - low, slot_s * np.maximum(np.maximum(up, down), 0.0) / capacity)
    swing = fixed.max(axis=1) - fixed.min(axis=1) + most - least + 4.0 * radiance * high**3 * moved
    for a, b, w_k in model.conductances:
        swing[:, a] += w_k * (moved[:, a] + moved[:, b])
        swing[:, b] += w_k * (moved[:, a] + moved[:, b])
    found: NDArray[np.float64] = swing / capacity * slot_s / 8.0 + TOLERANCE_K
    return found
