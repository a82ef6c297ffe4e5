"""What a configuration key may hold, said in a few words for the one line of an error.

Pure. The ranges are those of the types themselves (`msgspec.Meta`), so no message can disagree
with the check that wrote it.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = object()
SOME_KEY = "..."
_CHOICE = re.compile(r"\^\(([\w|]+)\)\$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
KeyPath = tuple[str | int, ...]


def path_of(where: str) -> KeyPath:
    """The steps of a path as msgspec writes it: "$.a.b[2].c", "$.a[...]" for some key of `a`."""
    found = _STEP.findall(where)
    return tuple(int(index) if index.isdigit() else index or name for name, index in found)


def spelled(path: KeyPath) -> str:
    """The path as a user knows it, "timeline[2].at_s"."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "(top level)"


def value_at(content: object, path: KeyPath) -> object:
    """What stands at a path, or MISSING; tables and arrays are not shown."""
    found = _item_at(content, path)
    return MISSING if isinstance(found, dict | list | tuple) else found


def _item_at(content: object, path: KeyPath) -> Any:
    for step in path:
        if isinstance(content, list | tuple):
            content = content[step] if isinstance(step, int) and step < len(content) else MISSING
        else:
            content = content.get(step, MISSING) if isinstance(content, dict) else MISSING
    return content


def numbers_not_finite(content: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Where NaN and infinities stand; no quantity of a node is one."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from numbers_not_finite(value, (*path, str(key)))
    elif isinstance(content, list | tuple):
        for index, value in enumerate(content):
            yield from numbers_not_finite(value, (*path, index))
    elif isinstance(content, float) and not isfinite(content):
        yield path


def allowed(kind: type, path: KeyPath) -> str:
    """What `kind` allows at a path: a range, a choice, the known keys; "" when it says nothing."""
    found = _type_at(inspect.type_info(kind), path)
    return "" if found is None else _told(found)


def _type_at(info: inspect.Type, path: KeyPath) -> inspect.Type | None:
    found: inspect.Type | None = info
    for step in path:
        found = None if found is None else _inner(_bare(found), step)
    return None if found is None else _bare(found)


def _inner(info: inspect.Type, step: str | int) -> inspect.Type | None:
    if isinstance(info, inspect.StructType):
        return next((field.type for field in info.fields if field.encode_name == step), None)
    if isinstance(info, inspect.DictType):
        return info.value_type
    if isinstance(info, inspect.VarTupleType | inspect.ListType):
        return info.item_type
    return None


def _bare(info: inspect.Type) -> inspect.Type:
    """Without annotations and without `None`: TOML has no null."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        kinds = [each for each in info.types if not isinstance(each, inspect.NoneType)]
        return _bare(kinds[0]) if len(kinds) == 1 else info
    return info


def _told(info: inspect.Type) -> str:
    if isinstance(info, inspect.IntType | inspect.FloatType):
        kind = "a whole number" if isinstance(info, inspect.IntType) else "a number"
        return f"{kind} {_range(info)}".rstrip()
    if isinstance(info, inspect.LiteralType):
        return "one of " + ", ".join(str(value) for value in info.values)
    if isinstance(info, inspect.EnumType):
        return "one of " + ", ".join(str(member.value) for member in info.cls)
    if isinstance(info, inspect.StrType | inspect.BytesType):
        return _text(info)
    if isinstance(info, inspect.StructType):
        return "keys " + ", ".join(field.encode_name for field in info.fields)
    simple = {inspect.BoolType: "true or false", inspect.DateTimeType: "a date with time and zone"}
    return simple.get(type(info), "")


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    low = _bound("", info.ge) or _bound("above ", info.gt)
    high = _bound("", info.le) or _bound("below ", info.lt)
    if low and high:
        return f"from {low} to {high}".replace("from above", "above")
    if low:
        return low if info.gt is not None else f"from {low} on"
    return f"up to {high}".replace("up to below", "below") if high else ""


def _bound(word: str, value: float | None) -> str:
    return "" if value is None else f"{word}{value:.12g}" if value < 1e12 else f"{word}{value:g}"


def _text(info: inspect.StrType | inspect.BytesType) -> str:
    if isinstance(info, inspect.BytesType):
        return f"base64 of {info.min_length or 0} to {info.max_length or 'any number of'} octets"
    if info.pattern is not None and (choice := _CHOICE.fullmatch(info.pattern)):
        return "one of " + choice[1].replace("|", ", ")
    if info.pattern is not None:
        return f"text like {info.pattern}"
    if info.min_length is None and info.max_length is None:
        return "text"
    return f"text of {info.min_length or 0} to {info.max_length or 'any number of'} characters"


def schema_error(
    error: msgspec.ValidationError, content: object, kind: type
) -> tuple[str, KeyPath]:
    """Reason and path of an error; the key of a free table, which msgspec leaves out, is found."""
    reason, _, where = str(error).partition(" - at `")
    path = path_of(where.rstrip("`"))
    if SOME_KEY not in path:
        return reason, path
    before = path[: path.index(SOME_KEY)]
    table = _type_at(inspect.type_info(kind), before)
    number = isinstance(table, inspect.DictType) and isinstance(table.value_type, inspect.FloatType)
    for key, value in _item_at(content, before).items():
        if number and (isinstance(value, bool) or not isinstance(value, int | float)):
            return reason, (*before, key)
    return reason, before


def as_shown(value: Any) -> str:
    """A value as it stands in the file, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
