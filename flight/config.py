"""Configuration of a node: the only reader of TOML in the flight software.

Typed, units in names, unknown keys refused. Every error is one line that names file, key, value
and what is allowed, so that a typing mistake costs seconds.
"""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, field

from flight.commanding.parameters import ParameterTable
from flight.config_ranges import (
    MISSING,
    KeyPath,
    allowed,
    as_shown,
    numbers_not_finite,
    schema_error,
    spelled,
    value_at,
)
from flight.inference.job import BANDS
from flight.io.absent_sensors import SensorName  # noqa: TC001  read from the annotation
from flight.link_config import (
    ContactConfig,
    KeepOutConfig,
    LinkConfig,
    LinksConfig,
    StoreConfig,
)
from flight.thermal.board_profile import BoardProfile, contradiction

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
SPANS_MAX = 1_024
"""Contacts, and keep-outs, that a plan holds."""
PROFILES = Path(__file__).parent / "thermal" / "profiles"


class ConfigError(ValueError):
    """A configuration that cannot be flown; its text is one line for the user."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: frozen, strict."""


class BatteryConfig(_Section, frozen=True, kw_only=True):
    """The battery as the node believes it to be.

    Attributes:
        series, parallel: cells.
        cell_capacity_ah: rated charge of one cell.
        cell_resistance_ohm: ohmic plus polarisation, 25 degC.
        ocv_soc, ocv_v: open-circuit voltage of one cell over state of charge.
    """

    series: Annotated[int, Meta(ge=1, le=100)] = 6
    parallel: Annotated[int, Meta(ge=1, le=100)] = 2
    cell_capacity_ah: Annotated[float, Meta(gt=0.0, le=500.0)] = 3.5
    cell_resistance_ohm: Annotated[float, Meta(gt=0.0, le=10.0)] = 0.055
    ocv_soc: tuple[Fraction, ...] = (
        0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0,
    )  # fmt: skip
    ocv_v: tuple[Annotated[float, Meta(ge=1.0, le=5.0)], ...] = (
        3.0, 3.29, 3.44, 3.55, 3.61, 3.66, 3.72, 3.81, 3.91, 4.0, 4.08, 4.13, 4.2,
    )  # fmt: skip


class OrbitConfig(_Section, frozen=True, kw_only=True):
    """Mean elements (SGP4 theory) that the node propagates itself."""

    epoch_utc_s: float
    inclination_deg: Annotated[float, Meta(ge=0.0, le=180.0)]
    raan_deg: Annotated[float, Meta(ge=0.0, lt=360.0)]
    eccentricity: Annotated[float, Meta(ge=0.0, le=0.2)] = 0.0001
    argp_deg: Annotated[float, Meta(ge=0.0, lt=360.0)] = 0.0
    mean_anomaly_deg: Annotated[float, Meta(ge=0.0, lt=360.0)] = 0.0
    mean_motion_rev_day: Annotated[float, Meta(ge=1.0, le=17.0)] = 14.9
    bstar: float = 0.0


class CameraConfig(_Section, frozen=True, kw_only=True):
    """What the imager delivers.

    Attributes:
        cadence_s: a frame every so long while the scene is lit.
        tiles_per_frame: tiles of the model's size in one frame of the imager. One of them is
            computed for real, time and energy are charged for all.
        backlog_frames: frames that may wait for the payload.
        deadline_s: a frame older than this is worth nothing.
        bands: of a tile, in the order of its octets.
    """

    bands: Annotated[tuple[str, ...], Meta(min_length=1, max_length=32)] = BANDS
    cadence_s: Annotated[float, Meta(ge=0.05, le=3600.0)] = 4.0
    tiles_per_frame: Annotated[int, Meta(ge=1, le=100_000)] = 512
    backlog_frames: Annotated[int, Meta(ge=1, le=4096)] = 16
    deadline_s: Annotated[float, Meta(gt=0.0, le=86_400.0)] = 600.0


class ValueConfig(_Section, frozen=True, kw_only=True):
    """What results are worth, in value units: the mission's own table.

    Attributes:
        mask_land, mask_sea: a cloud mask; flat, since it also says where not to look.
        quicklook_land, quicklook_sea: a picture of fully clear ground; falls with the cloudy share.
        quicklook_cloud_max: cloudier tiles get no picture.
        mask_deadline_s, quicklook_deadline_s: older than this they are worth nothing.
    """

    mask_land: Annotated[float, Meta(ge=0.0, le=1e6)] = 0.12
    mask_sea: Annotated[float, Meta(ge=0.0, le=1e6)] = 0.06
    quicklook_land: Annotated[float, Meta(ge=0.0, le=1e6)] = 1.0
    quicklook_sea: Annotated[float, Meta(ge=0.0, le=1e6)] = 0.3
    quicklook_cloud_max: Fraction = 0.6
    mask_deadline_s: Annotated[float, Meta(gt=0.0, le=1e7)] = 43_200.0
    quicklook_deadline_s: Annotated[float, Meta(gt=0.0, le=1e7)] = 28_800.0


class InferenceConfig(_Section, frozen=True, kw_only=True):
    """Model and board.

    Attributes:
        models: folder with models of one's own, each with its manifest; the shipped ones if empty.
        model, variant: what flies; "auto" is the faster one of fp32 and int8 on this board.
        cascade: the small variant looks first; cloudy from `cascade_cloud_min` on is done.
        confirm_value: a tile that may be worth as much is run twice, by two sessions; 0 is none.
        upload: models are taken from the ground, if it has signed them.
    """

    models: str = ""
    model: str = "cloud_unet"
    variant: Annotated[str, Meta(pattern="^[a-z0-9_-]{1,24}$")] = "fp32"
    cascade: bool = False
    cascade_cloud_min: Fraction = 0.85
    confirm_value: Annotated[float, Meta(ge=0.0, le=1e6)] = 0.0
    upload: bool = True
    profile: str = "orin-nano-modelled"
    governor: Annotated[str, Meta(pattern="^(guard|planner|none)$")] = "guard"

    @property
    def first_variant(self) -> str:
        """The variant that flies until the board has said which is the faster one."""
        return "fp32" if self.variant == "auto" else self.variant


