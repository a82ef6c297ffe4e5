"""Fault protection as tables: what is watched, what is done about it, what must stay true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from table_parts import table

from flight.app import INFERENCE_INTENSITY
from flight.base.restart_policy import RestartIntensity
from flight.composition import fdir
from flight.config import NodeConfig, load_profile
from flight.fdir.health_table import BY_COMMAND, TRANSITIONS
from flight.fdir.health_watch import COMPONENT, CONDITION
from flight.fdir.limit_row import Verdict
from flight.fdir.recovery_row import Action, Arming
from flight.fdir.safety_tables import BLIND_CYCLES_MAX, RECOVERIES, node_limits
from flight.modes.mode_table import SEQUENCES, TARGETS, Part
from flight.modes.mode_table import TRANSITIONS as MODES
from flight.modes.target_keeper import DRIFT_AFTER_NS, DRIFT_OVER_NS
from flight.telemetry.definitions import Health, Mode
from flight.telemetry.dictionary import CHANNELS, PARAMETER_BY_NAME
from flight.telemetry.health_channels import COMPONENTS

if TYPE_CHECKING:
    from flight.fdir.recovery_row import Recovery

_NS_PER_S = 1e9
_INFINITE = float("inf")
VERDICTS = {
    Verdict.OK: ("the value is inside its bounds", "nothing"),
    Verdict.VIOLATED: (
        "so many samples in a row were beyond a bound",
        "conditions `NAME.yellow` and, beyond red, `NAME.red`; event `LIMIT_VIOLATED`",
    ),
    Verdict.STALE: (
        "no new sample within its age, or never one",
        "condition `NAME.stale`; event `SENSOR_STALE`; what was violated stays so",
    ),
    Verdict.ERROR: (
        "a sample that cannot be: not finite, or from the future",
        "condition `NAME.error`; event `SENSOR_STALE`; it counts for nothing else",
    ),
}
WORDS = {
    Health.HEALTHY: "it works",
    Health.FAULTY: "it was tried and given up; nobody tries again without the ground's word",
    Health.PERMANENTLY_FAULTY: "the ground has said so: not used, and no condition of the node",
    Health.EXTERNAL_CONTROL: "the ground has it: shown as ever, and the node answers nothing",
    Health.NEEDS_RECOVERY: "it has failed, stands still or drifts, and is being dealt with",
}


def _seconds(ns: int) -> str:
    return f"{ns / _NS_PER_S:g} s"


def verdicts() -> str:
    """The four results of a limit."""
    rows = [[f"`{each.value}`", *VERDICTS[each]] for each in Verdict]
    return table(["verdict", "says", "what follows"], rows)


def limits() -> str:
    """Every limit of a node, as built, with the bounds of the default board and parameters."""
    profile = load_profile(NodeConfig().inference.profile)
    built = node_limits(
        die_limit_c=profile.die_limit_c,
        soc_safe=PARAMETER_BY_NAME["power.soc_safe"].default,
        soc_floor=PARAMETER_BY_NAME["power.soc_floor"].default,
    )
    units = {channel.name: channel.unit for channel in CHANNELS}
    rows = [
        [f"`{each.name}`", f"`{each.channel}`", units[each.channel],
         *(_bound(b) for b in (each.low_red, each.low_yellow, each.high_yellow, each.high_red)),
         f"{each.hysteresis:g}", str(each.persistence), _seconds(each.stale_after_ns)]
        for each in built
    ]  # fmt: skip
    head = ["limit", "channel", "unit", "red below", "yellow below", "yellow above", "red above",
            "dead band", "samples", "stale after"]  # fmt: skip
    return table(head, rows)


def _bound(value: float) -> str:
    return "" if abs(value) == _INFINITE else f"{value:g}"


def recoveries() -> str:
    """What the node does by itself when a limit is broken or something is lost."""
    rows = sorted(RECOVERIES, key=lambda row: row.precedence)
    cells = [
        [str(row.precedence), f"`{row.name}`", f"`{row.condition}`", _response(row), _again(row),
         _ends(row)]
        for row in rows
    ]  # fmt: skip
    head = ["precedence", "recovery", "condition", "response", "how often", "ends with"]
    return table(head, cells)


def _response(row: Recovery) -> str:
    asked = [action.value.replace("_", " ") for action in row.actions]
    asked += [f"restart `{row.restart}`"] if row.restart else []
    asked += [f"sequence `{row.sequence}`"] if row.sequence else []
    return ", ".join(asked)


def _again(row: Recovery) -> str:
    budget = "once each time"
    if row.retry is not None:
        budget = f"{row.retry.times} times in {_seconds(row.retry.within_ns)}"
        budget += f", every {_seconds(row.retry.every_ns)}" if row.retry.every_ns else ""
    if row.arming is Arming.BY_COMMAND:
        budget += ", armed by command"
    return f"{budget}, then `{row.escalates_to}`" if row.escalates_to else budget


def _ends(row: Recovery) -> str:
    return f"`{row.condition}` and `{row.clear}`" if row.clear else "its condition"


def conditions() -> str:
    """What a condition means that is no limit's."""
    rows = [
        ["`NAME.yellow`, `.red`, `.stale`, `.error`", "a limit, see above"],
        ["`health.NAME.stalled`", "its heartbeat stands still; " + _heartbeats()],
        ["`health.NAME.faulty`, `.needs_recovery`", "the word of that component"],
        *[[f"`{name}`", _drift(part)] for part, name in CONDITION.items()],
        ["`sensors.lost`", f"{BLIND_CYCLES_MAX} cycles in a row without a snapshot"],
        ["`guard.tripped`", "the dead-man has acted and holds payload and laser off"],
        ["`command_loss`", "the command-loss timer has run out"],
    ]  # fmt: skip
    return table(["condition", "holds while"], rows)


