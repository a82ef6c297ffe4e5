"""Every parameter that the ground may set, with its default and its range (inclusive)."""

from __future__ import annotations

from flight.telemetry.channel_table import CHANNELS
from flight.telemetry.definitions import ParameterDef


def _rates(group: str) -> tuple[ParameterDef, ...]:
    """How often one group of channels is told."""
    name = f"telemetry.{group}"
    return (
        ParameterDef(f"{name}.enabled", "", 1.0, 0.0, 1.0, f"packets of {group} are sent; 0 stops"),
        ParameterDef(
            f"{name}.floor_s",
            "s",
            0.0,
            0.0,
            600.0,
            f"{group} may come so soon when a value has moved; 0 is never before its time",
        ),
        ParameterDef(
            f"{name}.ceiling_s",
            "s",
            0.0,
            0.0,
            3600.0,
            f"{group} comes at least so often; 0 is as telemetry.period_s",
        ),
    )


_GROUPS = dict.fromkeys(channel.group for channel in CHANNELS)

PARAMETERS: tuple[ParameterDef, ...] = (
    ParameterDef(
        "governor.die_target_c",
        "degC",
        78.0,
        40.0,
        90.0,
        "the guard keeps the predicted die below this",
    ),
    ParameterDef(
        "governor.sink_target_c", "degC", 68.0, 30.0, 80.0, "the guard keeps the sink below this"
    ),
    ParameterDef(
        "power.soc_floor",
        "1",
        0.55,
        0.2,
        0.9,
        "state of charge never to go below in a nominal mode",
    ),
    ParameterDef(
        "power.soc_resume",
        "1",
        0.62,
        0.25,
        0.95,
        "state of charge that lets the payload run again after the floor was near",
    ),
    ParameterDef("power.soc_safe", "1", 0.40, 0.1, 0.8, "state of charge that means SAFE"),
    ParameterDef(
        "queue.pressure_bytes",
        "B",
        192e6,
        1e6,
        1e12,
        "waiting bytes above which only valuable frames are taken",
    ),
    ParameterDef(
        "command.loss_timeout_s",
        "s",
        43_200.0,
        600.0,
        2_592_000.0,
        "no valid command for this long means SAFE with the link alive",
    ),
    ParameterDef("telemetry.period_s", "s", 10.0, 1.0, 600.0, "housekeeping packets every so long"),
    *(definition for group in _GROUPS for definition in _rates(group)),
)
