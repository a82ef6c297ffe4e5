"""The dictionary: the one source of channels, events, commands and parameters.

Ground, bench, report and docs read it here; `DICTIONARY_HASH` is in every summary, so that a
decoder never meets data it does not know.
"""

from __future__ import annotations

import hashlib

import msgspec

from flight.telemetry.channel_table import (
    CHANNELS,
    MODE_LABELS,
    PAT_LABELS,
    RESET_LABELS,
    THROTTLE_LABELS,
    UTC_LABELS,
)
from flight.telemetry.command_table import COMMANDS, Command
from flight.telemetry.definitions import (
    Channel,
    CommandDef,
    EventDef,
    Kind,
    Mode,
    ParameterDef,
    Severity,
    ThrottleReason,
    event_text,
)
from flight.telemetry.event_table import EVENTS
from flight.telemetry.parameter_table import PARAMETERS

__all__ = [
    "CHANNELS", "CHANNEL_INDEX", "COMMANDS", "COMMAND_BY_NAME", "COMMAND_BY_TYPE",
    "DICTIONARY_HASH", "EVENTS", "EVENT_BY_ID", "EVENT_BY_NAME", "GROUPS", "MODE_LABELS",
    "PARAMETERS", "PARAMETER_BY_NAME", "PAT_LABELS", "RESET_LABELS", "THROTTLE_LABELS",
    "UTC_LABELS", "Channel", "Command", "CommandDef", "EventDef", "Kind", "Mode", "ParameterDef",
    "Severity", "ThrottleReason", "event_text",
]  # fmt: skip

CHANNEL_INDEX: dict[str, int] = {channel.name: i for i, channel in enumerate(CHANNELS)}
EVENT_BY_NAME: dict[str, EventDef] = {event.name: event for event in EVENTS}
EVENT_BY_ID: dict[int, EventDef] = {event.event_id: event for event in EVENTS}
COMMAND_BY_NAME: dict[str, CommandDef] = {command.name: command for command in COMMANDS}
COMMAND_BY_TYPE: dict[type, CommandDef] = {c.arguments: c for c in COMMANDS}
PARAMETER_BY_NAME: dict[str, ParameterDef] = {p.name: p for p in PARAMETERS}

GROUPS: dict[str, tuple[int, ...]] = {
    group: tuple(i for i, c in enumerate(CHANNELS) if c.group == group)
    for group in dict.fromkeys(channel.group for channel in CHANNELS)
}
"""Housekeeping group -> channel indices, in packet order."""


def _canonical() -> bytes:
    """The dictionary as bytes that depend on its content alone."""
    commands = [
        (c.name, sorted(m.name for m in c.modes), c.dangerous, msgspec.json.schema(c.arguments))
        for c in COMMANDS
    ]
    content = (CHANNELS, EVENTS, commands, PARAMETERS)
    return msgspec.json.encode(content, order="deterministic")


DICTIONARY_HASH: str = hashlib.sha256(_canonical()).hexdigest()

if len(CHANNEL_INDEX) != len(CHANNELS):
    raise AssertionError("two channels share a name")
if len(EVENT_BY_ID) != len(EVENTS) or len(EVENT_BY_NAME) != len(EVENTS):
    raise AssertionError("two events share a number or a name")
