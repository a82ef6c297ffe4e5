"""Days made from a family and a seed: the same node, seven kinds of day.

A family says what is scarce (light, a cool radiator, a clear sky, quiet); the seed then moves every
number by some per cent and draws clouds, arrivals and bursts. Each part of a day has its own stream
of one seed, so that one more draw in one part changes nothing in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.score.case_format import FORMAT, VERSION, check_case
from hil.score.dve_case import HOUR_S

DAY_S = 86_400
PERIOD_S = 5736.0
RAMP_S = 24.0
KNOT_S = 60
CONTACT_SHARE, CONTACT_S, RATE_BPS = 0.78, (240.0, 460.0), 1.2e8
EVENT_FPS = 0.004
IDLE_W = 3.0
PRICE_OVER_BEST = 1.5
"""A joule short at the end costs so many times what it could have earned."""


@dataclass(frozen=True, slots=True)
class Family:
    """What makes a kind of day.

    Attributes:
        eclipse_s: of an orbit; 0 for none.
        array_w: in full sun.
        outside_w, swing_w: heat into the radiator, mean and amplitude over an orbit.
        lost, cut: probability that clouds take a contact, or an inner part of one.
        bursts, burst_fps, burst_s: unforeseen events a day, their frames, their length.
    """

    eclipse_s: float = 0.0
    array_w: float = 74.0
    outside_w: float = 12.0
    swing_w: float = 4.0
    lost: float = 0.10
    cut: float = 0.15
    bursts: int = 3
    burst_fps: float = 0.6
    burst_s: float = 180.0


FAMILIES = {
    "sunlit": Family(),
    "mid_season": Family(eclipse_s=800.0, array_w=61.0),
    "worst_eclipse": Family(eclipse_s=1280.0, array_w=59.5),
    "hot_eol": Family(eclipse_s=300.0, array_w=68.0, outside_w=36.0, swing_w=7.0),
    "cold": Family(eclipse_s=1200.0, array_w=76.0, outside_w=5.0, swing_w=2.0),
    "cloudy_link": Family(eclipse_s=600.0, array_w=72.0, lost=0.60, cut=0.50),
    "burst": Family(eclipse_s=900.0, array_w=64.0, bursts=9, burst_fps=2.2, burst_s=480.0),
}
VARIANTS = ("small", "medium", "large")
CAPS = ((7.0, (3.6, 1.50, 0.55)), (15.0, (7.6, 3.40, 1.30)), (25.0, (10.8, 4.90, 1.95)))
"""Watts, and frames a second of the first class with each variant."""
CLASSES = (
    ("routine", 1.0, (0.5, 0.8, 1.0), (0.5e6, 0.9e6, 1.4e6), 4000),
    ("priority", 0.8, (1.6, 3.0, 4.0), (1.2e6, 2.0e6, 3.0e6), 3000),
    ("event", 0.5, (4.0, 12.0, 20.0), (3.0e6, 6.0e6, 1.0e7), 2000),
)
"""Name, speed over the first class's, value and bits of a result by variant, frames kept."""


class _Draw:
    """A stream of random numbers of its own for one part of one day."""

    def __init__(self, family: str, seed: int, part: str) -> None:
        words = [*f"{family}/{part}".encode(), seed]
        self.rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))

    def near(self, value: float, share: float = 0.03) -> float:
        """Up to this share more or less."""
        return float(value * (1.0 + share * self.rng.uniform(-1.0, 1.0)))

    def between(self, low: float, high: float) -> float:
        """Evenly."""
        return float(self.rng.uniform(low, high))


