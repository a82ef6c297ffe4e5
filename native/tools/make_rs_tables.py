"""Writes the tables of rs_code.c and randomiser.c; `make -C native tables` runs it.

Reed-Solomon (255,223) of CCSDS 131.0-B-4, section 4: field of x^8 + x^7 + x^2 + x + 1, generator
with the roots a^(11 j), j = 112 to 143, symbols on the wire in the dual basis (annex F). A step of
the encoder is linear over bits, so its table holds the dual basis on both sides and no symbol is
ever converted. Logarithms are to the base a^11, which is primitive too. The randomiser is that of
section 10.4.1: x^8 + x^7 + x^5 + x^3 + 1, started with all ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

FIELD = 0x187
PARITY = 32
FIRST_ROOT = 112
STEP = 11
DUAL_COLUMNS = (0x7B, 0xAF, 0x99, 0xFA, 0x86, 0xEC, 0xEF, 0x8D)
"""What each bit of a symbol in the conventional basis becomes, from the least significant on."""


def times(a: int, b: int) -> int:
    """Product in the field, conventional basis."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (FIELD if a & 0x80 else 0)
        b >>= 1
    return product


def exponentials() -> list[int]:
    """Powers of a^11, 255 of them."""
    base = 1
    for _ in range(STEP):
        base = times(base, 2)
    powers = [1]
    while len(powers) < 255:
        powers.append(times(powers[-1], base))
    return powers


def to_dual(symbol: int) -> int:
    """A symbol of the conventional basis in the dual one."""
    dual = 0
    for bit, column in enumerate(DUAL_COLUMNS):
        dual ^= column if symbol >> bit & 1 else 0
    return dual


def generator() -> list[int]:
    """Coefficients of the generator polynomial below its leading one, from x^0 on."""
    powers = exponentials()
    polynomial = [1]
    for j in range(FIRST_ROOT, FIRST_ROOT + PARITY):
        root = powers[j % 255]
        longer = [0, *polynomial]
        for i, coefficient in enumerate(polynomial):
            longer[i] ^= times(coefficient, root)
        polynomial = longer
    return polynomial[:-1]


def feedback_rows() -> list[list[int]]:
    """The 32 octets that each octet fed back adds, as four words with the first octet lowest."""
    from_dual = {to_dual(symbol): symbol for symbol in range(256)}
    highest_first = generator()[::-1]
    rows = []
    for octet in range(256):
        added = bytes(to_dual(times(from_dual[octet], g)) for g in highest_first)
        rows.append([int.from_bytes(added[i : i + 8], "little") for i in range(0, PARITY, 8)])
    return rows


def randomiser() -> list[int]:
    """One period of the sequence, 255 octets."""
    register, octets = [1] * 8, []
    for _ in range(255):
        octet = 0
        for _ in range(8):
            octet = octet << 1 | register[0]
            register = [*register[1:], register[0] ^ register[3] ^ register[5] ^ register[7]]
        octets.append(octet)
    return octets


def octet_table(name: str, values: list[int]) -> str:
    """A constant C array of octets."""
    rows = [values[i : i + 12] for i in range(0, len(values), 12)]
    body = "\n".join("    " + ", ".join(f"0x{value:02X}u" for value in row) + "," for row in rows)
    return f"static const uint8_t {name}[{len(values)}] = {{\n{body}\n}};\n"


def rs_tables() -> str:
    """All that rs_code.c looks up."""
    powers = exponentials()
    logarithms = [0] * 256
    for i, power in enumerate(powers):
        logarithms[power] = i
    duals = [to_dual(symbol) for symbol in range(256)]
    rows = "\n".join(
        "    {" + ", ".join(f"0x{word:016X}u" for word in row) + "}," for row in feedback_rows()
    )
    return (
        "/* Written by native/tools/make_rs_tables.py; change that instead. */\n"
        "/* clang-format off */\n"
        + octet_table("RS_EXP", powers)
        + octet_table("RS_LOG", logarithms)
        + octet_table("RS_TO_DUAL", duals)
        + octet_table("RS_FROM_DUAL", [duals.index(octet) for octet in range(256)])
        + f"static const uint64_t RS_FEEDBACK[256][4] = {{\n{rows}\n}};\n"
        "/* clang-format on */\n"
    )


def tables() -> dict[str, str]:
    """File name to text."""
    head = "/* Written by native/tools/make_rs_tables.py; change that instead. */\n"
    return {
        "rs_tables.inc": rs_tables(),
        "randomiser_table.inc": head
        + "/* clang-format off */\n"
        + octet_table("RANDOMISER", randomiser())
        + "/* clang-format on */\n",
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for file_name, text in tables().items():
        (folder / file_name).write_text(text)
