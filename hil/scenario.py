"""A scenario: one TOML file that says who flies, what happens and what must hold.

The same file runs on every target. Everything is typed and range-checked on reading; an error is
one line with file, key, value and what is allowed. `as_flown` writes the scenario back with every
default in place, so a run can be repeated from its own folder.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from flight.config import ConfigError, NodeConfig, check_node, convert, read_toml
from hil.scenario_check import check_scenario
from hil.toml_text import toml_text

SHIPPED = Path(__file__).parent / "scenarios"
DEFAULT = "first-flight"
Seconds = Annotated[float, Meta(ge=0.0, le=31_536_000.0)]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: frozen, strict."""


class SpacecraftSection(_Section, frozen=True, kw_only=True):
    """The plant: orbit, array, battery, heat. What is not said here is the plant's default."""

    altitude_km: Annotated[float, Meta(ge=300.0, le=1500.0)] = 600.0
    ltan_h: Annotated[float, Meta(ge=0.0, lt=24.0)] = 18.0
    mean_anomaly_deg: Annotated[float, Meta(ge=0.0, lt=360.0)] = 0.0
    tle: tuple[str, ...] = ()
    soc_initial: Annotated[float, Meta(ge=0.05, le=1.0)] = 0.9
    battery_series: Annotated[int, Meta(ge=1, le=100)] = 6
    battery_parallel: Annotated[int, Meta(ge=1, le=100)] = 2
    array_area_m2: Annotated[float, Meta(gt=0.0, le=100.0)] = 0.22
    radiator_area_m2: Annotated[float, Meta(gt=0.0, le=100.0)] = 0.09
    base_load_w: Annotated[float, Meta(gt=0.0, le=1000.0)] = 12.0
    laser_w: Annotated[float, Meta(gt=0.0, le=500.0)] = 22.0


class ImagerySection(_Section, frozen=True, kw_only=True):
    """Where the pixels come from: the fetched Sentinel-2 scene or seeded synthetic tiles."""

    source: Literal["sentinel2", "synthetic"] = "sentinel2"


class SiteSection(_Section, frozen=True, kw_only=True):
    """A station of the user's own, beside the ones that are known."""

    key: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]
    name: Annotated[str, Meta(min_length=1, max_length=48)]
    lat_deg: Annotated[float, Meta(ge=-90.0, le=90.0)]
    lon_deg: Annotated[float, Meta(ge=-180.0, le=180.0)]
    alt_m: Annotated[float, Meta(ge=-430.0, le=9000.0)] = 0.0
    clear_fraction: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.6


class GroundSection(_Section, frozen=True, kw_only=True):
    """Stations, relay shell and the channel to them."""

    stations: tuple[str, ...] = ("tenerife", "nemea")
    sites: tuple[SiteSection, ...] = ()
    elevation_mask_deg: Annotated[float, Meta(ge=5.0, le=60.0)] = 20.0
    rate_bps: Annotated[float, Meta(ge=1e5, le=1e11)] = 100e6
    margin_zenith_db: Annotated[float, Meta(ge=-10.0, le=40.0)] = 12.0
    max_passes: Annotated[int, Meta(ge=0, le=1000)] = 2
    relay: bool = True
    relay_rate_bps: Annotated[float, Meta(ge=1e4, le=1e11)] = 20e6
    relay_contact_s: Seconds = 300.0
    relay_every_s: Annotated[float, Meta(ge=600.0, le=1e7)] = 5400.0
    relay_first_s: Seconds = 1500.0
    relay_free_share: Annotated[float, Meta(gt=0.0, le=1.0)] = 1.0
    radio_stations: tuple[str, ...] = ()
    radio_rate_bps: Annotated[float, Meta(ge=1e3, le=1e8)] = 256e3
    radio_mask_deg: Annotated[float, Meta(ge=0.0, le=60.0)] = 5.0
    radio_loss: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.0
    report_period_s: Annotated[float, Meta(ge=0.01, le=60.0)] = 0.2
    report_loss: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.1
    bit_error_rate: Annotated[float, Meta(ge=0.0, le=0.01)] = 0.0
    cloud: bool = False
    sun_keep_out_deg: Annotated[float, Meta(ge=0.0, le=45.0)] = 5.0


