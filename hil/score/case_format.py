"""The file of a governor's day, "dve-case" version 1: read, checked, refused in one line.

The checked content stays a dictionary, because that is what a governor is given; `public_part`
takes away what it may not see.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from flight.config import ConfigError, convert
from hil.score.dve_case import STEFAN_BOLTZMANN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT, VERSION = "dve-case", 1
HIDDEN = ("truth", "name", "family", "seed")
"""What a governor is not shown: a public day could be made again from its family and seed."""
CHANGE_STEP_S = 60
BYTES_MAX = 1 << 26
RATE_MAX = 2.785
"""A node that follows its neighbours faster, per second, has no stable steps of a second (RK4)."""

NotNegative = Annotated[float, Meta(ge=0.0, le=1e15)]
Positive = Annotated[float, Meta(gt=0.0, le=1e15)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Kelvin = Annotated[float, Meta(gt=0.0, le=2000.0)]
Knots = Annotated[list[tuple[float, float]], Meta(min_length=1)]
Shares = dict[str, Share]


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part; keys that a later version adds are passed over."""


class PowerPart(_Part, frozen=True, kw_only=True):
    """Array, battery and base load."""

    array_w: NotNegative
    base_load_w: NotNegative
    base_heat_fraction: Shares
    battery_capacity_j: Positive
    battery_start_j: NotNegative
    depth_of_discharge_max: Share
    charge_efficiency: Annotated[float, Meta(gt=0.0, le=1.0)]
    discharge_efficiency: Annotated[float, Meta(gt=0.0, le=1.0)]
    charge_max_w: Positive
    discharge_max_w: Positive


class NodePart(_Part, frozen=True, kw_only=True):
    """One lump of the thermal network."""

    name: str
    capacity_j_per_k: Positive
    start_k: Kelvin
    max_k: Kelvin
    radiator_area_m2: NotNegative
    emissivity: Share


class EdgePart(_Part, frozen=True, kw_only=True):
    """A conductance."""

    a: str
    b: str
    w_per_k: NotNegative


class ThermalPart(_Part, frozen=True, kw_only=True):
    """The thermal network."""

    nodes: Annotated[list[NodePart], Meta(min_length=1, max_length=8)]
    conductances: list[EdgePart]


class ModePart(_Part, frozen=True, kw_only=True):
    """A power level with a model variant."""

    name: str
    watts: NotNegative
    variant: str
    heat_fraction: Shares
    frames_per_s: dict[str, NotNegative]


class ComputePart(_Part, frozen=True, kw_only=True):
    """What computes."""

    variants: Annotated[list[str], Meta(min_length=1, max_length=6)]
    idle_w: NotNegative
    idle_heat_fraction: Shares
    modes: Annotated[list[ModePart], Meta(min_length=1, max_length=32)]


class ClassPart(_Part, frozen=True, kw_only=True):
    """A kind of frames."""

    name: str
    value: dict[str, NotNegative]
    result_bits: dict[str, Positive]
    frames_max: Annotated[int, Meta(ge=1, le=10**9)]


class BuffersPart(_Part, frozen=True, kw_only=True):
    """Room for results."""

    bits_max: Positive


class LinkPart(_Part, frozen=True, kw_only=True):
    """The laser terminal."""

    watts: NotNegative
    optical_efficiency: Share
    heat_fraction: Shares


class TerminalPart(_Part, frozen=True, kw_only=True):
    """What ending low costs."""

    shortfall_value_per_j: NotNegative


class SensorsPart(_Part, frozen=True, kw_only=True):
    """What sensors show."""

    temperature_quantum_k: NotNegative


class ForecastWindow(_Part, frozen=True, kw_only=True):
    """A contact as it is planned."""

    start_s: NotNegative
    end_s: NotNegative
    rate_bps: Positive
    clear_probability: Share


class TrueWindow(_Part, frozen=True, kw_only=True):
    """A contact as it is, clouds taken out."""

    start_s: NotNegative
    end_s: NotNegative
    rate_bps: Positive


class Bursts(_Part, frozen=True, kw_only=True):
    """What is known of bursts beforehand."""

    per_day_mean: NotNegative
    event_fps_mean: NotNegative
    length_s_mean: NotNegative


class ForecastPart(_Part, frozen=True, kw_only=True):
    """What a governor is told."""

    sun_fraction: Knots
    environment_heat_w: dict[str, Knots]
    link_windows: list[ForecastWindow]
    arrival_fps_hourly: dict[str, Annotated[list[NotNegative], Meta(min_length=1)]]
    bursts: Bursts | None = None


