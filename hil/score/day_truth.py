"""A day as it comes, one number a second: light, heat, contacts, arrivals, and what changes unseen.

Knots are sampled at the middle of each second and held over it, and held beyond their ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DayTruth:
    """Arrays over the seconds of the day; heat nodes and classes in the order of the case.

    Attributes:
        array_w, base_w, speed: [second]; `speed` over the profile's frames a second.
        outside_w, emissivity: [second, node]; `emissivity` over the case's.
        link_bps: [second], 0 without a contact.
        arrivals: [second, class] frames.
    """

    seconds: int
    array_w: NDArray[np.float64]
    base_w: NDArray[np.float64]
    speed: NDArray[np.float64]
    outside_w: NDArray[np.float64]
    emissivity: NDArray[np.float64]
    link_bps: NDArray[np.float64]
    arrivals: NDArray[np.int64]


def day_truth(case: Mapping[str, Any]) -> DayTruth:
    """The day of a checked case."""
    truth, seconds = case["truth"], int(case["duration_s"])
    names = [node["name"] for node in case["thermal"]["nodes"]]
    outside = np.zeros((seconds, len(names)))
    for name, knots in truth["environment_heat_w"].items():
        outside[:, names.index(name)] = _sampled(knots, seconds)
    changes = truth.get("plant_changes", [])
    return DayTruth(
        seconds=seconds,
        array_w=case["power"]["array_w"]
        * _sampled(truth["sun_fraction"], seconds)
        * _stepped(changes, "array_scale", seconds),
        base_w=case["power"]["base_load_w"] * _stepped(changes, "base_load_scale", seconds),
        speed=_stepped(changes, "rate_scale", seconds),
        outside_w=outside * _stepped_by_node(changes, "environment_heat_scale", names, seconds),
        emissivity=_stepped_by_node(changes, "emissivity_scale", names, seconds),
        link_bps=_contacts(truth["link_windows"], seconds),
        arrivals=np.array([truth["arrivals"][c["name"]] for c in case["classes"]], np.int64).T,
    )


def _sampled(knots: Sequence[Sequence[float]], seconds: int) -> NDArray[np.float64]:
    t, x = np.array(knots, np.float64).T
    sampled: NDArray[np.float64] = np.interp(np.arange(seconds) + 0.5, t, x)
    return sampled


def _stepped(changes: Sequence[Mapping[str, Any]], key: str, seconds: int) -> NDArray[np.float64]:
    scale = np.ones(seconds)
    for change in changes:
        if change.get(key) is not None:
            scale[int(change["t_s"]) :] = change[key]
    return scale


def _stepped_by_node(
    changes: Sequence[Mapping[str, Any]], key: str, names: list[str], seconds: int
) -> NDArray[np.float64]:
    scale = np.ones((seconds, len(names)))
    for change in changes:
        for name, factor in change.get(key, {}).items():
            scale[int(change["t_s"]) :, names.index(name)] = factor
    return scale


def _contacts(windows: Sequence[Mapping[str, Any]], seconds: int) -> NDArray[np.float64]:
    """Of contacts at one time the fastest counts."""
    rate = np.zeros(seconds)
    for window in windows:
        span = slice(max(0, int(window["start_s"])), min(seconds, int(window["end_s"])))
        rate[span] = np.maximum(rate[span], window["rate_bps"])
    return rate
