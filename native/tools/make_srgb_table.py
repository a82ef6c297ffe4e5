"""Writes the table that undoes the curve of a screen; `make -C native tables` runs it.

IEC 61966-2-1, 5.2: from a code value of 8 bits to light, 65,535 for the brightest. Its entries are
rounded from exact decimals, so that every machine has the same.
"""

from __future__ import annotations

import sys
from decimal import Decimal, getcontext
from pathlib import Path

NAME = "srgb_table.inc"
FULL_CODE, FULL_LIGHT = 255, 65535
LINEAR_BELOW, LINEAR_SLOPE = Decimal("0.04045"), Decimal("12.92")
OFFSET, EXPONENT = Decimal("0.055"), Decimal("2.4")
COLUMNS = 12


def light(code: int) -> int:
    """Light of one code value."""
    value = Decimal(code) / FULL_CODE
    if value <= LINEAR_BELOW:
        linear = value / LINEAR_SLOPE
    else:
        linear = ((value + OFFSET) / (1 + OFFSET)) ** EXPONENT
    return int(linear * FULL_LIGHT + Decimal("0.5"))


def table() -> str:
    """Text of the committed file."""
    getcontext().prec = 40
    values = [light(code) for code in range(FULL_CODE + 1)]
    rows = [values[start : start + COLUMNS] for start in range(0, len(values), COLUMNS)]
    body = "\n".join("    " + ", ".join(str(value) for value in row) + "," for row in rows)
    return f"/* Made by tools/make_srgb_table.py; do not edit. */\n{body}\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) / NAME).write_text(table(), encoding="ascii")
