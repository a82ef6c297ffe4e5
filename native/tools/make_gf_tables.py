"""Writes the tables of erasure_code.c; `make -C native tables` runs it.

Field of x^8 + x^4 + x^3 + x^2 + 1. A product with a constant is the sum of two look-ups, one for
each half of the octet, which is what a processor's permute instruction does sixteen at a time
(Plank, Greenan and Miller, "Screaming fast Galois field arithmetic using Intel SIMD instructions",
FAST 2013).
"""

from __future__ import annotations

import sys
from pathlib import Path

FIELD = 0x11D


def times(a: int, b: int) -> int:
    """Product in the field."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (FIELD if a & 0x80 else 0)
        b >>= 1
    return product


def halves(factor: int) -> list[int]:
    """Products with the 16 low halves, then with the 16 high ones."""
    return [times(factor, low) for low in range(16)] + [
        times(factor, high << 4) for high in range(16)
    ]


def inverses() -> list[int]:
    """1 / x, and 0 for 0."""
    found = [0] * 256
    for a in range(1, 256):
        found[a] = next(b for b in range(1, 256) if times(a, b) == 1)
    return found


def octets(values: list[int]) -> str:
    """Octets of one row."""
    return ", ".join(f"0x{value:02X}u" for value in values)


def tables() -> dict[str, str]:
    """File name to text."""
    rows = "\n".join("    {" + octets(halves(factor)) + "}," for factor in range(256))
    found = inverses()
    lines = "\n".join("    " + octets(found[i : i + 16]) + "," for i in range(0, 256, 16))
    return {
        "gf_tables.inc": "/* Written by native/tools/make_gf_tables.py; change that instead. */\n"
        "/* clang-format off */\n"
        f"static const uint8_t GF_HALVES[256][32] = {{\n{rows}\n}};\n"
        f"static const uint8_t GF_INVERSE[256] = {{\n{lines}\n}};\n"
        "/* clang-format on */\n"
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for file_name, text in tables().items():
        (folder / file_name).write_text(text)