class TimelineEntry(_Section, frozen=True, kw_only=True):
    """One thing that happens; `for_s` ends an injection by itself.

    Actions: `heat` (watts into the sink), `cloud` (optical outage at the station in contact),
    `reset` (power cut of the node), `command` (one telecommand, sent at the next uplink),
    `sequence` (one sequence, uploaded from the next uplink on), `array`, `radiator` and `battery`
    (share of what it gives, radiates or holds lost), `camera` (frames at another pace),
    `sensor_stuck` and `sensor_lost` (one sensor field), `actuator_stuck` (one actuator),
    `engine_lost` (no job of the payload gives an answer), `utc_step` (the node's UTC is wrong).
    """

    at_s: Seconds
    action: Literal[
        "heat", "cloud", "reset", "command", "sequence", "array", "radiator", "battery", "camera",
        "sensor_stuck", "sensor_lost", "actuator_stuck", "engine_lost", "utc_step",
    ]  # fmt: skip
    for_s: Seconds = 0.0
    watts: Annotated[float, Meta(ge=-500.0, le=500.0)] = 0.0
    share: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    pace: Annotated[float, Meta(ge=0.0, le=100.0)] = 0.0
    sensor: str = ""
    actuator: Literal["", "payload_level", "laser", "target", "heater"] = ""
    step_s: Annotated[float, Meta(ge=-86_400.0, le=86_400.0)] = 0.0
    command: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    sequence: dict[str, Any] = field(default_factory=dict)
    text: str = ""

    def holds(self, t_s: float) -> bool:
        """Whether an injection is there at this mission time."""
        return self.at_s <= t_s and (self.for_s == 0.0 or t_s < self.at_s + self.for_s)


class ExpectKind(Enum):
    """When an expectation is judged."""

    ALWAYS = "always"
    NEVER = "never"
    AT_END = "at_end"
    WITHIN = "within"


class Expectation(_Section, frozen=True, kw_only=True):
    """One named measurement with a limit.

    `always`/`never` judge a telemetry channel at every second after `from_s`; `at_end` judges a
    key of the summary (dots go into objects); `within` wants the event `value` by `limit` seconds
    after `from_s`.
    """

    id: Annotated[str, Meta(min_length=1, max_length=32)]
    kind: ExpectKind
    value: Annotated[str, Meta(min_length=1, max_length=96)]
    op: Literal["<", "<=", ">", ">=", "==", "!="] = "<="
    limit: float
    from_s: Seconds = 0.0
    unit: str = ""
    text: str = ""
    requirement: str = ""


class Scenario(_Section, frozen=True, kw_only=True):
    """A whole scenario."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,47}$")]
    title: str
    description: str = ""
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    duration_s: Annotated[float, Meta(gt=0.0, le=31_536_000.0)]
    epoch_utc: datetime
    spacecraft: SpacecraftSection = field(default_factory=SpacecraftSection)
    imagery: ImagerySection = field(default_factory=ImagerySection)
    ground: GroundSection = field(default_factory=GroundSection)
    node: NodeConfig = field(default_factory=NodeConfig)
    timeline: tuple[TimelineEntry, ...] = ()
    expect: tuple[Expectation, ...] = ()

    @property
    def epoch_utc_s(self) -> float:
        """Epoch as Unix seconds."""
        return self.epoch_utc.timestamp()

    def camera_pace(self, t_s: float) -> float:
        """Frames in place of one at a mission time; of entries that overlap the later counts."""
        held = [e for e in self.timeline if e.action == "camera" and e.holds(t_s)]
        return max(held, key=lambda entry: entry.at_s).pace if held else 1.0


def shipped_names() -> list[str]:
    """Names of the scenarios that come with the product."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_scenario(name_or_path: str) -> Scenario:
    """A shipped scenario by name or any TOML file; ConfigError in one line."""
    path = _find(name_or_path)
    scenario = convert(_content(path, ()), Scenario, str(path))
    check_node(scenario.node, f"{path}: node")
    check_scenario(scenario, str(path))
    return scenario


def _find(name_or_path: str) -> Path:
    path = Path(name_or_path)
    if name_or_path.endswith(".toml"):
        return path
    path = SHIPPED / f"{name_or_path}.toml"
    if not path.exists():
        if Path(name_or_path).is_dir():
            raise ConfigError(
                f"scenario {name_or_path!r}: is a folder; a run in it is flown again by "
                f"`lumenode replay {name_or_path}`"
            )
        known = ", ".join(shipped_names())
        raise ConfigError(f"scenario {name_or_path!r}: unknown; known: {known}, or a .toml file")
    return path


def _content(path: Path, children: tuple[Path, ...]) -> dict[str, Any]:
    """The file on top of what it `extends`: tables are merged, everything else is replaced."""
    content = read_toml(path)
    base_name = content.pop("extends", None)
    if base_name is None:
        return content
    if not isinstance(base_name, str):
        raise ConfigError(f"{path}: extends = {base_name!r}: expected the name of a scenario")
    base = _find(base_name)
    if base in (*children, path):
        raise ConfigError(f"{path}: extends = {base_name!r}: goes round in a circle")
    return _merged(_content(base, (*children, path)), content)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for key, value in above.items():
        lower = both.get(key)
        both[key] = (
            _merged(lower, value) if isinstance(lower, dict) and isinstance(value, dict) else value
        )
    return both


def with_overrides(scenario: Scenario, *, seed: int | None) -> Scenario:
    """The scenario with what the command line changed."""
    return scenario if seed is None else msgspec.structs.replace(scenario, seed=seed)


def as_flown(scenario: Scenario) -> str:
    """The scenario as TOML with every default written out; reading it back gives the same value."""
    plain = msgspec.to_builtins(scenario, builtin_types=(datetime,))
    return toml_text(plain)
