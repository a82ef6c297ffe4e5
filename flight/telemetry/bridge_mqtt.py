"""The bridge to an MQTT broker: telemetry, events and acknowledgements out, sealed commands in.

Hop "told" of all flows and "enters" of command -> ack, on a bench or a lab network. A service of
its own beside the node's: a broker that is away, slow or hostile costs messages, which are
counted, and never a cycle. Nobody commands the node by reaching the broker: the body of a command
message is the same sealed uplink frame that the terminal would receive, and it meets the same
checks. Sessions are clean, so a command never waits in a broker for a node that is away.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Any

import aiomqtt

from flight import __version__
from flight.telemetry.client_mqtt import (
    QOS,
    first_error,
    hang_up,
    is_granted,
    new_client,
)
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.telemetry.dictionary import DICTIONARY_HASH
from flight.telemetry.mqtt_backoff import Backoff
from flight.telemetry.mqtt_ledger import BridgeLedger, bridge_counts
from flight.telemetry.mqtt_messages import (
    Numbered,
    Offline,
    State,
    dictionary_payload,
    encode,
)
from flight.telemetry.packet_schedule import PacketSchedule
from flight.wire.link_security import SecurityVerdict

if TYPE_CHECKING:
    from flight.app import Node
    from flight.base.clock import Clock
    from flight.board_config import MqttSection
    from flight.telemetry.mqtt_outbox import Outbox

_NS_PER_S = 1_000_000_000
_MS = 1_000_000
SAMPLE_OFFSET_NS = 100 * _MS
"""Channels are read so long after a full second: by then the cycle has written its row."""
GOODBYE_S = 0.2
STOP_NS = 500 * _MS


class MqttBridge:
    """The service; `serve` may be called again after it failed.

    Args:
        section: configuration of the broker; broker: what it says about TLS and password.
        outbox: filled from outside too, by events and answers.
        ledger: counts; like the outbox it survives this service.
        quality: how far the UTC label may be trusted.
    """

    name = "mqtt"

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        section: MqttSection,
        broker: dict[str, Any],
        node_name: str,
        node: Node,
        clock: Clock,
        outbox: Outbox,
        ledger: BridgeLedger,
        quality: str,
    ) -> None:
        self._section = section
        self._broker = broker
        self._place = f"{section.host}:{section.port}"
        self._node_name = node_name
        self._node = node
        self._clock = clock
        self._outbox = outbox
        self._ledger = ledger
        self._quality = quality
        self._topics = outbox.topics
        longest_ns = round(section.reconnect_max_s * _NS_PER_S)
        self._backoff = Backoff(node_name, longest_ns // 16, longest_ns)
        self._wake = asyncio.Event()
        self._told: tuple[Mode, int, ThrottleReason] | None = None
        self._takes_commands = False
        self._connected = False
        self._was_told_lost = False
        self._is_stopping = False
        self._index = tuple(
            node.channels.index(f"bridge.{name}")
            for name in ("connected", "waiting", "dropped_total", "refused_total", "cut_total")
        )
        outbox.on_waiting = self._wake.set

    async def serve(self) -> None:
        """Samples and keeps a session with the broker, until cancelled.

        The request to stop is remembered here, before any task hears of it: a wait for an
        answer that comes with it may lose it, as `asyncio.wait_for` of Python 3.11 does, which
        the library waits with (CPython 86296).
        """
        self._is_stopping = False
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sample())
            tasks.create_task(self._keep_connected())
            try:
                await asyncio.Event().wait()
            finally:
                self._is_stopping = True
                self._wake.set()

    async def _sample(self) -> None:
        """Telemetry messages, each group when it is due, whether there is a broker or not."""
        schedule = PacketSchedule(self._node.parameters)
        while True:
            now_ns = self._clock.now_ns()
            next_ns = now_ns - now_ns % _NS_PER_S + SAMPLE_OFFSET_NS
            await self._clock.sleep_until(next_ns if next_ns > now_ns else next_ns + _NS_PER_S)
            now_ns = self._clock.now_ns()
            self._measure()
            row = self._node.channels.row(now_ns)
            groups = schedule.due(row, now_ns)
            if groups:
                self._told = None
                self._outbox.sample(row, groups, now_ns)

    async def _keep_connected(self) -> None:
        while True:
            error = await self._session()
            now_ns = self._clock.now_ns()
            self._connected = False
            if not self._was_told_lost:
                self._was_told_lost = True
                self._node.events.emit("BROKER_LOST", now_ns, broker=self._place, error=error)
            await self._clock.sleep_until(now_ns + self._backoff.next_ns())

    async def _session(self) -> str:
        """One session from the connection to its loss; says why it ended."""
        will = aiomqtt.Will(self._topics.state, self._offline("lost"), QOS, retain=True)
        client = new_client(
            self._section,
            self._broker,
            self._section.client_id or self._node_name,
            will=will,
            overflow=self._ledger.overflow,
            may_read=lambda size: self._ledger.reads.allows(size, self._clock.now_ns()),
            took=self._ledger.reads.took,
            waiting=self._ledger.inbox.now,
        )
        error = ""
        try:
            async with client:
                await self._converse(client)
        except* (aiomqtt.MqttError, OSError) as group:
            error = first_error(group)
        finally:
            hang_up(client)
        self._insist_on_stop()
        return error

    def _insist_on_stop(self) -> None:
        """Neither a lost request to stop nor a goodbye that failed may keep us here."""
        if self._is_stopping:
            raise asyncio.CancelledError

    async def _converse(self, client: aiomqtt.Client) -> None:
        self._ledger.connects += 1
        try:
            await self._introduce(client)
            self._insist_on_stop()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(client))
                tasks.create_task(self._publish(client))
        except asyncio.CancelledError:
            client.timeout = GOODBYE_S
            with suppress(aiomqtt.MqttError):
                await client.publish(self._topics.state, self._offline("stopped"), QOS, retain=True)
            raise

    async def _introduce(self, client: aiomqtt.Client) -> None:
        """Subscribes, tells the dictionary and the state; from then on the node is online."""
        codes = await client.subscribe(self._topics.commands, QOS)
        self._takes_commands = is_granted(codes)
        dictionary = dictionary_payload(__version__, Numbered(**self._head("dict")))
        await client.publish(self._topics.dictionary, dictionary, QOS, retain=True)
        self._connected, self._was_told_lost, self._told = True, False, None
        self._node.events.emit("BROKER_CONNECTED", self._clock.now_ns(), broker=self._place)

    async def _publish(self, client: aiomqtt.Client) -> None:
        """State when it has changed, then what waits, one message at a time."""
        while True:
            self._insist_on_stop()
            self._wake.clear()
            status = self._status()
            if status != self._told:
                await client.publish(self._topics.state, self._state(), QOS, retain=True)
                self._told = status
            message = self._outbox.head(self._boot())
            if message is None:
                await self._wake.wait()
                continue
            await client.publish(message.topic, message.payload, QOS)
            self._outbox.sent()
            self._backoff.reset()

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            self._command(message)

    def _command(self, message: aiomqtt.Message) -> None:
        """One command message: to the uplink, or refused and counted."""
        now_ns = self._clock.now_ns()
        if not self._ledger.admit(now_ns, retained=message.retain):
            return
        frame = message.payload if isinstance(message.payload, bytes) else b""
        if self._node.uplink.take_frame(frame, now_ns) is not SecurityVerdict.OK:
            self._ledger.refused += 1

    def _status(self) -> tuple[Mode, int, ThrottleReason]:
        status = self._node.status.get()
        if status is None:
            return Mode.BOOT, 0, ThrottleReason.NONE
        return status.mode, status.level, status.reason

    def _boot(self) -> int:
        boot = self._node.channels.get("mode.boot_count")
        return int(boot) if isfinite(boot) else 0

    def _state(self) -> bytes:
        mode, level, reason = self._status()
        status = self._node.status.get()
        return encode(
            State(
                **self._head("state"),
                node=self._node_name,
                online=True,
                mode=mode.name,
                level=level,
                reason=reason.name.lower(),
                soc=status.soc if status is not None and isfinite(status.soc) else None,
                software=__version__,
                dictionary=DICTIONARY_HASH,
                utc_quality=self._quality,
                takes_commands=self._takes_commands,
                bridge=bridge_counts(self._ledger, self._outbox),
            )
        )

    def _head(self, stream: str, *, is_new: bool = True) -> dict[str, Any]:
        """What every message has, of one that does not wait in the box."""
        number = self._outbox.number if is_new else self._outbox.newest
        now_ns = self._clock.now_ns()
        return {
            "boot": self._boot(),
            "seq": number(stream),
            "dropped": 0,
            "t_ns": now_ns,
            "utc_s": self._outbox.utc_s(now_ns),
        }

    def _offline(self, cause: str) -> bytes:
        head = self._head("state", is_new=False)
        return encode(Offline(**head, node=self._node_name, cause=cause))

    def _measure(self) -> None:
        outbox, refused = self._outbox, self._ledger.all_refused
        row = (self._connected, len(outbox), outbox.dropped, refused, self._ledger.reads.cut)
        for index, value in zip(self._index, row, strict=True):
            self._node.channels.values[index] = value
