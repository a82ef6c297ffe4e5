"""Plain values as TOML: what the standard library reads and cannot write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


def toml_text(plain: dict[str, Any]) -> str:
    """A document; None is left out, reading it back gives the rest."""
    return "\n".join(_table(plain, "")) + "\n"


def _table(table: dict[str, Any], prefix: str) -> list[str]:
    lines = [f"{_key(k)} = {_value(v)}" for k, v in table.items() if _is_plain(v)]
    for key, value in table.items():
        name = f"{prefix}{_key(key)}"
        if value is None or _is_plain(value):
            continue
        if isinstance(value, dict):
            lines += ["", f"[{name}]", *_table(value, f"{name}.")]
        else:
            for item in value:
                lines += ["", f"[[{name}]]", *_table(item, f"{name}.")]
    return lines


def _is_plain(value: object) -> bool:
    """Whether a value fits on the line of its key; tables and arrays of tables get headers."""
    if isinstance(value, dict):
        return not value
    if isinstance(value, list | tuple):
        return not value or not all(isinstance(item, dict) for item in value)
    return value is not None


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else _text(key)


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, float):
        return repr(value)
    return _text(value) if isinstance(value, str) else msgspec.json.encode(value).decode()


def _text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, and DEL must be escaped too."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
