"""Turns tests/vectors/bench_link.json into a C header, so that both sides are held to one file.

`make -C native test` runs it into the build folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# Types whose fixed fields are one structure of link_payloads.h or bench_link.h.
STRUCTURES = {
    "HELLO": "hello",
    "HELLO_REPLY": "hello",
    "HEARTBEAT": "heartbeat",
    "TIME_REQUEST": "word",
    "TIME_REPLY": "time_reply",
    "SENSORS": "sensors",
    "ACTUATORS": "actuators",
    "ACTUATED": "actuators",
    "GRANT": "grant",
    "DONE": "done",
    "FRAME_CHUNK": "chunk",
    "CREDIT": "credit",
    "REG_READ": "reg_read",
    "REG_WRITE": "reg_write",
    "REG_VALUES": "reg_values",
    "NODE_RESET": "word",
    "REFUSE": "word",
}
OUTSIDE_THE_SENSORS = ("tick", "throttle_live", "estimated")
PREAMBLE = (
    '#include "link_codec.h"',
    '#include "link_payloads.h"',
    "struct link_cobs_vector {",
    "    const char *name; const uint8_t *plain; uint32_t plain_bytes;",
    "    const uint8_t *coded; uint32_t coded_bytes;",
    "};",
    "struct link_message_vector {",
    "    const char *name; struct link_header header; const uint8_t *payload;",
    "    const uint8_t *wire; uint32_t wire_bytes;",
    "};",
    "struct link_rejected_vector {",
    "    const char *name; char counter; const uint8_t *wire; uint32_t wire_bytes;",
    "};",
)


def octets(name: str, digits: str) -> str:
    """A named constant byte array; C knows no empty one, so a last zero is added."""
    values = ", ".join(f"0x{byte:02X}" for byte in bytes.fromhex(digits) + b"\0")
    return f"static const uint8_t {name}[] = {{{values}}};"


def number(value: int) -> str:
    """A literal that is right for every width; the least of 32 and 64 bits has no literal in C."""
    return f"({value + 1} - 1)" if value < 0 else f"{value}u"


def member(structure: str, field: str) -> str:
    """Where a field lies in its structure."""
    if structure == "word":
        return "value"
    if structure == "sensors" and field not in OUTSIDE_THE_SENSORS:
        return f"sensors.{field}"
    return field


def initializer(structure: str, fields: dict[str, int]) -> str:
    """A designated initializer."""
    values = ", ".join(
        f".{member(structure, name)} = {number(value)}" for name, value in fields.items()
    )
    return f"{{{values}}}"


def arrays(vectors: dict[str, Any]) -> tuple[list[str], dict[str, list[str]]]:
    """Octets as named arrays, and the rows that point to them."""
    lines: list[str] = []
    rows: dict[str, list[str]] = {"cobs": [], "message": [], "rejected": []}
    for i, pair in enumerate(vectors["cobs"]):
        lines += [octets(f"{part.upper()}_{i}", pair[part]) for part in ("plain", "coded")]
        rows["cobs"].append(
            f'{{"{pair["name"]}", PLAIN_{i}, {len(pair["plain"]) // 2}u, '
            f"CODED_{i}, {len(pair['coded']) // 2}u}}"
        )
    for i, message in enumerate(vectors["messages"]):
        raw = message["message"]
        payload = raw[40:-8]  # header and check value off
        lines += [octets(f"PAYLOAD_{i}", payload), octets(f"WIRE_{i}", message["wire"])]
        header = (
            f"{{.version = {message['version']}u, .type = LINK_{message['type']}, "
            f".channel = {int(raw[4:6], 16)}u, .seq = {message['seq']}u, "
            f".payload_bytes = {len(payload) // 2}u, .session = {message['session']}u, "
            f".t_ns = {message['t_ns']}u}}"
        )
        rows["message"].append(
            f'{{"{message["name"]}", {header}, PAYLOAD_{i}, WIRE_{i}, '
            f"{len(message['wire']) // 2}u}}"
        )
    for i, case in enumerate(vectors["rejected"]):
        lines.append(octets(f"REJECTED_{i}", case["wire"]))
        rows["rejected"].append(
            f"{{\"{case['name']}\", '{case['counter'][0]}', REJECTED_{i}, "
            f"{len(case['wire']) // 2}u}}"
        )
    return lines, rows


def typed(vectors: dict[str, Any]) -> list[str]:
    """For each structure, the values of its vectors and the octets they stand for."""
    found: dict[str, list[str]] = {}
    for i, message in enumerate(vectors["messages"]):
        structure = STRUCTURES.get(message["type"])
        if structure is not None:
            row = f"{{{initializer(structure, message['fields'])}, PAYLOAD_{i}}}"
            found.setdefault(structure, []).append(row)
    lines = []
    for structure, values in found.items():
        lines.append(
            f"struct link_{structure}_vector "
            f"{{ struct link_{structure} values; const uint8_t *payload; }};"
        )
        body = ",\n    ".join(values)
        lines.append(
            f"static const struct link_{structure}_vector {structure.upper()}_VALUES[] = "
            f"{{\n    {body}}};"
        )
    return lines


def render(vectors: dict[str, Any]) -> str:
    """The whole header."""
    lines, rows = arrays(vectors)
    lines = [*PREAMBLE, *lines, octets("PRBS15", vectors["prbs15"])]
    lines.append(f"#define SCHEMA_CRC32C {vectors['schema_crc32c']}u")
    lines.append(f'static const char SCHEMA_TEXT[] = "{vectors["schema"]}";')
    for kind, values in rows.items():
        body = ",\n    ".join(values)
        name = f"{kind.upper()}_VECTORS"
        lines.append(f"static const struct link_{kind}_vector {name}[] = {{\n    {body}}};")
    return "\n".join(lines + typed(vectors)) + "\n"


if __name__ == "__main__":
    source, target = (Path(argument) for argument in sys.argv[1:])
    target.write_text(render(json.loads(source.read_text(encoding="ascii"))), encoding="ascii")
