"""A load as commands, for whoever sends one: phases that must each be done before the next.

Ground side of `load_buffer`. Within a phase the order is free; a command of the next phase that
overtook one of this phase would be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.telemetry.command_table import (
    LOAD_PART_BYTES_MAX,
    LoadActivate,
    LoadBegin,
    LoadPart,
    LoadValidate,
)
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from flight.telemetry.dictionary import Command

PARTS_AT_ONCE = 16
"""Pieces under way together: as many as a node follows, far fewer than an operator may."""


def upload_plan(kind: str, version: int, data: bytes) -> list[tuple[Command, ...]]:
    """Begin, pieces in groups, validate, activate."""
    parts = [
        LoadPart(offset, data[offset : offset + LOAD_PART_BYTES_MAX])
        for offset in range(0, len(data), LOAD_PART_BYTES_MAX)
    ]
    groups = [
        tuple(parts[first : first + PARTS_AT_ONCE]) for first in range(0, len(parts), PARTS_AT_ONCE)
    ]
    begin = LoadBegin(kind, len(data), crc32c(data), version)
    return [(begin,), *groups, (LoadValidate(),), (LoadActivate(),)]
