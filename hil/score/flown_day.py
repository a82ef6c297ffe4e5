"""A flown scenario as a day that governors can be scored on, from the folder of its run.

The day has the scenario's light, heat, contacts, clouds and frames, the board's levels, and the
results that the run really made of its pictures. Wherever bench and day differ the day earns more
(`flown_plant` lists how; acquisition, coding, lost frames of the link and resets cost nothing), so
what no governor exceeds on the day none exceeds on the bench.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from flight.config import ConfigError, load_profile
from flight.telemetry.dictionary import PARAMETER_BY_NAME
from hil.contact_book import ContactBook
from hil.plant.constants import ZERO_CELSIUS_K
from hil.plant.orbit import Orbit
from hil.plant.spacecraft import Spacecraft
from hil.scene_camera import DARK_CHECK_NS, next_frame_ns
from hil.score.case_format import FORMAT, VERSION, check_case
from hil.score.flown_plant import NAMES, FlownSky, flown_sky, power_part, thermal_part
from hil.score.picture_worth import Worth, worth_of_pictures
from hil.world import DAYLIGHT_COSINE, NS_PER_S, elements, load_scene, spacecraft_config

if TYPE_CHECKING:
    from pathlib import Path

    from flight.inference.job import Tile
    from hil.scenario import Scenario

Windows = list[tuple[dict[str, Any], list[dict[str, Any]]]]
"""Contacts as planned, and what clouds leave of each."""
MINUTE_S = 60
VARIANTS = ("all", "best")
"""All results of a picture, or only the one that is worth most a bit."""
BITS_A_BYTE = 8
KELVIN_QUANTUM = 0.001
ENERGY_LEFT = 1e-9
"""Value of a joule at the end: none, as long as the floor is kept; planners want a price."""


@dataclass(frozen=True, slots=True)
class FlownDay:
    """A run as a day.

    Attributes:
        case: the day ("dve-case").
        value_flown: delivered by the run in pictures and masks.
        value_beside: what else it made (telemetry, events): worth the same under any governor.
        value_all: of all pictures the camera took, were each of them computed and delivered.
    """

    case: dict[str, Any]
    value_flown: float
    value_beside: float
    value_all: float


def flown_day(folder: Path, scenario: Scenario) -> FlownDay:
    """The day of a finished run.

    Raises:
        ConfigError: there is nothing in the folder to make a day of, in one line.
    """
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    scene = load_scene(scenario)
    orbit = Orbit(elements(scenario))
    craft = Spacecraft(spacecraft_config(scenario), orbit)
    limit_c = {"die": load_profile(scenario.node.inference.profile).die_limit_c}
    seconds = MINUTE_S * math.ceil(scenario.duration_s / MINUTE_S)
    sky = flown_sky(craft, seconds, limit_c["die"] + ZERO_CELSIUS_K, DAYLIGHT_COSINE)
    shown = pictures(scenario, scene, sky)
    worth = worth_of_pictures(folder, [scene[i].sha256 for _, i in shown])
    if not worth.classes:
        raise ConfigError(f"{folder}: the run delivered no picture: nothing to score a governor by")
    windows = contacts(scenario, orbit)
    case = {
        "format": FORMAT, "version": VERSION, "name": scenario.name, "duration_s": seconds,
        "orbit_period_s": round(orbit.period_s, 3),
        "power": power_part(craft, _floor(scenario), max(sky.array_w)),
        "thermal": thermal_part(craft, limit_c),
        **_payload(scenario, worth),
        "buffers": {"bits_max": float(scenario.node.store.cap_bytes * BITS_A_BYTE)},
        "link": {
            "watts": craft.config.laser_w, "optical_efficiency": craft.config.laser_efficiency,
            "heat_fraction": {"terminal": 1.0},
        },
        "terminal": {"shortfall_value_per_j": ENERGY_LEFT},
        "sensors": {"temperature_quantum_k": KELVIN_QUANTUM},
        "forecast": _foretold(sky, windows, worth, len(shown), seconds),
        "truth": _truth(scenario, sky, windows, _arrivals(worth, shown, seconds)),
    }  # fmt: skip
    check_case(case, str(folder))
    beside = float(summary["value_created"]) - worth.delivered
    return FlownDay(case, worth.delivered, beside, worth.all_shown)


def pictures(scenario: Scenario, scene: list[Tile], sky: FlownSky) -> list[tuple[int, int]]:
    """(second, place in the scene) of every picture that the bench's camera takes."""
    order = np.random.Generator(np.random.PCG64(np.random.SeedSequence(scenario.seed).spawn(3)[2]))
    cadence_ns = round(scenario.node.camera.cadence_s * NS_PER_S)
    taken, now_ns, end_ns = [], 0, round(scenario.duration_s * NS_PER_S)
    while now_ns < end_ns:
        due_ns = next_frame_ns(now_ns, cadence_ns, scenario.camera_pace(now_ns / NS_PER_S))
        if due_ns is not None and due_ns < end_ns and sky.daylight[due_ns // NS_PER_S]:
            taken.append((due_ns // NS_PER_S, int(order.integers(len(scene)))))
            now_ns = due_ns
        else:
            now_ns = max(due_ns or 0, now_ns + DARK_CHECK_NS)
    return taken


def contacts(scenario: Scenario, orbit: Orbit) -> Windows:
    """Each contact as planned, and what clouds leave of it."""
    book = ContactBook(scenario, orbit, np.random.SeedSequence(scenario.seed).spawn(3)[0])
    found = []
    for each in book.contacts:
        start_s, end_s = math.floor(each.start_s), math.ceil(min(each.end_s, scenario.duration_s))
        window = {"start_s": start_s, "end_s": end_s, "rate_bps": each.rate_bps}
        sky = book.skies.get(each.peer_id)
        covers = [] if sky is None else sky.over(each.start_s, each.end_s)
        clear, at_s = [], start_s
        for cover in covers:
            if math.ceil(cover.start_s) > at_s:
                clear.append({**window, "start_s": at_s, "end_s": math.ceil(cover.start_s)})
            at_s = max(at_s, math.floor(cover.end_s))
        if end_s > at_s:
            clear.append({**window, "start_s": at_s})
        if end_s > start_s:
            found.append((window, clear))
    return found


def _floor(scenario: Scenario) -> float:
    floor = PARAMETER_BY_NAME["power.soc_floor"].default
    return float(scenario.node.parameters.get("power.soc_floor", floor))


def _payload(scenario: Scenario, worth: Worth) -> dict[str, Any]:
    """Levels of the board, and kinds of pictures."""
    inference, camera = scenario.node.inference, scenario.node.camera
    profile, names = load_profile(inference.profile), [c.name for c in worth.classes]
    modes = []
    for level in range(1, profile.top + 1):
        ms = profile.tile_ms(level, inference.first_variant) * camera.tiles_per_frame
        modes += [
            {
                "name": f"{profile.levels[level - 1].name} {variant}",
                "watts": profile.active_w(level), "variant": variant,
                "heat_fraction": {"die": 1.0}, "frames_per_s": dict.fromkeys(names, 1e3 / ms),
            }
            for variant in VARIANTS
        ]  # fmt: skip
    return {
        "compute": {
            "variants": list(VARIANTS), "idle_w": 0.0, "idle_heat_fraction": {}, "modes": modes,
        },
        "classes": [
            {
                "name": c.name, "value": dict(zip(VARIANTS, c.value, strict=True)),
                "result_bits": dict(zip(VARIANTS, c.bits, strict=True)),
                "frames_max": camera.backlog_frames,
            }
            for c in worth.classes
        ],
    }  # fmt: skip


def _foretold(
    sky: FlownSky, windows: Windows, worth: Worth, pictures: int, seconds: int
) -> dict[str, Any]:
    """What the node knows: its orbit, the contact plan, a frame every so often in the light."""
    share = [worth.kinds.count(c) / len(worth.kinds) for c in range(len(worth.classes))]
    fps, hours = pictures / seconds, -(-seconds // 3600)
    return {
        "sun_fraction": _light(sky, lambda _t: 1.0),
        "environment_heat_w": {n: _knots(sky, sky.heat_w[n]) for n in NAMES},
        "link_windows": [{**planned, "clear_probability": 1.0} for planned, _ in windows],
        "arrival_fps_hourly": {
            c.name: [fps * part] * hours for c, part in zip(worth.classes, share, strict=True)
        },
        "bursts": None,
    }


def _arrivals(worth: Worth, shown: list[tuple[int, int]], seconds: int) -> dict[str, list[int]]:
    """Pictures a second, by kind."""
    arrivals = {c.name: [0] * seconds for c in worth.classes}
    for (t_s, _), kind in zip(shown, worth.kinds, strict=True):
        arrivals[worth.classes[kind].name][t_s] += 1
    return arrivals


def _truth(
    scenario: Scenario, sky: FlownSky, windows: Windows, arrivals: dict[str, list[int]]
) -> dict[str, Any]:
    """What came: heat and lost strings of the timeline, clouds, the pictures themselves."""

    def array(t_s: float) -> float:
        left = [1.0 - e.share for e in scenario.timeline if e.action == "array" and e.holds(t_s)]
        return math.prod(left)

    def foreign_w(t_s: float) -> float:
        return sum(e.watts for e in scenario.timeline if e.action == "heat" and e.holds(t_s))

    heat_w = {n: _knots(sky, sky.heat_w[n]) for n in NAMES}
    heat_w["sink"] = [[t, w + foreign_w(t)] for t, w in heat_w["sink"]]
    return {
        "sun_fraction": _light(sky, array), "environment_heat_w": heat_w,
        "link_windows": [clear for _, each in windows for clear in each],
        "arrivals": arrivals, "plant_changes": [],
    }  # fmt: skip


def _light(sky: FlownSky, scale: Any) -> list[list[float]]:
    most_w = max(sky.array_w)
    return [[t, w / most_w * scale(t)] for t, w in zip(sky.t_s, sky.array_w, strict=True)]


def _knots(sky: FlownSky, values: list[float]) -> list[list[float]]:
    return [[t, x] for t, x in zip(sky.t_s, values, strict=True)]
