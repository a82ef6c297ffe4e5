"""What a scenario may not say although every value is in its range: refused before anything flies.

One line each, naming file, key, value and what is allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flight.command_text import command_from
from flight.config import ConfigError
from flight.sequence_file import sequence_from
from flight.telemetry.dictionary import (
    CHANNELS,
    EVENT_BY_NAME,
)
from hil.ground.stations import STATIONS
from hil.plant.constants import NS_PER_S
from hil.plant.element_set import ElementSet
from hil.plant_bench import SENSOR_BITS, TRUTH

if TYPE_CHECKING:
    from hil.scenario import Expectation, Scenario, TimelineEntry

OWN_FIELDS = {
    "heat": ("watts", "for_s"),
    "cloud": ("for_s",),
    "reset": (),
    "command": ("command", "arguments"),
    "sequence": ("sequence",),
    "array": ("share", "for_s"),
    "radiator": ("share", "for_s"),
    "battery": ("share", "for_s"),
    "camera": ("pace", "for_s"),
    "sensor_stuck": ("sensor", "for_s"),
    "sensor_lost": ("sensor", "for_s"),
    "actuator_stuck": ("actuator", "for_s"),
    "engine_lost": ("for_s",),
    "utc_step": ("step_s", "for_s"),
}
"""Fields of a timeline entry beyond `at_s`, `action` and `text`, by action."""
NEEDED = {
    "heat": "watts",
    "cloud": "for_s",
    "command": "command",
    "sequence": "sequence",
    "array": "share",
    "radiator": "share",
    "battery": "share",
    "sensor_stuck": "sensor",
    "sensor_lost": "sensor",
    "actuator_stuck": "actuator",
    "utc_step": "step_s",
}
"""The field without which an action would do nothing."""
OWN_OF_A_NODE = {"engine_lost": "an engine", "camera": "a camera"}
"""What a node at the far end of a line brings along."""
SUMMARY_KEYS = (
    "version", "scenario", "title", "target", "seed", "epoch_utc", "software_version",
    "cpu_features", "dictionary_hash", "model_hashes", "imagery_hash", "log_hash", "sim_s",
    "wall_s", "cpu_s", "speed_x",
    "frames_seen", "inferences", "inferences_executed", "inferences_memoised",
    "products_created", "products_delivered", "products_delivered_twice",
    "products_lost_after_acknowledgement", "products_evicted", "bytes_created",
    "bytes_delivered", "value_created", "value_delivered", "energy_j_array", "energy_j_compute",
    "energy_j_laser", "energy_residual_j", "soc_min", "soc_floor", "brown_outs",
    "temp_die_c_max", "temp_die_c_limit", "violation_s_thermal", "violation_s_soc",
    "throttle_s_by_reason", "mode_s_by_mode", "passes", "frames_sent", "frames_lost",
    "frames_retransmitted", "frames_refused_on_ground", "reports_sent", "reports_lost",
    "keep_out_violation_s", "radio",
    "events_by_severity", "events_suppressed", "commands_accepted", "commands_rejected",
    "resets", "queue_high_water", "drops_by_queue", "bench_link",
)  # fmt: skip
"""What `at_end` may name: the keys of the summary before it is judged."""
ELEMENT_LINES = 2
FIRST_YEAR, LAST_YEAR = 1971, 2099
"""Years whose orbits can be propagated: one Unix epoch, one century for the ephemerides."""
BENCH_EVENTS = (*(action.upper() for action in OWN_FIELDS), "NODE_STOPPED")


def check_scenario(scenario: Scenario, source: str) -> None:
    """Everything the types cannot say, `source` being the file.

    Raises:
        ConfigError: the first thing that cannot be flown, in one line.
    """
    if scenario.epoch_utc.tzinfo is None:
        raise ConfigError(
            f"{source}: epoch_utc: needs a time zone, for example 2026-06-21T00:00:00Z"
        )
    if not FIRST_YEAR <= scenario.epoch_utc.year <= LAST_YEAR:
        raise ConfigError(
            f"{source}: epoch_utc = {scenario.epoch_utc:%Y-%m-%d}: allowed is {FIRST_YEAR} to "
            f"{LAST_YEAR}"
        )
    _check_orbit(scenario, source)
    _check_ground(scenario, source)
    for i, entry in enumerate(scenario.timeline):
        if entry.at_s > scenario.duration_s:
            raise ConfigError(
                f"{source}: timeline[{i}].at_s = {entry.at_s:g}: allowed is 0 to duration_s = "
                f"{scenario.duration_s:g}"
            )
        _check_entry(entry, f"{source}: timeline[{i}]")
    ids = [expectation.id for expectation in scenario.expect]
    for i, expectation in enumerate(scenario.expect):
        if expectation.id in ids[:i]:
            raise ConfigError(f"{source}: expect[{i}].id = {expectation.id!r}: stands twice")
        _check_expectation(expectation, f"{source}: expect[{i}]")


def check_for_line(scenario: Scenario, source: str, target: str) -> None:
    """What cannot be done to a node at the far end of a line.

    Raises:
        ConfigError: the first thing of the timeline that this process cannot do there.
    """
    if scenario.node.links.radio:
        raise ConfigError(
            f"{source}: node.links.radio = true: target {target} has no radio modem; allowed on "
            "target sim only"
        )
    for i, entry in enumerate(scenario.timeline):
        if entry.action in OWN_OF_A_NODE:
            raise ConfigError(
                f"{source}: timeline[{i}].action = {entry.action!r}: target {target} has "
                f"{OWN_OF_A_NODE[entry.action]} of its own; allowed on target sim only"
            )


def _check_orbit(scenario: Scenario, source: str) -> None:
    lines = scenario.spacecraft.tle
    if not lines:
        return
    if len(lines) != ELEMENT_LINES:
        raise ConfigError(f"{source}: spacecraft.tle: has {len(lines)} lines, needs two")
    try:
        ElementSet(round(scenario.epoch_utc_s * NS_PER_S), *lines)
    except ValueError as error:
        raise ConfigError(f"{source}: spacecraft.tle: {error}") from None


def _check_ground(scenario: Scenario, source: str) -> None:
    known = [each.key for each in STATIONS]
    stations = scenario.ground.stations
    for i, site in enumerate(scenario.ground.sites):
        if site.key in known:
            raise ConfigError(f"{source}: ground.sites[{i}].key = {site.key!r}: stands twice")
        known.append(site.key)
    ground = scenario.ground
    for name, keys in (("stations", stations), ("radio_stations", ground.radio_stations)):
        for i, key in enumerate(keys):
            where = f"{source}: ground.{name}[{i}] = {key!r}"
            if key not in known:
                raise ConfigError(f"{where}: no such station; allowed is one of {', '.join(known)}")
            if key in keys[:i]:
                raise ConfigError(f"{where}: stands twice")
    if ground.relay and ground.relay_contact_s > ground.relay_every_s:
        raise ConfigError(
            f"{source}: ground.relay_contact_s = {ground.relay_contact_s:g}: allowed is 0 to "
            f"relay_every_s = {ground.relay_every_s:g}"
        )


def _check_entry(entry: TimelineEntry, where: str) -> None:
    for key, value in msgspec.structs.asdict(entry).items():
        if key in ("at_s", "action", "text", *OWN_FIELDS[entry.action]):
            continue
        if value:
            raise ConfigError(f"{where}.{key} = {value!r}: does not belong to {entry.action!r}")
    needed = NEEDED.get(entry.action)
    if needed is not None and not getattr(entry, needed):
        raise ConfigError(f"{where}.{needed}: is needed by {entry.action!r}")
    if entry.sensor and entry.sensor not in SENSOR_BITS:
        raise ConfigError(
            f"{where}.sensor = {entry.sensor!r}: no such sensor; allowed is one of "
            f"{', '.join(SENSOR_BITS)}"
        )
    if entry.action == "sequence":
        sequence_from(entry.sequence, f"{where}.sequence")
    if entry.action == "command":
        command_from(entry.command, entry.arguments, where)


def _check_expectation(expectation: Expectation, where: str) -> None:
    value = expectation.value
    if expectation.kind.value == "at_end" and value.partition(".")[0] not in SUMMARY_KEYS:
        raise ConfigError(f"{where}.value = {value!r}: no such key of the summary")
    if expectation.kind.value in ("always", "never"):
        names = [channel.name for channel in CHANNELS] + [channel.name for channel in TRUTH]
        if value not in names:
            raise ConfigError(f"{where}.value = {value!r}: no such telemetry channel")
    elif expectation.kind.value == "within" and value not in (*EVENT_BY_NAME, *BENCH_EVENTS):
        raise ConfigError(f"{where}.value = {value!r}: no such event")
