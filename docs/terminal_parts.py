"""The register map of the laser terminal, read from its C header."""

from __future__ import annotations

import re
from pathlib import Path

from table_parts import table

HEADER = (
    Path(__file__).resolve().parent.parent / "native" / "include" / "terminal_registers.h"
).read_text(encoding="ascii")

UNITS = {
    "BYTES_MAX": "bytes",
    "FRAMES": "frames",
    "CREDIT": "frames",
    "REJECTED": "frames",
    "OVERFLOW": "frames",
    "PENDING": "frames",
    "KBPS": "kbit/s",
    "UDEG": "10^-6 deg",
    "URAD": "10^-6 rad",
    "PERMILLE": "1/1000",
    "MDBM": "10^-3 dBm",
    "MW": "mW",
    "MDEGC": "10^-3 degC",
    "S": "s",
}
"""What the last part of a register's name says."""

_SECTION = re.compile(r"^    /\* (RO|RW|WO): (.*?) \*/$", re.MULTILINE)
_REGISTER = re.compile(r"TERM_REG_(\w+) = (\d+),? +/\* (.*?) ?\*/", re.DOTALL)
_FAULT = re.compile(r"TERM_FAULT_(\w+) = 1 << (\d+),? +/\* (.*?) \*/", re.DOTALL)
_DEFINE = re.compile(r"^#define (TERM_\w+) +(\S+)(?: +/\* (.*?) \*/)?$", re.MULTILINE)
_COMMENT = re.compile(r"(signed)?:? ?(?:\[(.*?)\])? ?(.*)", re.DOTALL)


def _enum(name: str) -> str:
    return HEADER.partition(f"enum {name} {{")[2].partition("};")[0]


def _joined(comment: str) -> str:
    return " ".join(line.strip().removeprefix("*").strip() for line in comment.splitlines())


def _marked(text: str) -> str:
    """Names of the code as code."""
    return re.sub(r"\b(?:TERM|LASER)_[A-Z_]+\b|\benum \w+", lambda m: f"`{m.group()}`", text)


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith("_" + end)), "")


def registers() -> str:
    """Every register, section by section."""
    parts = _SECTION.split(_enum("term_reg"))
    rows = []
    for access, section, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        rows.append(["", f"**{section}**", "", "", "", ""])
        for name, number, comment in _REGISTER.findall(body):
            told = _COMMENT.fullmatch(_joined(comment))
            assert told is not None, comment
            signed, allowed, meaning = told.groups()
            kind = "signed" if signed else ""
            unit = " ".join(filter(None, (kind, _unit(name))))
            rows.append([number, f"`{name}`", access, unit, _range(allowed), _marked(meaning)])
    return table(["register", "name", "access", "unit", "may be written", "meaning"], rows)


def _range(allowed: str | None) -> str:
    return "" if allowed is None else _marked(allowed.replace(", ", " to "))


def faults() -> str:
    """Bits of the fault register."""
    rows = [[bit, f"`{name}`", _joined(said)] for name, bit, said in _FAULT.findall(HEADER)]
    return table(["bit", "fault", "meaning"], rows)


def constants() -> str:
    """Numbers that both ends must agree on."""
    rows = [
        [f"`{name}`", f"`{value}`", _marked(said)]
        for name, value, said in _DEFINE.findall(HEADER)
        if name != "TERM_REG_COUNT"
    ]
    return table(["constant", "value", "meaning"], rows)
