"""What `lumenode watch` makes of a node's messages: lines, of what changed and what happened.

Pure. What was lost on the way is a line too: silence is not health. A value beyond its yellow or
red bound and an event that warns say so in words, and in colour where there is any.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import msgspec

from flight.telemetry.dictionary import (
    CHANNEL_INDEX,
    CHANNELS,
    DICTIONARY_HASH,
    GROUPS,
    Severity,
)
from flight.telemetry.event_actions import EVENT_ACTIONS
from flight.telemetry.mqtt_messages import (
    EventTold,
    LoadTold,
    Numbered,
    ParameterReport,
    Telemetry,
    Topics,
)
from flight.telemetry.sequence_tally import SequenceTally

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOURS = {Severity.WARNING: "33", Severity.ALARM: "31", Severity.FATAL: "1;31"}
_BEYOND = {Severity.WARNING: " YELLOW", Severity.ALARM: " RED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be shown, and how.

    Attributes:
        patterns: channels, e.g. `power.*`; with none and no groups, all of them.
        groups: whose channels are shown too.
        severity: the least of an event.
        as_json: lines are JSON objects with the topic.
        colour: with escape sequences.
    """

    patterns: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    severity: Severity = Severity.INFO
    as_json: bool = False
    colour: bool = False

    def shows(self, name: str) -> bool:
        """Whether a channel is wanted; one that the dictionary lacks goes by the patterns."""
        if not (self.patterns or self.groups):
            return True
        index = CHANNEL_INDEX.get(name)
        if index is not None and CHANNELS[index].group in self.groups:
            return True
        return any(fnmatchcase(name, pattern) for pattern in self.patterns)


