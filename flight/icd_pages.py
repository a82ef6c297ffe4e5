"""The interface of the node for other systems, as pages: what goes down and up, octet by octet.

Pure, and written from the dictionary and from the codecs themselves, so no page can say what the
software does not do. The layouts in prose are those of the codecs' own modules.
"""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from flight.config_ranges import allowed
from flight.telemetry.dictionary import (
    CHANNELS,
    COMMANDS,
    DICTIONARY_HASH,
    EVENTS,
    GROUPS,
    PARAMETERS,
    Kind,
)
from flight.telemetry.event_actions import EVENT_ACTIONS
from flight.wire import parameter_report, space_packet, telecommand, telemetry
from flight.wire.space_packet import UPLINK_APIDS, Apid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from flight.telemetry.definitions import Bounds, Channel

_TYPES = {"d": "float64", "B": "uint8"}
_BIG = 1e6
_APIDS = {
    Apid.HOUSEKEEPING: "housekeeping, one packet a group: [telemetry](telemetry.md)",
    Apid.EVENT: "events: [events](events.md)",
    Apid.PARAMETERS: "parameters in force: [parameters](parameters.md)",
    Apid.VERIFICATION: "what became of a telecommand: [commands](commands.md)",
    Apid.PRODUCT_SEGMENT: "a piece of a product",
    Apid.PRODUCT_REPAIR: "what rebuilds pieces that were lost",
    Apid.PRODUCT_MANIFEST: "what a product is, and what it is to be rebuilt to",
    Apid.RECONCILE_REQUEST: "after a reset: which products does the ground hold?",
    Apid.REPORT: "which frames the ground has received",
    Apid.TELECOMMAND: "a telecommand: [commands](commands.md)",
    Apid.RECONCILE_ANSWER: "which products the ground holds",
}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)


def icd_pages() -> Mapping[str, str]:
    """File name -> page, the index first."""
    pages = {
        "README.md": _index(),
        "telemetry.md": _telemetry(),
        "events.md": _events(),
        "commands.md": _commands(),
        "parameters.md": _parameters(),
    }
    return MappingProxyType({name: text.strip() + "\n" for name, text in pages.items()})


def _layout(module: ModuleType) -> str:
    """What a codec says of its packets, without the sentence that is its title."""
    _, _, text = (inspect.getdoc(module) or "").partition("\n\n")
    return text


def _words(apid: Apid) -> str:
    return apid.name.lower().replace("_", " ")


def _number(value: float) -> str:
    return f"{value:_.0f}" if abs(value) >= _BIG else f"{value:g}"


def _index() -> str:
    apids = [
        [
            f"`0x{apid:03X}`",
            "up" if apid in UPLINK_APIDS else "down",
            _APIDS.get(apid, _words(apid)),
        ]
        for apid in Apid
    ]
    counts = {
        "telemetry": f"{len(CHANNELS)} channels in {len(GROUPS)} groups",
        "events": f"{len(EVENTS)} events",
        "commands": f"{len(COMMANDS)} commands",
        "parameters": f"{len(PARAMETERS)} parameters",
    }
    pages = [[text, f"[{name}]({name}.md)"] for name, text in counts.items()]
    return f"""# Interface of the node

Written from the dictionary (`make docs`, `lumenode export icd DIR`). Dictionary hash, SHA-256:

    {DICTIONARY_HASH}

The hash is in every MQTT state and dictionary message, its first four octets (the *tag*,
`{DICTIONARY_HASH[:8]}`) in every housekeeping and parameter packet: a decoder that was made from
another dictionary knows. `dictionary.json` beside an export is the same content for programs.

{table(["holds", "page"], pages)}

All numbers are big endian and octets count from 0, unless it says otherwise.

## Packets

{inspect.getdoc(space_packet)}

{table(["APID", "goes", "holds"], apids)}
"""


def _telemetry() -> str:
    groups = "\n\n".join(_group(number, group) for number, group in enumerate(GROUPS))
    return f"""# Telemetry

{_layout(telemetry)}

A group comes every `telemetry.period_s`, or as its own parameters say. Yellow and red say where
an operator's eye is drawn to. A value older than its age is told as invalid.

{groups}
"""


def _group(number: int, group: str) -> str:
    places = telemetry.places(group)
    octets = places[-1].octet + (8 if places[-1].code == "d" else 1)
    rows = [
        [
            str(place.octet),
            str(place.bit),
            f"`{CHANNELS[place.channel].name}`",
            _TYPES[place.code],
            CHANNELS[place.channel].unit,
            _bounds(CHANNELS[place.channel].bounds),
            f"{CHANNELS[place.channel].age_s:g} s" if CHANNELS[place.channel].age_s else "",
            _meaning(CHANNELS[place.channel]),
        ]
        for place in places
    ]
    head = ["octet", "bit", "channel", "type", "unit", "yellow, red", "age", "meaning"]
    return f"## Group {number}: {group}\n\n{octets} octets of data.\n\n{table(head, rows)}"


