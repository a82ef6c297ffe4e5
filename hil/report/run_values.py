"""The values of a run directory as the report reads them: field names are those of the files.

Every field but a few names may be absent: counters that cannot be known are null in the files.
"""

from typing import Any

import msgspec

Number = float | None


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Expectation(_Value, frozen=True):
    """One expectation of the scenario with its verdict."""

    id: str = ""
    requirement: Any = None
    kind: str = ""
    text: str = ""
    verdict: str = ""
    measured: Any = None
    limit: Any = None
    unit: str | None = None


class Pass(_Value, frozen=True):
    """One contact as counted by the run; `acquired_s` is counted from `start_s`."""

    contact_id: str | int = ""
    kind: str = ""
    peer: str | int = ""
    start_s: Number = None
    end_s: Number = None
    max_elevation_deg: Number = None
    acquired_s: Number = None
    frames_sent: Number = None
    frames_lost: Number = None
    frames_retransmitted: Number = None
    bytes_delivered: Number = None
    products_delivered: Number = None
    verdict: str | None = None


class Reset(_Value, frozen=True):
    """One reset of the node."""

    t_s: Number = None
    cause: str | int = ""


class Summary(_Value, frozen=True):
    """`summary.json`, version 1."""

    verdict: str
    version: int = 1
    scenario: str = ""
    target: str = ""
    seed: int | None = None
    software_version: str | None = None
    dictionary_hash: str | None = None
    model_hashes: Any = None
    log_hash: str | None = None
    cpu_features: Any = None
    expectations: list[Expectation] = []
    sim_s: Number = None
    wall_s: Number = None
    cpu_s: Number = None
    speed_x: Number = None
    frames_seen: Number = None
    inferences: Number = None
    inferences_memoised: Number = None
    products_created: Number = None
    products_delivered: Number = None
    products_evicted: Number = None
    bytes_created: Number = None
    bytes_delivered: Number = None
    value_created: Number = None
    value_delivered: Number = None
    energy_j_array: Number = None
    energy_j_compute: Number = None
    energy_j_laser: Number = None
    soc_min: Number = None
    soc_floor: Number = None
    temp_die_c_max: Number = None
    temp_die_c_limit: Number = None
    violation_s_thermal: Number = None
    violation_s_soc: Number = None
    throttle_s_by_reason: dict[str, Number] | None = None
    mode_s_by_mode: dict[str, Number] | None = None
    passes: list[Pass] = []
    frames_sent: Number = None
    frames_lost: Number = None
    frames_retransmitted: Number = None
    events_by_severity: dict[str, Number] | None = None
    events_suppressed: Number = None
    commands_accepted: Number = None
    commands_rejected: Number = None
    resets: list[Reset] = []
    queue_high_water: Any = None
    drops_by_queue: dict[str, Any] | None = None


class Event(_Value, frozen=True):
    """One line of `events.jsonl`."""

    t_s: Number = None
    utc: str | None = None
    source: str = ""
    id: int | None = None
    name: str = ""
    severity: str = "INFO"
    text: str = ""
    args: Any = None

    @property
    def is_about_a_command(self) -> bool:
        """Whether the event belongs to the table of commands, whatever its severity."""
        return "COMMAND" in self.name.upper()


class Product(_Value, frozen=True):
    """`products/<name>.json`: one product as rebuilt on the ground."""

    product_id: int | str | None = None
    name: str = ""
    klass: str | int = ""
    size_bytes: Number = None
    value_millis: Number = None
    created_s: Number = None
    captured_s: Number = None
    delivered_s: Number = None
    cloud_fraction: Number = None
    tile_id: int | str | None = None
    origin: str | None = None
    contact: str | int | None = None
    file_stem: str = ""


class Station(_Value, frozen=True):
    """One optical ground station."""

    id: str | int = ""
    name: str = ""
    lat: float = 0.0
    lon: float = 0.0


class Contact(_Value, frozen=True):
    """One contact in detail; the lists are samples over `t_s` (mission time)."""

    contact_id: str | int = ""
    kind: str = ""
    peer: str | int = ""
    start_s: float = 0.0
    end_s: float = 0.0
    max_elevation_deg: Number = None
    t_s: list[float] = []
    elevation_deg: list[Number] | None = None
    range_km: list[Number] | None = None
    margin_db: list[Number] | None = None
    pat_state: list[str | int | None] | None = None
    goodput_bps: list[Number] | None = None
    products: list[Number] | None = None
    frames_good: Number = None
    frames_lost: Number = None
    frames_retransmitted: Number = None
    bytes_acknowledged: Number = None
    products_completed: Number = None


class Fault(_Value, frozen=True):
    """One injected fault; no end means until the end of the run."""

    kind: str = ""
    start_s: float = 0.0
    end_s: Number = None
    text: str = ""


class Inference(_Value, frozen=True):
    """How long and how much one inference took; `modelled` where no board was measured."""

    ms_mean: Number = None
    ms_p95: Number = None
    ms_max: Number = None
    j_mean: Number = None
    modelled: bool = True


class OtherGovernor(_Value, frozen=True):
    """The same scenario under another governor; of several forms of it the best."""

    governor: str = ""
    form: str = ""
    own: bool = False
    value_delivered: Number = None
    violation_s_thermal: Number = None
    violation_s_soc: Number = None
    temp_die_c_max: Number = None
    soc_min: Number = None


class GovernorScore(_Value, frozen=True):
    """`governor.json`: what the run delivered of what no governor could exceed, and why not all.

    Attributes:
        value_bound_free: what none exceeds that does not keep the node's own targets either.
        kept: those targets, by part: nothing is computed above them.
        lost: value that was there and was not delivered, by cause.
        split: the gap to the bound, by what a planner would have had to know.
        bound_costs: how much higher the bound were without a limit.
    """

    governor: str = ""
    log_hash: str | None = None
    value_delivered: Number = None
    value_all: Number = None
    value_bound: Number = None
    value_bound_free: Number = None
    share: Number = None
    kept: dict[str, Number] = {}
    lost: dict[str, Number] = {}
    split: dict[str, Number] = {}
    bound_costs: dict[str, Number] = {}
    others: list[OtherGovernor] = []


class ReportData(_Value, frozen=True):
    """`report_data.json`: what the bench knows beside telemetry."""

    mission: str = ""
    epoch_utc: str | None = None
    track: list[tuple[float, float, float, float]] = []
    stations: list[Station] = []
    contacts: list[Contact] = []
    eclipses: list[tuple[float, float]] = []
    faults: list[Fault] = []
    resets: list[Reset] = []
    limits: dict[str, Number] = {}
    modes: list[str] = []
    throttle_reasons: list[str] = []
    credits: list[str] = []
    inference: Inference | None = None