def make_day(family: str, seed: int, duration_s: int = DAY_S) -> dict[str, Any]:
    """The day of a family and a seed; KeyError for no such family."""
    kind = FAMILIES[family]
    orbit = _Draw(family, seed, "orbit")
    period_s = orbit.near(PERIOD_S, 0.005)
    sun = _sun(kind, orbit, period_s, duration_s)
    outside = {"radiator": _outside(kind, orbit, period_s, duration_s, sun)}
    planned, real = _contacts(kind, _Draw(family, seed, "contacts"), period_s, duration_s)
    hourly, arrivals = _arrivals(kind, _Draw(family, seed, "arrivals"), duration_s)
    day = {
        "format": FORMAT, "version": VERSION, "name": f"{family}-{seed}", "family": family,
        "seed": seed, "duration_s": duration_s, "orbit_period_s": round(period_s, 3),
        **_node(kind, _Draw(family, seed, "node")),
        "forecast": {
            "sun_fraction": sun, "environment_heat_w": outside, "link_windows": planned,
            "arrival_fps_hourly": hourly,
            "bursts": {
                "per_day_mean": kind.bursts, "event_fps_mean": kind.burst_fps,
                "length_s_mean": kind.burst_s,
            },
        },
        "truth": {
            "sun_fraction": sun, "environment_heat_w": outside, "link_windows": real,
            "arrivals": arrivals, "plant_changes": [],
        },
    }  # fmt: skip
    check_case(day, day["name"])
    return day


def _sun(kind: Family, draw: _Draw, period_s: float, duration_s: int) -> list[list[float]]:
    """Lit at both ends of the day; the shadow's edges are ramps."""
    eclipse_s, at_s = draw.near(kind.eclipse_s, 0.02), period_s * draw.between(0.30, 0.55)
    knots = [[0.0, 1.0]]
    while eclipse_s > 3.0 * RAMP_S and at_s + eclipse_s < duration_s:
        end_s = at_s + eclipse_s
        knots += [[at_s, 1.0], [at_s + RAMP_S, 0.0], [end_s - RAMP_S, 0.0], [end_s, 1.0]]
        at_s += period_s
    return [[round(t, 3), x] for t, x in knots]


def _outside(
    kind: Family, draw: _Draw, period_s: float, duration_s: int, sun: list[list[float]]
) -> list[list[float]]:
    """Earth and Sun on the radiator: once an orbit up and down, a quarter less in the shadow."""
    t = np.arange(0.0, duration_s + KNOT_S, KNOT_S)
    lit = np.interp(t, *np.array(sun).T)
    mean_w, swing_w = draw.near(kind.outside_w), draw.near(kind.swing_w)
    turn = 2.0 * np.pi * (t / period_s + draw.between(0.0, 1.0))
    heat_w = mean_w + swing_w * np.cos(turn) - 0.25 * mean_w * (1.0 - lit)
    return [[float(a), round(max(0.5, float(w)), 4)] for a, w in zip(t, heat_w, strict=True)]


