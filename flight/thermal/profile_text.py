"""A board profile as the text of a TOML file that `load_profile` reads back as the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from flight.base.toml_string import quoted

if TYPE_CHECKING:
    from flight.thermal.board_profile import BoardProfile

HEAD = """\
# Written by `lumenode models profile`. A node takes it with `profile = "{file}"` in the section
# [inference] of its configuration. ms_per_tile is the median time of one tile of 128 px in the
# inference worker, from request to screened answer; watts and joules are there only if this board
# measured them.
"""


def profile_text(profile: BoardProfile, file: str = "board-profile.toml") -> str:
    """The whole file; what is absent or at its default is left out."""
    lines = [HEAD.format(file=file), *_pairs(profile, "levels")]
    for level in profile.levels:
        lines += ["", "[[levels]]", *_pairs(level, "measured")]
        if level.measured is not None:
            lines += ["[levels.measured]", *_pairs(level.measured)]
    return "\n".join(lines) + "\n"


def _pairs(table: msgspec.Struct, below: str = "") -> list[str]:
    """Keys of a table but for the one that is a table `below` it."""
    return [
        f"{field.encode_name} = {_value(getattr(table, field.name))}"
        for field in msgspec.structs.fields(table)
        if field.name != below and getattr(table, field.name) != _default(field)
    ]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{quoted(key)} = {_value(each)}" for key, each in value.items())
        return "{ " + inside + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return quoted(value) if isinstance(value, str) else repr(value)