def _drift(part: Part) -> str:
    component = COMPONENT[part]
    return f"out of its target for {_seconds(DRIFT_AFTER_NS)}; the health of `{component}`"


def _heartbeats() -> str:
    limits_ns = {
        "main": fdir.GROUP_LIMIT_NS,
        "telemetry": fdir.GROUP_LIMIT_NS,
        "downlink": fdir.DOWNLINK_LIMIT_NS,
        "store": fdir.STORE_LIMIT_NS,
        "inference": fdir.INFERENCE_LIMIT_NS,
    }
    return "allowed are " + ", ".join(f"`{n}` {_seconds(ns)}" for n, ns in limits_ns.items())


def health() -> str:
    """The five words, and what leads from one to the other."""
    words = [[f"`{word.name.lower()}`", WORDS[word]] for word in Health]
    rows: dict[tuple[Health, str], list[str]] = {}
    for (old, cause), new in TRANSITIONS.items():
        by = "command" if cause in BY_COMMAND else "the node"
        rows.setdefault((new, f"{cause.value}|{by}"), []).append(f"`{old.name.lower()}`")
    edges = [[", ".join(olds), *said.split("|"), f"`{new.name.lower()}`"]
             for (new, said), olds in rows.items()]  # fmt: skip
    named = "Components: " + ", ".join(f"`{name}`" for name in COMPONENTS) + "."
    head = ["from", "when", "by", "to"]
    return f"{table(['word', 'says'], words)}\n\n{named}\n\n{table(head, edges)}"


def supervision() -> str:
    """How often a service may come back."""
    usual = RestartIntensity()
    rows = [
        ["`main`, `downlink`", _intensity(usual),
         "the process ends; the next life begins in SAFE with the link alive"],
        ["`inference`", _intensity(INFERENCE_INTENSITY), "`inference lost`: the payload goes off"],
        ["`planner`", _intensity(usual), "the guard flies on without a plan"],
        ["`mqtt`", _intensity(usual), "the node flies on without its bridge"],
    ]  # fmt: skip
    wait = (
        f"A service that fails waits {_seconds(usual.first_delay_ns)}, then twice as long each "
        f"time, {_seconds(usual.max_delay_ns)} at most."
    )
    head = ["service", "new lives", "given up means"]
    return f"{wait}\n\n{table(head, rows)}"


def _intensity(each: RestartIntensity) -> str:
    return f"{each.max_restarts} within {_seconds(each.window_ns)}"


def criteria() -> str:
    """Every way into SAFE."""
    ways = [[f"`{row.name}`", f"`{row.condition}`", _link(row)]
            for row in sorted(RECOVERIES, key=lambda row: row.precedence)
            if Action.ENTER_SAFE in row.actions]  # fmt: skip
    told = {"boot failed": "three unplanned starts in a row; on defaults",
            "command": "`SET_MODE mode=SAFE`",
            "as before": "the node was in SAFE before the reset"}  # fmt: skip
    causes = dict.fromkeys(row.cause for row in MODES if row.target is Mode.SAFE)
    ways += [[cause, told[cause], "alive"] for cause in causes if cause != "criterion"]
    return table(["cause", "condition", "link in SAFE"], ways)


def _link(row: Recovery) -> str:
    return "off while it stands" if Action.LASER_OFF in row.actions else "alive"


def targets() -> str:
    """Target table, sequence table, and what counts as drift."""
    wanted = [[mode.name, *(TARGETS[mode][part].value for part in Part)] for mode in Mode]
    steps = [
        [mode.name, *(f"{step.part.value}: {step.need.value} ({_seconds(step.within_ns)})"
                      for step in SEQUENCES[mode])]
        for mode in Mode
    ]  # fmt: skip
    note = (
        f"Out of its target for {_seconds(DRIFT_AFTER_NS)} is a drift, "
        f"back for {_seconds(DRIFT_OVER_NS)} ends it."
    )
    head = ["mode", *(part.value for part in Part)]
    order = ["to get to", "first", *["then"] * (len(Part) - 2), "last"]
    return f"{table(head, wanted)}\n\n{table(order, steps)}\n\n{note}"
