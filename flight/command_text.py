"""Commands as people read and write them: names and arguments, against the dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from flight.config import ConfigError
from flight.config_ranges import allowed
from flight.telemetry.dictionary import COMMAND_BY_NAME, COMMANDS, PARAMETER_BY_NAME, PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.telemetry.dictionary import Command, CommandDef


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
            known = ", ".join(fields) or "none"
            raise ConfigError(
                f"{where}.arguments.{argument} = {value!r}: {name} has no such argument; "
                f"allowed: {known}"
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


def command_list(*, as_json: bool) -> str:
    """Every command of the dictionary with the range of its arguments, a line each."""
    lines = []
    width = max(len(definition.name) for definition in COMMANDS)
    for definition in COMMANDS:
        arguments = _ranges(definition)
        if as_json:
            row = {
                "command": definition.name,
                "arguments": arguments,
                "dangerous": definition.dangerous,
                "modes": [mode.name for mode in sorted(definition.modes)],
                "does": definition.description,
            }
            lines.append(msgspec.json.encode(row).decode())
        else:
            steps = " (dangerous: --confirm)" * definition.dangerous
            lines.append(f"{definition.name:<{width}}  {definition.description}{steps}")
            lines += [f"{'':<{width}}    {name}: {rule}" for name, rule in arguments.items()]
    return "\n".join(lines) + "\n"


def _ranges(definition: CommandDef) -> dict[str, str]:
    """What each argument may be; of SET_PARAMETER, what each parameter may be."""
    if definition.name == "SET_PARAMETER":
        return {
            f"name={p.name} value": f"{p.low:g} to {p.high:g} {p.unit}".rstrip() for p in PARAMETERS
        }
    fields = [field.encode_name for field in msgspec.structs.fields(definition.arguments)]
    return {name: allowed(definition.arguments, (name,)) for name in fields}