class PlannerConfig(_Section, frozen=True, kw_only=True):
    """The way of the heat as guard and planner believe it to be; counts where there is an orbit.

    Attributes:
        die_j_k, radiator_j_k: heat capacities.
        sink_w_k: from sink to radiator.
        radiator_m2, emissivity: of what radiates.
        sink_c_max, radiator_c_max: they stay below.
    """

    die_j_k: Annotated[float, Meta(gt=0.0, le=10_000.0)] = 12.0
    radiator_j_k: Annotated[float, Meta(gt=0.0, le=1e6)] = 3000.0
    sink_w_k: Annotated[float, Meta(gt=0.0, le=1000.0)] = 3.0
    radiator_m2: Annotated[float, Meta(gt=0.0, le=100.0)] = 0.065
    emissivity: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.88
    sink_c_max: Annotated[float, Meta(ge=0.0, le=120.0)] = 68.0
    radiator_c_max: Annotated[float, Meta(ge=0.0, le=120.0)] = 62.0


class SensorsConfig(_Section, frozen=True, kw_only=True):
    """What this node has no sensor for.

    Attributes:
        absent: neither waited for nor told as lost, and no limit hangs on it. Without "battery"
            the node counts as fed from outside; without "sink" its temperature is taken from the
            die's; without "die" and "sink" nothing watches the heat.
    """

    absent: tuple[SensorName, ...] = ()


class NodeConfig(_Section, frozen=True, kw_only=True):
    """A whole node."""

    name: str = "lumenode-1"
    orbit: OrbitConfig | None = None
    battery: BatteryConfig = field(default_factory=BatteryConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    values: ValueConfig = field(default_factory=ValueConfig)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    planner: PlannerConfig = field(default_factory=PlannerConfig)
    link: LinkConfig = field(default_factory=LinkConfig)
    links: LinksConfig = field(default_factory=LinksConfig)
    sensors: SensorsConfig = field(default_factory=SensorsConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    contacts: tuple[ContactConfig, ...] = ()
    keep_outs: tuple[KeepOutConfig, ...] = ()
    parameters: dict[str, float] = field(default_factory=dict)


def read_toml(path: Path) -> dict[str, Any]:
    """The file as a dictionary; ConfigError when missing or malformed."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def convert(content: object, kind: type[T], source: str) -> T:
    """`content` as `kind`; ConfigError in one line that names source, key, value and range."""
    for path in numbers_not_finite(content):
        raise ConfigError(_line(source, content, kind, path, "not a finite number"))
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        reason, path = schema_error(error, content, kind)
        raise ConfigError(_line(source, content, kind, path, reason)) from None


def _line(source: str, content: object, kind: type, path: KeyPath, reason: str) -> str:
    found = value_at(content, path)
    shown = "" if found is MISSING else f" = {as_shown(found)}"
    rule = allowed(kind, path)
    return f"{source}: {spelled(path)}{shown}: {reason}" + (f"; allowed: {rule}" if rule else "")


def check_node(config: NodeConfig, source: str) -> None:
    """Relations between values that types cannot say.

    Raises:
        ConfigError: the first that does not hold, in one line.
    """
    curve = config.battery.ocv_soc, config.battery.ocv_v
    if len(curve[0]) != len(curve[1]) or len(curve[0]) < 2:
        raise ConfigError(f"{source}: battery.ocv_soc and ocv_v: need two or more points, as many")
    if any(a >= b for points in curve for a, b in pairwise(points)):
        raise ConfigError(f"{source}: battery.ocv_soc and ocv_v: must rise from point to point")
    wrong = config.link.contradiction()
    if wrong is not None:
        raise ConfigError(f"{source}: {wrong}")
    store = config.store
    if store.segment_bytes > store.cap_bytes:
        raise ConfigError(
            f"{source}: store.segment_bytes = {store.segment_bytes}: allowed: up to "
            f"cap_bytes = {store.cap_bytes}"
        )
    plan: dict[str, Sequence[ContactConfig | KeepOutConfig]] = {
        "contacts": config.contacts, "keep_outs": config.keep_outs,
    }  # fmt: skip
    for key, spans in plan.items():
        if len(spans) > SPANS_MAX:
            raise ConfigError(f"{source}: {key}: {len(spans)} of them; allowed: up to {SPANS_MAX}")
        for i, span in enumerate(spans):
            if span.end_utc_s <= span.start_utc_s:
                raise ConfigError(
                    f"{source}: {key}[{i}].end_utc_s = {span.end_utc_s:.12g}: must be after "
                    f"start_utc_s = {span.start_utc_s:.12g}"
                )
    try:
        ParameterTable(config.parameters)
    except ValueError as error:
        raise ConfigError(f"{source}: parameters: {error}") from None


def load_profile(name: str) -> BoardProfile:
    """A shipped board profile by name, or any TOML file by path."""
    path = Path(name) if name.endswith(".toml") else PROFILES / f"{name}.toml"
    if not path.exists():
        known = ", ".join(shipped_profiles())
        raise ConfigError(f"inference.profile = {name!r}: no such board profile; known: {known}")
    profile = convert(read_toml(path), BoardProfile, str(path))
    wrong = contradiction(profile)
    if wrong:
        raise ConfigError(f"{path}: {wrong}")
    return profile


def shipped_profiles() -> list[str]:
    """Names of the board profiles that come with the software."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))