def _bounds(bounds: Bounds | None) -> str:
    if bounds is None:
        return ""
    said = []
    for word, low, high in (
        ("yellow", bounds.low_yellow, bounds.high_yellow),
        ("red", bounds.low_red, bounds.high_red),
    ):
        limits = [] if low is None else [f"<= {low:g}"]
        limits += [] if high is None else [f">= {high:g}"]
        said += [f"{word} {' or '.join(limits)}"] * bool(limits)
    return ", ".join(said)


def _meaning(channel: Channel) -> str:
    if channel.labels:
        labels = ", ".join(f"{value} {label}" for value, label in enumerate(channel.labels))
        return f"{channel.description}: {labels}"
    counts = " (a whole number)" * (channel.kind is Kind.COUNTER)
    return f"{channel.description}{': 0 no, 1 yes' * (channel.kind is Kind.FLAG)}{counts}"


def _events() -> str:
    rows = [
        [
            str(event.event_id),
            f"`{event.name}`",
            f"{event.severity.name} ({event.severity.value})",
            event.text,
            f"`{event.key}`" if event.key else "",
            EVENT_ACTIONS.get(event.name, ""),
        ]
        for event in sorted(EVENTS, key=lambda event: event.event_id)
    ]
    head = ["number", "event", "severity", "sentence", "throttled by", "what to do"]
    _, _, packet = (inspect.getdoc(telemetry) or "").partition("Event packet: ")
    return f"""# Events

A packet's data: {packet}

The arguments are those of the sentence, by name. Sixteen of one event pass at once and one every
ten seconds after that, for each value of the argument that it is throttled by; what is held back
is counted and told by `EVENTS_SUPPRESSED`. DEBUG stays on board.

{table(head, rows)}
"""


def command_table() -> str:
    """Every telecommand, with its arguments and the modes it is taken in."""
    rows = []
    for command in COMMANDS:
        fields = [field.encode_name for field in msgspec.structs.fields(command.arguments)]
        arguments = [f"`{name}`: {allowed(command.arguments, (name,))}" for name in fields]
        modes = sorted(command.modes)
        rows.append(
            [
                f"`{command.name}`",
                "; ".join(arguments) or "none",
                "all" if len(modes) == len(type(modes[0])) else ", ".join(m.name for m in modes),
                "twice within 30 s" if command.dangerous else "",
                command.description,
            ]
        )
    return table(["command", "arguments", "modes", "dangerous", "does"], rows)


def _commands() -> str:
    reasons = [
        [str(reason.value), f"`{reason.name.lower()}`"] for reason in telecommand.CommandReason
    ]
    stages = [[str(stage.value), f"`{stage.name.lower()}`"] for stage in telecommand.Stage]
    return f"""# Commands

{_layout(telecommand)}

`id` is the operator's identity of a command, larger than every earlier one: a command is done at
most once, whatever is repeated. What is base64 in JSON is binary in msgpack. Examples, the data of
the packet in hexadecimal:

{_examples()}

{command_table()}

## Answers

A verification packet's data: identity 8, stage 1, reason 1. Completed, failed and rejected are the
last word.

{table(["stage", "name"], stages)}

{table(["reason", "name"], reasons)}
"""


def _examples() -> str:
    found = {command.name: command.arguments for command in COMMANDS}
    rows = []
    for text, command in (
        ("NO_OP", found["NO_OP"]()),
        ("SET_MODE mode=SAFE", found["SET_MODE"](mode="SAFE")),
    ):
        data = telecommand.encode_telecommand(telecommand.Telecommand(1, command))  # type: ignore[arg-type]
        rows.append([f"`{text}`, id 1", f"`{data.hex()}`"])
    return table(["command", "data"], rows)


def _parameters() -> str:
    rows = [
        [
            str(number),
            f"`{each.name}`",
            each.unit,
            _number(each.default),
            f"{_number(each.low)} to {_number(each.high)}",
            each.description,
        ]
        for number, each in enumerate(PARAMETERS)
    ]
    return f"""# Parameters

`SET_PARAMETER` sets one, a load of the kind "parameters" all of them, `DUMP_PARAMETERS` asks for
all of them.

{_layout(parameter_report)}

{table(["number", "parameter", "unit", "default", "allowed", "meaning"], rows)}
"""
