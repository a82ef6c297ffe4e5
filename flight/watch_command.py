"""`lumenode watch [CHANNELS]`: events and live telemetry of a node, as lines.

Hop "told", the operator's end. What was lost on the way is a line too: silence is not health.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import aiomqtt
import msgspec

from flight.config import ConfigError
from flight.operator_cli import (
    EXIT_FAILED,
    EXIT_GOOD,
    EXIT_USAGE,
    operator_config,
    operator_parser,
)
from flight.telemetry.client_mqtt import QOS, broker_access, first_error, hang_up, new_client
from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS
from flight.telemetry.mqtt_messages import EventTold, Numbered, Telemetry, Topics
from flight.telemetry.sequence_tally import SequenceTally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flight.board_config import FlyConfig


class Watch:
    """Turns messages into lines.

    Args:
        topics: of the node.
        patterns: channels to show, e.g. `power.*`; none shows all.
        as_json: lines are JSON objects with the topic.
    """

    def __init__(self, topics: Topics, patterns: Sequence[str], *, as_json: bool) -> None:
        self._topics = topics
        self._patterns = patterns or ("*",)
        self._as_json = as_json
        self._shown: dict[str, Any] = {}
        self._tally = SequenceTally()
        self.unreadable = 0

    def lines(self, topic: str, payload: bytes) -> Iterator[str]:
        """The lines for one message; what cannot be read is counted."""
        try:
            told = msgspec.json.decode(payload)
            yield from self._lines(topic, told)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.unreadable += 1

    def _lines(self, topic: str, told: Any) -> Iterator[str]:
        stream = self._topics.stream_of(topic)
        if isinstance(told, dict) and "seq" in told:
            missed = self._tally.take(stream, msgspec.convert(told, Numbered))
            if missed.repeated:
                return
            if missed.at_node or missed.on_the_way:
                yield self._line(
                    topic,
                    {"lost_at_node": missed.at_node, "lost_on_the_way": missed.on_the_way},
                    f"{stream}: {missed.at_node} dropped by the node, "
                    f"{missed.on_the_way} lost on the way",
                )
        if stream.startswith("tm/"):
            yield from self._telemetry(topic, msgspec.convert(told, Telemetry))
        elif stream.startswith("evt/"):
            event = msgspec.convert(told, EventTold)
            text = f"{_utc(event)} {event.severity:<7} {event.name}: {event.text}"
            yield self._line(topic, told, text)
        elif stream == "state":
            online = told.get("online")
            text = f"online, {told.get('mode')}" if online else f"offline, {told.get('cause')}"
            yield self._line(topic, told, f"{told.get('node')} {text}")

    def _telemetry(self, topic: str, message: Telemetry) -> Iterator[str]:
        changed = {
            name: value
            for name, value in message.values.items()
            if any(fnmatchcase(name, pattern) for pattern in self._patterns)
            and self._shown.get(name, self) != value
        }
        self._shown.update(changed)
        if self._as_json and changed:
            yield self._line(topic, {"t_ns": message.t_ns, "values": changed}, "")
        elif not self._as_json:
            for name, value in changed.items():
                yield f"{_utc(message)} {name} = {_shown(name, value)}"

    def _line(self, topic: str, told: Any, text: str) -> str:
        if not self._as_json:
            return " ".join(text.splitlines())
        return msgspec.json.encode({"topic": topic, "message": told}).decode()


def _utc(message: Numbered) -> str:
    stamp = datetime.fromtimestamp(message.utc_s, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


def _shown(name: str, value: float | None) -> str:
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


async def follow(config: FlyConfig, watch: Watch, seconds: float | None) -> None:
    """Prints what comes until cancelled, the broker is lost, or for `seconds`."""
    topics = Topics(config.name)
    client = new_client(config.mqtt, broker_access(config.mqtt), None, overflow=lambda: None)
    try:
        async with asyncio.timeout(seconds), client:
            wanted = (topics.state, f"{topics.base}/tm/+", f"{topics.base}/evt/+")
            await client.subscribe([(topic, QOS) for topic in wanted])
            async for message in client.messages:
                if isinstance(message.payload, bytes):
                    for line in watch.lines(message.topic.value, message.payload):
                        sys.stdout.write(line + "\n")
                    sys.stdout.flush()
    except TimeoutError:
        return
    finally:
        hang_up(client)


def main_watch(argv: Sequence[str]) -> int:
    """Exit code: 0 when the time is over, 1 without a broker, 2 usage; 130 by Ctrl-C."""
    parser = operator_parser(
        "lumenode watch",
        "Show the events and the changing telemetry of a node, over MQTT.",
        "lumenode watch 'power.*' thermal.die_c",
    )
    parser.add_argument("channels", metavar="CHANNELS", nargs="*", help="names, or patterns")
    parser.add_argument("--for", dest="seconds", metavar="S", type=float, help="end after so long")
    options = parser.parse_args(argv)
    try:
        config = operator_config(options)
        _check(options.channels)
        watch = Watch(Topics(config.name), options.channels, as_json=options.json)
        asyncio.run(follow(config, watch, options.seconds))
    except ConfigError as error:
        sys.stderr.write(f"lumenode watch: {error}\n")
        return EXIT_USAGE
    except (aiomqtt.MqttError, OSError, ExceptionGroup) as error:
        why = first_error(error) if isinstance(error, ExceptionGroup) else str(error)
        place = f"{config.mqtt.host}:{config.mqtt.port}"
        sys.stderr.write(f"lumenode watch: broker {place}: {why}\n")
        return EXIT_FAILED
    return EXIT_GOOD


def _check(patterns: Sequence[str]) -> None:
    """ConfigError for a pattern that shows nothing."""
    for pattern in patterns:
        if not any(fnmatchcase(channel.name, pattern) for channel in CHANNELS):
            raise ConfigError(f"no channel {pattern!r} in the dictionary")
