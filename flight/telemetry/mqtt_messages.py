"""Messages over MQTT: topics, and what stands in each payload.

Hop "told", towards a broker on the bench. Payloads are JSON, so that any tool can read them; the
names in them are the dictionary's. QoS 1 ends at the broker (a broker with a full queue drops, and
its publisher still gets every acknowledgement), so each message carries its own number within its
stream and how many of the stream the node itself had to drop.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from flight.telemetry.dictionary import (
    CHANNELS,
    COMMANDS,
    DICTIONARY_HASH,
    EVENTS,
    GROUPS,
    PARAMETER_BY_NAME,
    PARAMETERS,
    Kind,
    Severity,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.wire.parameter_report import ReportedParameter

SCHEMA = 1
"""Version of topics and payloads; the second level of every topic."""
NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a node may be called to be a level of a topic."""
ACK_STREAM = "ack"


class Topics:
    """The topics of one node: `lumenode/1/<node>/{state,dict,tm/+,evt/+,rpt/+,cmd/+,ack/+}`.

    Raises:
        ValueError: a name that is no level of a topic.
    """

    def __init__(self, node: str) -> None:
        if not NODE_NAME.fullmatch(node):
            raise ValueError(f"node name {node!r}: allowed are letters, digits, . _ - (1 to 64)")
        self.base = f"lumenode/{SCHEMA}/{node}"
        self.state = f"{self.base}/state"
        self.dictionary = f"{self.base}/dict"
        self.commands = f"{self.base}/cmd/+"
        self.parameters = f"{self.base}/rpt/parameters"
        self.loads = f"{self.base}/rpt/load"
        self.everything = f"{self.base}/#"

    def group(self, group: str) -> str:
        """Housekeeping of one group of the dictionary."""
        return f"{self.base}/tm/{group}"

    def event(self, severity: Severity) -> str:
        """Events of one severity."""
        return f"{self.base}/evt/{severity.name.lower()}"

    def command(self, name: str) -> str:
        """Where a sealed uplink frame with this command is sent to."""
        return f"{self.base}/cmd/{name}"

    def ack(self, command_id: int) -> str:
        """Where the node says what became of a command."""
        return f"{self.base}/ack/{command_id}"

    def stream_of(self, topic: str) -> str:
        """The stream whose numbers a message on `topic` continues: all acks are one."""
        rest = topic.removeprefix(self.base + "/")
        return ACK_STREAM if rest.startswith("ack/") else rest


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """What every message of the node has.

    Attributes:
        boot: start count of the node; numbers begin again with each start.
        seq: number within its stream, from 1.
        dropped: messages of this stream, all older than this one, that the node dropped because
            its queue was full while no broker took them.
        t_ns: mission time; utc_s: the same as Unix seconds, a label.
    """

    boot: int
    seq: int
    dropped: int
    t_ns: int
    utc_s: float


class Telemetry(Numbered, frozen=True, kw_only=True):
    """`tm/<group>`: the values of one group, null where invalid or never set."""

    dictionary: str
    values: dict[str, float | int | None]


class ParameterTold(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter: in force, and what the dictionary says of it."""

    value: float
    default: float
    low: float
    high: float
    unit: str
    differs: bool


class ParameterReport(Numbered, frozen=True, kw_only=True):
    """`rpt/parameters`: every parameter, when it was asked for."""

    dictionary: str
    values: dict[str, ParameterTold]


class LoadTold(Numbered, frozen=True, kw_only=True):
    """`rpt/load`: a piece of a set in force, when it was asked for; its data are base64.

    Attributes:
        kind, version: as of a load that goes up.
        size_bytes, crc32c: of the whole; offset: of this piece.
    """

    kind: str
    version: int
    size_bytes: int
    crc32c: int
    offset: int
    data: bytes


class EventTold(Numbered, frozen=True, kw_only=True):
    """`evt/<severity>`: one event."""

    event: int
    name: str
    severity: str
    text: str
    args: dict[str, Any]


class Ack(Numbered, frozen=True, kw_only=True):
    """`ack/<id>`: one verification report. The identity is text: it has more than 53 bits."""

    id: str
    command: str
    stage: str
    reason: str


class BridgeCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the bridge has done and lost since the start of the node.

    Attributes:
        connects: sessions with the broker. published: messages the broker has taken.
        dropped: messages of all streams that found no room while there was no broker.
        waiting, high_water: messages in the queue, now and at most.
        commands: command messages received; the rest says how many of them were refused:
        retained: kept by the broker, so nobody knows from when. flooded: too many in a second.
        refused: no authentic new frame.
        cut: sessions that were ended because the broker sent too much.
    """

    connects: int = 0
    published: int = 0
    dropped: int = 0
    waiting: int = 0
    high_water: int = 0
    commands: int = 0
    retained: int = 0
    flooded: int = 0
    refused: int = 0
    cut: int = 0


class State(Numbered, frozen=True, kw_only=True):
    """`state`, retained: birth, life and (with `online` false) death of the node's connection."""

    schema: int = SCHEMA
    node: str
    online: bool
    mode: str
    level: int
    reason: str
    soc: float | None
    software: str
    dictionary: str
    utc_quality: str
    takes_commands: bool
    bridge: BridgeCounts


class Offline(Numbered, frozen=True, kw_only=True):
    """`state` as the last will or the last word: who is gone.

    A will is written when a session begins. So number and time are those of the newest state then:
    it counts for nothing in a book of gaps.
    """

    schema: int = SCHEMA
    node: str
    online: bool = False
    cause: str


def encode(message: msgspec.Struct) -> bytes:
    """A message as it travels."""
    return msgspec.json.encode(message)


def group_values(group: str, row: Sequence[float]) -> dict[str, float | int | None]:
    """The values of one group by channel name; whole numbers for all but FLOAT channels."""
    return {CHANNELS[i].name: _shown(CHANNELS[i].kind, row[i]) for i in GROUPS[group]}


def parameter_values(rows: Sequence[ReportedParameter]) -> dict[str, ParameterTold]:
    """What a report says, with default, range and unit from the dictionary."""
    told = {}
    for row in rows:
        known = PARAMETER_BY_NAME[row.name]
        told[row.name] = ParameterTold(
            value=row.value,
            default=known.default,
            low=known.low,
            high=known.high,
            unit=known.unit,
            differs=row.differs,
        )
    return told


def _shown(kind: Kind, value: float) -> float | int | None:
    if not isfinite(value):
        return None
    return value if kind is Kind.FLOAT else int(value)


def dictionary_payload(software: str, head: Numbered | None = None) -> bytes:
    """`dict`, retained: the whole dictionary, so that a reader needs nothing else to decode."""
    return msgspec.json.encode(
        {
            **({} if head is None else msgspec.structs.asdict(head)),
            "schema": SCHEMA,
            "software": software,
            "hash": DICTIONARY_HASH,
            "channels": [
                {**msgspec.structs.asdict(channel), "kind": channel.kind.name}
                for channel in CHANNELS
            ],
            "events": [
                {**msgspec.structs.asdict(event), "severity": event.severity.name}
                for event in EVENTS
            ],
            "commands": [
                {
                    "name": command.name,
                    "description": command.description,
                    "modes": sorted(mode.name for mode in command.modes),
                    "dangerous": command.dangerous,
                    "schema": msgspec.json.schema(command.arguments),
                }
                for command in COMMANDS
            ],
            "parameters": [msgspec.structs.asdict(parameter) for parameter in PARAMETERS],
        }
    )
