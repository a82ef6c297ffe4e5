"""`lumenode send ...`: authenticated commands, and what the node says to them.

Hop "enters" of command -> ack, the operator's end: one command, a sequence, or any other load.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiomqtt
import msgspec

from flight.command_text import command_list
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
from flight.operator_session_mqtt import OperatorSession
from flight.send_dump import Collector, Dump, ask_dump, dump_of, settle
from flight.send_load import Load, load_of, send_load
from flight.telemetry.client_mqtt import first_error
from flight.telemetry.dictionary import COMMAND_BY_NAME, COMMAND_BY_TYPE, Command
from flight.telemetry.mqtt_messages import Topics
from flight.wire.secure_link import SecureLink
from flight.wire.transfer_frame import VirtualChannel

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from flight.board_config import FlyConfig
    from flight.operator_session_mqtt import Answer

LOADS = ("sequence", "load")
"""Words in the place of a command: they send a file."""
DUMP = "dump"
"""Another one: it brings a set down."""


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


def main_send(argv: Sequence[str]) -> int:
    """Exit code: 0 completed, 1 refused, failed or no answer, 2 usage."""
    options = _parser().parse_args(argv)
    if options.list:
        sys.stdout.write(command_list(as_json=options.json))
        return EXIT_GOOD
    try:
        wanted = _wanted(options)
        config = operator_config(options)
        keys = Path(options.keys or config.board.keys)
        load_half(keys / Half.GROUND.file_name, Half.GROUND)
        counter = GroundCounter(keys)
        try:
            talk = _talk(config, sealer(config, keys, counter), wanted, options)
            return EXIT_GOOD if asyncio.run(talk) else EXIT_FAILED
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


def _parser() -> argparse.ArgumentParser:
    parser = operator_parser(
        "lumenode send",
        "Send one command, a sequence, or a load, sealed with the ground's half of the link keys, "
        "over MQTT; wait for the node's last word on it. `lumenode send --list` shows every "
        "command with the range of its arguments. A dangerous one is done when the node has heard "
        "it twice within 30 s: --confirm sends it twice.",
        "lumenode send SET_MODE mode=SAFE --keys keys | lumenode send sequence night.toml",
    )
    parser.add_argument(
        "command",
        metavar="CMD | sequence FILE | load KIND FILE | dump KIND [FILE]",
        nargs="?",
        help="name in the dictionary, e.g. NO_OP; or what to upload, validate and activate; or "
        "what is in force on board, to be written to a file",
    )
    parser.add_argument("arguments", metavar="ARG=VALUE", nargs="*", help="its arguments")
    parser.add_argument("--list", action="store_true", help="every command, and what it takes")
    parser.add_argument(
        "--confirm", action="store_true", help="the second step of a dangerous command"
    )
    parser.add_argument(
        "--replace", action="store_true", help="give up a load that is under way on the node"
    )
    parser.add_argument(
        "--format", metavar="N", type=int, help="format version of a load (that of its kind)"
    )
    parser.add_argument(
        "--compare", metavar="FILE", help="of a dump: what should be in force, as it was sent"
    )
    parser.add_argument("--keys", metavar="DIR", help="folder with link-ground.json")
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=10.0, help="silence to bear with (10)"
    )
    return parser


def _wanted(options: argparse.Namespace) -> Command | Load | Dump:
    if options.command is None:
        raise ConfigError("which command? `lumenode send --list` shows them")
    if options.timeout <= 0:
        raise ConfigError(f"--timeout {options.timeout:g}: allowed is above 0")
    if options.compare is not None and options.command != DUMP:
        raise ConfigError("--compare: only of a dump")
    if options.command == DUMP:
        return dump_of(options.arguments, options.compare, options.format)
    if options.command not in LOADS:
        command = command_of(options.command, options.arguments)
        if options.confirm and not COMMAND_BY_NAME[options.command].dangerous:
            raise ConfigError(f"--confirm: {options.command} is done in one step")
        return command
    words = ["sequence", *options.arguments] if options.command == "sequence" else options.arguments
    if len(words) != 2:
        usage = "sequence FILE" if options.command == "sequence" else "load KIND FILE"
        raise ConfigError(f"{options.command}: write {usage}")
    return load_of(words[0], Path(words[1]), options.format)


async def _talk(
    config: FlyConfig,
    seal: Callable[[bytes], bytes],
    wanted: Command | Load | Dump,
    options: argparse.Namespace,
) -> bool:
    def tell(answer: Answer) -> None:
        sys.stdout.write(_line(answer, as_json=options.json) + "\n")
        sys.stdout.flush()

    if isinstance(wanted, Dump):
        collector = Collector(wanted.kind, Topics(config.name).loads)
        took = collector.take
        async with OperatorSession(config, seal, options.timeout, tell, took) as session:
            data = await ask_dump(session, collector, tell)
        if data is None:
            return False
        line, is_well = settle(wanted, data, as_json=options.json)
        sys.stdout.write(line + "\n")
        return is_well
    async with OperatorSession(config, seal, options.timeout, tell) as session:
        if isinstance(wanted, Load):
            return await send_load(session, wanted, tell, replace=options.replace)
        answer = await session.ask(wanted)
        tell(answer)
        if answer.reason == "armed" and options.confirm:
            answer = await session.ask(wanted)
            tell(answer)
        if answer.reason == "armed":
            name = COMMAND_BY_TYPE[type(wanted)].name
            sys.stderr.write(f"lumenode send: {name} is armed only: again in 30 s, or --confirm\n")
        return answer.completed


def _line(answer: Answer, *, as_json: bool) -> str:
    if as_json:
        told = {"id": str(answer.command_id), "command": answer.name}
        return msgspec.json.encode(
            {**told, "stage": answer.stage, "reason": answer.reason}
        ).decode()
    why = f": {answer.reason}" if answer.reason not in {"", "none"} else ""
    return f"{answer.name} {answer.command_id} {answer.stage}{why}"
