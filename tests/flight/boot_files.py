"""The boot record on disk, as something else than this flight might have left it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flight.board_boot import SLOT_STRIDE
from flight.boot_record import decode, encode

if TYPE_CHECKING:
    from pathlib import Path

ELSEWHERE = b"another1"
"""Another power-up of the machine than the present one."""


def rewrite(record: Path, **changes: object) -> None:
    """The record as it would be if, say, the machine had been reset since."""
    content = bytearray(record.read_bytes())
    for start in (0, SLOT_STRIDE):
        was = decode(bytes(content[start : start + 64]))
        if was is not None:
            content[start : start + 64] = encode(replace(was, **changes))
    record.write_bytes(content)