def _contacts(
    kind: Family, draw: _Draw, period_s: float, duration_s: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Contacts as planned, and what clouds leave of them."""
    planned, real = [], []
    for orbit in range(int(duration_s / period_s) + 1):
        there = draw.rng.uniform() < CONTACT_SHARE
        start_s = int((orbit + draw.between(0.05, 0.9)) * period_s)
        length_s, rate = int(draw.between(*CONTACT_S)), round(draw.near(RATE_BPS, 0.2))
        clouds, inner = draw.rng.uniform(size=2), draw.rng.uniform(size=2)
        end_s = min(duration_s, start_s + length_s)
        if not there or end_s - start_s < KNOT_S:
            continue
        window = {"start_s": start_s, "end_s": end_s, "rate_bps": rate}
        planned.append({**window, "clear_probability": round(1.0 - kind.lost, 3)})
        if clouds[0] < kind.lost:
            continue
        if clouds[1] >= kind.cut:
            real.append(window)
            continue
        gone_s = start_s + int((0.1 + 0.5 * inner[0]) * (end_s - start_s))
        back_s = min(end_s, gone_s + int((0.15 + 0.35 * inner[1]) * (end_s - start_s)))
        real += [{**window, "end_s": gone_s}, {**window, "start_s": back_s}]
    return planned, [w for w in real if w["end_s"] > w["start_s"]]


def _arrivals(
    kind: Family, draw: _Draw, duration_s: int
) -> tuple[dict[str, list[float]], dict[str, list[int]]]:
    """Hourly rates that are foretold, and the frames: Poisson around them, bursts on top."""
    hours = -(-duration_s // int(HOUR_S))
    routine, priority = draw.near(2.5, 0.06), draw.near(0.30, 0.1)
    swing = [1.0 + 0.35 * float(np.sin(2.0 * np.pi * (h / 24.0 + 0.1))) for h in range(hours)]
    hourly = {
        "routine": [round(routine * (s + 0.1 * draw.between(-1.0, 1.0)), 4) for s in swing],
        "priority": [round(draw.near(priority, 0.4), 4) for _ in swing],
        "event": [EVENT_FPS for _ in swing],
    }
    fps = {
        name: np.repeat(np.array(rates), int(HOUR_S))[:duration_s].copy()
        for name, rates in hourly.items()
    }
    for _ in range(max(0, kind.bursts + int(draw.rng.integers(-1, 2)))):
        start = int(draw.between(0.02, 0.93) * duration_s)
        end = start + int(draw.near(kind.burst_s, 0.4))
        fps["event"][start:end] += draw.near(kind.burst_fps, 0.4)
        fps["priority"][start:end] += 0.3
    return hourly, {name: draw.rng.poisson(rate).tolist() for name, rate in fps.items()}


def _node(kind: Family, draw: _Draw) -> dict[str, Any]:
    """The node: a payload of three caps and three models, a battery, a die, a sink, a radiator."""
    capacity_j = draw.near(60.0 * HOUR_S, 0.02)
    return {
        "power": {
            "array_w": round(draw.near(kind.array_w, 0.02), 3), "base_load_w": 28.0,
            "base_heat_fraction": {"radiator": 0.35}, "battery_capacity_j": round(capacity_j, 1),
            "battery_start_j": round(0.95 * capacity_j, 1), "depth_of_discharge_max": 0.25,
            "charge_efficiency": 0.96, "discharge_efficiency": 0.96, "charge_max_w": 45.0,
            "discharge_max_w": 110.0,
        },
        "thermal": {
            "nodes": [
                _lump("die", 12.0, 312.0, 348.15),
                _lump("sink", 250.0, 310.0, 340.15),
                {**_lump("radiator", 3200.0, 308.0, 335.15), "radiator_area_m2": 0.10,
                 "emissivity": 0.85},
            ],
            "conductances": [
                {"a": "die", "b": "sink", "w_per_k": 2.2},
                {"a": "sink", "b": "radiator", "w_per_k": 3.0},
            ],
        },
        **_payload(),
        "buffers": {"bits_max": 6.4e10},
        "link": {"watts": 40.0, "optical_efficiency": 0.15, "heat_fraction": {"radiator": 1.0}},
        "sensors": {"period_s": 1, "temperature_quantum_k": 0.1},
    }  # fmt: skip


def _payload() -> dict[str, Any]:
    """Modes, classes, and the price of a joule short at the end."""
    best = max(
        value[v] * fps[v] * speed / (watts - IDLE_W)
        for watts, fps in CAPS
        for v in range(len(VARIANTS))
        for _, speed, value, _, _ in CLASSES
    )
    modes = [
        {
            "name": f"{int(watts)}w_{variant}", "watts": watts, "variant": variant,
            "heat_fraction": {"die": 0.7, "sink": 0.3},
            "frames_per_s": {name: round(fps[v] * speed, 4) for name, speed, *_ in CLASSES},
        }
        for watts, fps in CAPS
        for v, variant in enumerate(VARIANTS)
    ]  # fmt: skip
    return {
        "compute": {
            "variants": list(VARIANTS), "idle_w": IDLE_W,
            "idle_heat_fraction": {"die": 0.5, "sink": 0.5}, "modes": modes,
        },
        "classes": [
            {"name": name, "value": dict(zip(VARIANTS, value, strict=True)),
             "result_bits": dict(zip(VARIANTS, bits, strict=True)), "frames_max": most}
            for name, _, value, bits, most in CLASSES
        ],
        "terminal": {"shortfall_value_per_j": round(PRICE_OVER_BEST * best, 4)},
    }  # fmt: skip


def _lump(name: str, capacity_j_k: float, start_k: float, max_k: float) -> dict[str, Any]:
    return {
        "name": name, "capacity_j_per_k": capacity_j_k, "start_k": start_k, "max_k": max_k,
        "radiator_area_m2": 0.0, "emissivity": 0.0,
    }  # fmt: skip