class WatchLines:
    """Turns messages into lines.

    Attributes:
        unreadable: messages that could not be read.
    """

    def __init__(self, topics: Topics, wish: Wish) -> None:
        self._topics = topics
        self._wish = wish
        self._shown: dict[str, Any] = {}
        self._tally = SequenceTally()
        self._foreign = ""
        self.unreadable = 0

    def lines(self, topic: str, payload: bytes) -> Iterator[str]:
        """The lines for one message; what cannot be read, or dated, is counted."""
        try:
            told = msgspec.json.decode(payload)
            yield from self._lines(topic, told)
        except (msgspec.MsgspecError, ValueError, OverflowError, OSError):
            self.unreadable += 1

    def _lines(self, topic: str, told: Any) -> Iterator[str]:
        stream = self._topics.stream_of(topic)
        if isinstance(told, dict) and "seq" in told and told.get("online") is not False:
            missed = self._tally.take(stream, msgspec.convert(told, Numbered))
            if missed.repeated:
                return
            if missed.at_node or missed.on_the_way:
                yield self._line(
                    topic,
                    {"lost_at_node": missed.at_node, "lost_on_the_way": missed.on_the_way},
                    f"{stream}: {missed.at_node} dropped by the node, "
                    f"{missed.on_the_way} lost on the way",
                    Severity.WARNING,
                )
        if stream.startswith("tm/"):
            yield from self._telemetry(topic, msgspec.convert(told, Telemetry))
        elif stream.startswith("evt/"):
            yield from self._event(topic, msgspec.convert(told, EventTold), told)
        elif stream == "rpt/parameters":
            yield from self._parameters(topic, msgspec.convert(told, ParameterReport), told)
        elif stream == "rpt/load":
            yield from self._load(topic, msgspec.convert(told, LoadTold), told)
        elif stream == "state":
            yield from self._state(topic, msgspec.convert(told, dict[str, Any]))

    def _telemetry(self, topic: str, message: Telemetry) -> Iterator[str]:
        changed = {
            name: value
            for name, value in message.values.items()
            if self._wish.shows(name) and self._shown.get(name, self) != value
        }
        self._shown.update(changed)
        beyond = {name: severity for name, value in changed.items()
                  if (severity := severity_of(name, value)) in _BEYOND}  # fmt: skip
        if self._wish.as_json:
            if changed:
                limits = {name: severity.name for name, severity in beyond.items()}
                told = {"t_ns": message.t_ns, "values": changed, "limits": limits}
                yield self._line(topic, told, "")
            return
        for name, value in changed.items():
            severity = beyond.get(name, Severity.INFO)
            text = f"{_utc(message)} {name} = {shown(name, value)}{_BEYOND.get(severity, '')}"
            yield self._line(topic, None, text, severity)

    def _event(self, topic: str, event: EventTold, told: Any) -> Iterator[str]:
        severity = Severity.__members__.get(event.severity, Severity.FATAL)
        if severity < self._wish.severity:
            return
        text = f"{_utc(event)} {event.severity:<7} {event.name}: {event.text}"
        action = EVENT_ACTIONS.get(event.name, "")
        yield self._line(topic, told, text, severity, action)
        if action and not self._wish.as_json:
            yield f"    to do: {action}"

    def _parameters(self, topic: str, report: ParameterReport, told: Any) -> Iterator[str]:
        differing = {name: row for name, row in report.values.items() if row.differs}
        text = f"{_utc(report)} {len(report.values)} parameters, not at default: {len(differing)}"
        yield self._line(topic, told, text)
        if not self._wish.as_json:
            for name, row in differing.items():
                unit = f" {row.unit}" if row.unit not in {"", "1"} else ""
                yield self._line(topic, None, f"    {name} = {row.value:.10g}{unit} "
                                 f"(default {row.default:.10g})")  # fmt: skip

    def _load(self, topic: str, piece: LoadTold, told: Any) -> Iterator[str]:
        end = piece.offset + len(piece.data)
        text = f"{_utc(piece)} load {piece.kind}: {end} of {piece.size_bytes} B on the ground"
        yield self._line(topic, told, text)

    def _state(self, topic: str, told: Any) -> Iterator[str]:
        """Who is there; and once, when it speaks another dictionary than ours."""
        foreign = str(told.get("dictionary", DICTIONARY_HASH))
        if foreign not in (DICTIONARY_HASH, self._foreign):
            self._foreign = foreign
            yield self._line(
                topic,
                {"dictionary": foreign, "ours": DICTIONARY_HASH},
                f"{told.get('node')} speaks another dictionary ({foreign[:8]}, ours is "
                f"{DICTIONARY_HASH[:8]}): units, labels and limits may be wrong",
                Severity.WARNING,
            )
        online = told.get("online")
        text = f"online, {told.get('mode')}" if online else f"offline, {told.get('cause')}"
        severity = Severity.INFO if online else Severity.WARNING
        yield self._line(topic, told, f"{told.get('node')} {text}", severity)

    def _line(
        self,
        topic: str,
        told: Any,
        text: str,
        severity: Severity = Severity.INFO,
        action: str = "",
    ) -> str:
        if self._wish.as_json:
            line = {"topic": topic, "message": told, **({"action": action} if action else {})}
            return msgspec.json.encode(line).decode()
        # Whoever forges telemetry must not write on the operator's terminal.
        text = "".join(letter if letter.isprintable() else " " for letter in text)
        colour = _COLOURS.get(severity) if self._wish.colour else None
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def severity_of(name: str, value: float | None) -> Severity:
    """How much an operator's eye is drawn to a value; INFO where the dictionary has no bounds."""
    index = CHANNEL_INDEX.get(name)
    bounds = None if index is None else CHANNELS[index].bounds
    return Severity.INFO if bounds is None or value is None else bounds.severity(value)


def shown(name: str, value: float | None) -> str:
    """A value with its unit or its label; ? for one that nobody knows."""
    if value is None:
        return "?"
    index = CHANNEL_INDEX.get(name)
    if index is None:
        return f"{value:.6g}"
    channel = CHANNELS[index]
    if channel.labels and 0 <= value < len(channel.labels):
        return channel.labels[int(value)]
    unit = f" {channel.unit}" if channel.unit not in {"", "1"} else ""
    return f"{value:.10g}{unit}"


def channel_list(*, as_json: bool) -> str:
    """Every channel by its group, with unit and meaning, a line each."""
    width = max(len(channel.name) for channel in CHANNELS)
    lines = []
    for group, indices in GROUPS.items():
        channels = [CHANNELS[index] for index in indices]
        if as_json:
            rows = [{"channel": c.name, "unit": c.unit, "means": c.description} for c in channels]
            lines.append(msgspec.json.encode({"group": group, "channels": rows}).decode())
        else:
            lines.append(f"{group}")
            lines += [f"  {c.name:<{width}}  {c.unit:<5} {c.description}" for c in channels]
    return "\n".join(lines) + "\n"


def _utc(message: Numbered) -> str:
    stamp = datetime.fromtimestamp(message.utc_s, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")