class PlantChange(_Part, frozen=True, kw_only=True):
    """From `t_s` on the plant is another one, and nobody says so."""

    t_s: Annotated[int, Meta(ge=0, le=10**7, multiple_of=CHANGE_STEP_S)]
    array_scale: NotNegative | None = None
    base_load_scale: NotNegative | None = None
    rate_scale: NotNegative | None = None
    emissivity_scale: dict[str, NotNegative] = field(default_factory=dict)
    environment_heat_scale: dict[str, NotNegative] = field(default_factory=dict)


class TruthPart(_Part, frozen=True, kw_only=True):
    """The day as it comes."""

    sun_fraction: Knots
    environment_heat_w: dict[str, Knots]
    link_windows: list[TrueWindow]
    arrivals: dict[str, list[Annotated[int, Meta(ge=0, le=10**6)]]]
    plant_changes: list[PlantChange] = field(default_factory=list)


class CaseFile(_Part, frozen=True, kw_only=True):
    """A whole day."""

    format: Literal["dve-case"]
    version: Literal[1]
    name: str = ""
    duration_s: Annotated[int, Meta(ge=CHANGE_STEP_S, le=864_000, multiple_of=CHANGE_STEP_S)]
    orbit_period_s: Positive
    power: PowerPart
    thermal: ThermalPart
    compute: ComputePart
    classes: Annotated[list[ClassPart], Meta(min_length=1, max_length=6)]
    buffers: BuffersPart
    link: LinkPart
    terminal: TerminalPart
    sensors: SensorsPart
    forecast: ForecastPart
    truth: TruthPart


def read_case(path: Path) -> dict[str, Any]:
    """The day in a file; ConfigError in one line when it is none."""
    try:
        with path.open("rb") as file:
            text = file.read(BYTES_MAX + 1)
        content = json.loads(text.decode()) if len(text) <= BYTES_MAX else None
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable: {error}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid JSON: {error}") from None
    if len(text) > BYTES_MAX:
        raise ConfigError(f"{path}: allowed are {BYTES_MAX} B")
    check_case(content, str(path))
    assert isinstance(content, dict)
    return content


def check_case(content: object, source: str) -> None:
    """ConfigError for the first thing that is wrong with a day."""
    case = convert(content, CaseFile, source)
    for where, wrong in _contradictions(case):
        raise ConfigError(f"{source}: {where}: {wrong}")


def _contradictions(case: CaseFile) -> Iterator[tuple[str, str]]:
    yield from _contradictions_of_node(case)
    for frames in case.classes:
        name = frames.name
        if len(case.truth.arrivals.get(name, ())) != case.duration_s:
            yield f"truth.arrivals.{name}", f"needs {case.duration_s} numbers"
        if name not in case.forecast.arrival_fps_hourly:
            yield f"forecast.arrival_fps_hourly.{name}", "missing"
    nodes = [node.name for node in case.thermal.nodes]
    for side, part in (("forecast", case.forecast), ("truth", case.truth)):
        for name in part.environment_heat_w:
            if name not in nodes:
                yield f"{side}.environment_heat_w.{name}", f"allowed: {', '.join(nodes)}"


def _contradictions_of_node(case: CaseFile) -> Iterator[tuple[str, str]]:
    nodes, variants = [node.name for node in case.thermal.nodes], case.compute.variants
    for i, edge in enumerate(case.thermal.conductances):
        if edge.a not in nodes or edge.b not in nodes or edge.a == edge.b:
            yield f"thermal.conductances[{i}]", f"allowed: two of {', '.join(nodes)}"
    for i, node in enumerate(case.thermal.nodes):
        joined = sum(e.w_per_k for e in case.thermal.conductances if node.name in (e.a, e.b))
        radiated = 4.0 * STEFAN_BOLTZMANN * node.radiator_area_m2 * node.emissivity
        if joined + radiated * node.start_k**3 > RATE_MAX * node.capacity_j_per_k:
            yield f"thermal.nodes[{i}].capacity_j_per_k", "too little for steps of a second"
    for i, mode in enumerate(case.compute.modes):
        if mode.variant not in variants:
            yield f"compute.modes[{i}].variant", f"allowed: {', '.join(variants)}"
        if mode.watts < case.compute.idle_w:
            yield f"compute.modes[{i}].watts", "must not be under compute.idle_w"
    for i, frames in enumerate(case.classes):
        if set(variants) - set(frames.value) or set(variants) - set(frames.result_bits):
            yield f"classes[{i}]", f"needs value and result_bits of {', '.join(variants)}"


def public_part(case: Mapping[str, Any]) -> dict[str, Any]:
    """What a governor may see."""
    return {key: value for key, value in case.items() if key not in HIDDEN}


def case_id(case: Mapping[str, Any]) -> str:
    """SHA-256 of the content: sorted keys, no spaces."""
    text = json.dumps(case, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
