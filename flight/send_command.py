"""`lumenode send CMD [ARG=VALUE ...]`: one authenticated command, and what the node says to it.

Hop "enters" of command -> ack, the operator's end. A broker may drop a message without a word, so
the command is sent again with the same identity until the node itself has had the last word.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiomqtt
import msgspec

from flight.base.clock import LoopClock, host_correlation
from flight.config import ConfigError
from flight.keys import Half, KeyFileError, load_half
from flight.operator_cli import (
    EXIT_FAILED,
    EXIT_GOOD,
    EXIT_USAGE,
    GroundCounter,
    operator_config,
    operator_parser,
)
from flight.telemetry.client_mqtt import QOS, broker_access, first_error, hang_up, new_client
from flight.telemetry.dictionary import COMMAND_BY_NAME, Command
from flight.telemetry.mqtt_messages import Ack, Topics
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import Apid, encode
from flight.wire.telecommand import FINAL_STAGES, Telecommand, encode_telecommand
from flight.wire.transfer_frame import VirtualChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.board_config import FlyConfig

TRIES = 3
_LAST_WORDS = {stage.name.lower() for stage in FINAL_STAGES}


def command_of(name: str, words: Sequence[str]) -> Command:
    """The command of the dictionary; ConfigError in one line for what it does not know."""
    if name not in COMMAND_BY_NAME:
        raise ConfigError(f"no command {name!r}; known: {', '.join(COMMAND_BY_NAME)}")
    given: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"argument {word!r}: write NAME=VALUE")
        given[key] = value
    kind = COMMAND_BY_NAME[name].arguments
    unknown = [key for key in given if key not in kind.__struct_fields__]
    if unknown:
        known = ", ".join(kind.__struct_fields__) or "none"
        raise ConfigError(f"{name}: no argument {unknown[0]!r}; allowed: {known}")
    try:
        command: Command = msgspec.convert({"type": name, **given}, Command, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {error}") from None
    return command


def sealer(config: FlyConfig, keys: Path, counter: GroundCounter) -> Callable[[bytes], bytes]:
    """Seals one packet into an uplink frame with the ground's half of the keys."""
    ground = load_half(keys / Half.GROUND.file_name, Half.GROUND)
    link = SecureLink(
        scid=config.link.spacecraft_id,
        sends=ground.sends(Half.GROUND),
        receives=[ground.receives(Half.GROUND)],
        counters=counter.reserve,
    )
    return lambda packet: link.seal(VirtualChannel.UPLINK, [packet]).frame


async def converse(
    config: FlyConfig, telecommand: Telecommand, name: str, seal: Callable[[bytes], bytes],
    timeout_s: float,
) -> Ack | None:  # fmt: skip
    """The node's last word on a command, or None when there came none in time.

    Raises:
        ExceptionGroup or aiomqtt.MqttError: the broker was not reached, or lost.
    """
    topics, data = Topics(config.name), encode_telecommand(telecommand)
    clock = LoopClock()
    client = new_client(
        config.mqtt, broker_access(config.mqtt), None, overflow=lambda: None
    )  # fmt: skip
    try:
        async with client:
            await client.subscribe(topics.ack(telecommand.command_id), QOS)
            for count in range(TRIES):
                packet = encode(
                    Apid.TELECOMMAND, count, data, time_ns=clock.now_ns(), telecommand=True
                )
                await client.publish(topics.command(name), seal(packet), QOS)
                try:
                    async with asyncio.timeout(timeout_s / TRIES):
                        return await _last_word(client)
                except TimeoutError:
                    continue
    finally:
        hang_up(client)
    return None


async def _last_word(client: aiomqtt.Client) -> Ack:
    async for message in client.messages:
        if isinstance(message.payload, bytes):
            ack = msgspec.json.decode(message.payload, type=Ack)
            if ack.stage in _LAST_WORDS:
                return ack
    raise aiomqtt.MqttError("the broker ended the session")


def main_send(argv: Sequence[str]) -> int:
    """Exit code: 0 completed, 1 refused, failed or no answer, 2 usage."""
    parser = operator_parser(
        "lumenode send",
        "Send one command, sealed with the ground's half of the link keys, over MQTT.",
        "lumenode send SET_MODE mode=SAFE --keys keys",
    )
    parser.add_argument("command", metavar="CMD", help="name in the dictionary, e.g. NO_OP")
    parser.add_argument("arguments", metavar="ARG=VALUE", nargs="*", help="its arguments")
    parser.add_argument("--keys", metavar="DIR", help="folder with link-ground.json")
    parser.add_argument("--timeout", metavar="S", type=float, default=10.0, help="(10)")
    options = parser.parse_args(argv)
    try:
        command = command_of(options.command, options.arguments)
        config = operator_config(options)
        keys = Path(options.keys or config.board.keys)
        utc = host_correlation()
        telecommand = Telecommand(utc.utc_ns(utc.set_at_ns), command)
        load_half(keys / Half.GROUND.file_name, Half.GROUND)
        counter = GroundCounter(keys)
        try:
            seal = sealer(config, keys, counter)
            told = converse(config, telecommand, options.command, seal, options.timeout)
            ack = asyncio.run(told)
        finally:
            counter.close()
    except (ConfigError, KeyFileError) as error:
        sys.stderr.write(f"lumenode send: {error}\n")
        return EXIT_USAGE
    except (aiomqtt.MqttError, OSError, ExceptionGroup) as error:
        why = first_error(error) if isinstance(error, ExceptionGroup) else str(error)
        place = f"{config.mqtt.host}:{config.mqtt.port}"
        sys.stderr.write(f"lumenode send: broker {place}: {why}\n")
        return EXIT_FAILED
    return _tell(telecommand, options.command, ack, as_json=options.json)


def _tell(telecommand: Telecommand, name: str, ack: Ack | None, *, as_json: bool) -> int:
    stage, reason = ("no answer", "") if ack is None else (ack.stage, ack.reason)
    if as_json:
        told = {"id": str(telecommand.command_id), "command": name}
        line = msgspec.json.encode({**told, "stage": stage, "reason": reason}).decode()
    else:
        why = f": {reason}" if reason not in {"", "none"} else ""
        line = f"{name} {telecommand.command_id} {stage}{why}"
    sys.stdout.write(line + "\n")
    return EXIT_GOOD if stage == "completed" else EXIT_FAILED
