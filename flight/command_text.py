"""A command as it is written in a file: its name and its arguments, against the dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from flight.config import ConfigError
from flight.telemetry.dictionary import COMMAND_BY_NAME, PARAMETER_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.telemetry.dictionary import Command


def command_from(name: str, arguments: Mapping[str, Any], where: str) -> Command:
    """The command, in range.

    Args:
        name: in the dictionary.
        arguments: by name.
        where: the place in the file, for the error.

    Raises:
        ConfigError: one line that names place, argument, value and what is allowed.
    """
    definition = COMMAND_BY_NAME.get(name)
    if definition is None:
        raise ConfigError(
            f"{where}.command = {name!r}: no such command; allowed is one of "
            f"{', '.join(COMMAND_BY_NAME)}"
        )
    fields = [field.encode_name for field in msgspec.structs.fields(definition.arguments)]
    for argument, value in arguments.items():
        if argument not in fields:
            allowed = ", ".join(fields) or "none"
            raise ConfigError(
                f"{where}.arguments.{argument} = {value!r}: {name} has no such argument; "
                f"allowed: {allowed}"
            )
    try:
        command = msgspec.convert(dict(arguments), definition.arguments)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        argument = path.rstrip("`")
        shown = f".{argument} = {arguments[argument]!r}" if argument in arguments else ""
        raise ConfigError(f"{where}.arguments{shown}: {name}: {reason}") from None
    if name == "SET_PARAMETER":
        _check_parameter(arguments["name"], arguments["value"], f"{where}.arguments")
    return cast("Command", command)


def _check_parameter(name: str, value: float, where: str) -> None:
    definition = PARAMETER_BY_NAME.get(name)
    if definition is None:
        raise ConfigError(
            f"{where}.name = {name!r}: no such parameter; allowed is one of "
            f"{', '.join(PARAMETER_BY_NAME)}"
        )
    if not definition.low <= value <= definition.high:
        raise ConfigError(
            f"{where}.value = {value:g}: {name} allows {definition.low:g} to "
            f"{definition.high:g} {definition.unit}"
        )
