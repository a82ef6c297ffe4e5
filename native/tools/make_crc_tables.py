"""Writes the slice-by-8 tables of framer.c; `make -C native tables` runs it.

Row k of a table holds the check value of a byte followed by k zero bytes, so that eight rows
together take in eight bytes at once (Kounavis and Berry, "Novel table lookup-based algorithms for
high-performance CRC generation", IEEE Transactions on Computers 57, 2008).
"""

from __future__ import annotations

import sys
from pathlib import Path

CRC16_POLYNOMIAL = 0x1021  # CCSDS 732.1-B-2, 4.1.6: x^16 + x^12 + x^5 + 1, most significant first
CRC32C_POLYNOMIAL = 0x82F63B78  # RFC 3720, B.4: Castagnoli, reflected
ROWS = 8


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


def tables() -> dict[str, str]:
    """File name to text."""
    return {
        "crc16_table.inc": render("CRC16_TABLE", "uint16_t", 4, crc16_rows()),
        "crc32c_table.inc": render("CRC32C_TABLE", "uint32_t", 8, crc32c_rows()),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for file_name, text in tables().items():
        (folder / file_name).write_text(text)
