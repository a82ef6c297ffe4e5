"""Writes tables and folding keys of framer_crc.c; `make -C native tables` runs it.

Slicing by eight: row k of a table holds the check value of a byte followed by k zero bytes, so that
eight rows together take in eight bytes at once (Kounavis and Berry, "Novel table lookup-based
algorithms for high-performance CRC generation", IEEE Transactions on Computers 57, 2008).

The keys move a block of 16 octets ahead by n octets: its half of lower degree times x^(8n) and its
half of higher degree times x^(8n + 64), each as a remainder (see crc_fold.h). The product of two
reflected factors comes out one place too low, hence one x less and all bits turned round there.
"""

from __future__ import annotations

import sys
from pathlib import Path

CRC16_POLYNOMIAL = 0x1021  # CCSDS 732.1-B-2, 4.1.6: x^16 + x^12 + x^5 + 1, most significant first
CRC32C_POLYNOMIAL = 0x82F63B78  # RFC 3720, B.4: Castagnoli, reflected
CRC16_WHOLE = 0x11021
CRC32C_WHOLE = 0x11EDC6F41  # the same Castagnoli polynomial, most significant first
ROWS = 8
FOLDS_BYTES = (16, 64, 256)


def crc16_rows() -> list[list[int]]:
    """Tables of the unreflected CRC-16."""
    first = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ (CRC16_POLYNOMIAL if crc & 0x8000 else 0)
        first.append(crc & 0xFFFF)
    rows = [first]
    while len(rows) < ROWS:
        rows.append([((crc << 8) & 0xFFFF) ^ first[crc >> 8] for crc in rows[-1]])
    return rows


def crc32c_rows() -> list[list[int]]:
    """Tables of the reflected CRC-32C."""
    first = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (CRC32C_POLYNOMIAL if crc & 1 else 0)
        first.append(crc)
    rows = [first]
    while len(rows) < ROWS:
        rows.append([(crc >> 8) ^ first[crc & 0xFF] for crc in rows[-1]])
    return rows


def render(name: str, ctype: str, digits: int, rows: list[list[int]]) -> str:
    """One constant C array, eight values a line."""
    lines = [
        "/* Written by native/tools/make_crc_tables.py; change that instead. */",
        "/* clang-format off */",
        f"static const {ctype} {name}[{ROWS}][256] = {{",
    ]
    for row in rows:
        lines.append("    {")
        for start in range(0, 256, 8):
            values = ", ".join(f"0x{value:0{digits}X}u" for value in row[start : start + 8])
            lines.append(f"        {values},")
        lines.append("    },")
    lines += ["};", "/* clang-format on */", ""]
    return "\n".join(lines)


def power(exponent: int, polynomial: int) -> int:
    """Remainder of x^exponent."""
    remainder, top = 1, 1 << (polynomial.bit_length() - 1)
    for _ in range(exponent):
        remainder <<= 1
        remainder ^= polynomial if remainder & top else 0
    return remainder


def key_pairs(polynomial: int, *, reflected: bool) -> list[tuple[int, int]]:
    """Keys for the low and the high 64 bits of a register, for each length of `FOLDS_BYTES`."""
    pairs = []
    for octets in FOLDS_BYTES:
        low, high = 8 * octets, 8 * octets + 64
        if not reflected:
            pairs.append((power(low, polynomial), power(high, polynomial)))
            continue
        turned = [int(f"{power(e - 1, polynomial):064b}"[::-1], 2) for e in (high, low)]
        pairs.append((turned[0], turned[1]))
    return pairs


def render_keys() -> str:
    """Both sets of keys as constant C structures."""
    lines = ["/* Written by native/tools/make_crc_tables.py; change that instead. */"]
    for name, polynomial, reflected in (
        ("CRC16_KEYS", CRC16_WHOLE, False),
        ("CRC32C_KEYS", CRC32C_WHOLE, True),
    ):
        lines.append(f"static const struct crc_fold_keys {name} = {{")
        for octets, pair in zip(
            FOLDS_BYTES, key_pairs(polynomial, reflected=reflected), strict=True
        ):
            lines.append(f"    .by_{octets} = {{0x{pair[0]:016X}u, 0x{pair[1]:016X}u}},")
        lines.append("};")
    return "\n".join(lines) + "\n"


def tables() -> dict[str, str]:
    """File name to text."""
    return {
        "crc16_table.inc": render("CRC16_TABLE", "uint16_t", 4, crc16_rows()),
        "crc32c_table.inc": render("CRC32C_TABLE", "uint32_t", 8, crc32c_rows()),
        "crc_fold_keys.inc": render_keys(),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for file_name, text in tables().items():
        (folder / file_name).write_text(text)
