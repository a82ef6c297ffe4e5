"""An operator's session with a node over a broker: commands out, the node's last words in.

Far end of command -> ack without a console. A broker may drop a message without a word, so a
command is sent again with the same identity until the node itself has had the last word; that
also asks a node that has started something whether it goes on.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import aiomqtt
import msgspec

from flight.base.clock import LoopClock, host_correlation
from flight.telemetry.client_mqtt import QOS, broker_access, hang_up, new_client
from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.telemetry.mqtt_messages import Ack, Topics
from flight.wire.space_packet import Apid, encode
from flight.wire.telecommand import FINAL_STAGES, Telecommand, encode_telecommand

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from flight.board_config import FlyConfig
    from flight.telemetry.dictionary import Command

TRIES = 3
PACE_NS = 1_000_000_000 // 32
"""Between commands: half of what a node takes in a second before it calls it a flood."""
NO_ANSWER = "no answer"
_LAST_WORDS = {stage.name.lower() for stage in FINAL_STAGES}


@dataclass(frozen=True, slots=True)
class Answer:
    """The last that was heard of one command; `stage` is NO_ANSWER when that is nothing."""

    command_id: int
    name: str
    stage: str
    reason: str = ""

    @property
    def completed(self) -> bool:
        """It was done; of a dangerous one that was only armed this is false."""
        return self.stage == "completed" and self.reason != "armed"


class OperatorSession:
    """One connection with the broker; use it as an asynchronous context.

    Args:
        config: the node's name and where the broker is.
        seal: one packet into an uplink frame.
        timeout_s: silence of the node after which a command counts as unanswered.
        on_started: told once of each command that goes on.
        on_other: given the topic and the payload of each message that is no awaited answer.

    Raises:
        ExceptionGroup or aiomqtt.MqttError: the broker was not reached, or lost.
    """

    def __init__(
        self,
        config: FlyConfig,
        seal: Callable[[bytes], bytes],
        timeout_s: float,
        on_started: Callable[[Answer], None] = lambda _answer: None,
        on_other: Callable[[str, object], None] = lambda _topic, _payload: None,
    ) -> None:
        self._topics = Topics(config.name)
        self._mqtt = config.mqtt
        self._seal = seal
        self._timeout_s = timeout_s
        self._on_started, self._on_other = on_started, on_other
        self._clock = LoopClock()
        self._stack = AsyncExitStack()
        self._last_id = 0
        self._next_ns = 0

    async def __aenter__(self) -> Self:
        self._client = new_client(
            self._mqtt, broker_access(self._mqtt), None, overflow=lambda: None
        )
        self._stack.callback(hang_up, self._client)
        try:
            await self._stack.enter_async_context(self._client)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def ask(self, command: Command) -> Answer:
        """Sends one command and waits for the last word on it, however long it goes on."""
        command_id, name = self._identity(), COMMAND_BY_TYPE[type(command)].name
        data = encode_telecommand(Telecommand(command_id, command))
        await self._client.subscribe(self._topics.ack(command_id), QOS)
        heard, tries = Answer(command_id, name, NO_ANSWER), 0
        while tries < TRIES:
            await self._send(name, data, tries)
            tries += 1
            try:
                async with asyncio.timeout(self._timeout_s / TRIES):
                    while heard.stage not in _LAST_WORDS:
                        ack = await self._next_ack(command_id)
                        if ack.stage == "started" != heard.stage:
                            self._on_started(Answer(command_id, name, ack.stage))
                        heard, tries = Answer(command_id, name, ack.stage, ack.reason), 0
            except TimeoutError:
                continue
            await self._client.unsubscribe(self._topics.ack(command_id))
            return heard
        return Answer(command_id, name, NO_ANSWER, f"after {heard.stage}" if heard.reason else "")

    async def listen(self, topic: str) -> None:
        """Has messages of one topic given to `on_other` from now on."""
        await self._client.subscribe(topic, QOS)

    async def other(self) -> bool:
        """Gives the next message to `on_other`; False when none comes in time."""
        try:
            async with asyncio.timeout(self._timeout_s):
                message = await anext(aiter(self._client.messages))
        except (TimeoutError, StopAsyncIteration):
            return False
        self._on_other(message.topic.value, message.payload)
        return True

    def _identity(self) -> int:
        """Above every earlier one, also of sessions before: UTC in nanoseconds."""
        utc = host_correlation()
        self._last_id = max(self._last_id + 1, utc.utc_ns(utc.set_at_ns))
        return self._last_id

    async def _send(self, name: str, data: bytes, count: int) -> None:
        await self._clock.sleep_until(self._next_ns)
        now_ns = self._clock.now_ns()
        self._next_ns = now_ns + PACE_NS
        packet = encode(Apid.TELECOMMAND, count, data, time_ns=now_ns, telecommand=True)
        await self._client.publish(self._topics.command(name), self._seal(packet), QOS)

    async def _next_ack(self, command_id: int) -> Ack:
        """The next word on it; a broker may hand over what nobody has subscribed to, or rubbish."""
        async for message in self._client.messages:
            ack = ack_of(message.payload)
            if ack is not None and ack.id == str(command_id):
                return ack
            self._on_other(message.topic.value, message.payload)
        raise aiomqtt.MqttError("the broker ended the session")


def ack_of(payload: object) -> Ack | None:
    """The acknowledgement in a message; None for anything else."""
    if not isinstance(payload, bytes):
        return None
    try:
        return msgspec.json.decode(payload, type=Ack)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
