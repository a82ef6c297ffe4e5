"""Turns tests/vectors/framer.json into a C header, so that C and Python are held to the same bytes.

`make -C native test` runs it into the build folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

STRUCTURES = (
    "#include <stdint.h>",
    '#include "framer.h"',
    "struct crc_vector {",
    "    const uint8_t *data; uint32_t bytes; uint16_t crc16; uint32_t crc32c;",
    "};",
    "struct frame_vector {",
    "    struct framer_spec spec; const uint8_t *packets; uint32_t packets_bytes;",
    "    const uint8_t *mac; const uint8_t *frame; uint32_t frame_bytes;",
    "};",
    "struct reject_vector { const uint8_t *frame; uint32_t frame_bytes; int32_t code; };",
)


def octets(name: str, digits: str) -> str:
    """A named constant byte array; C knows no empty one, so a last zero is added."""
    values = ", ".join(f"0x{byte:02X}" for byte in bytes.fromhex(digits) + b"\0")
    return f"static const uint8_t {name}[] = {{{values}}};"


def render(vectors: dict[str, Any]) -> str:
    """The whole header."""
    lines = [*STRUCTURES]
    rows: dict[str, list[str]] = {"crc": [], "frame": [], "reject": []}
    for i, crc in enumerate(vectors["crcs"]):
        lines.append(octets(f"CRC_{i}", crc["data"]))
        size = len(crc["data"]) // 2
        rows["crc"].append(f"{{CRC_{i}, {size}u, {crc['crc16']}u, {crc['crc32c']}u}}")
    for i, frame in enumerate(vectors["frames"]):
        lines += [
            octets(f"{part.upper()}_{i}", frame[part]) for part in ("packets", "mac", "frame")
        ]
        header = ", ".join(
            f".{field} = {frame[field]}u"
            for field in ("scid", "vcid", "map_id", "destination", "bypass", "command")
        )
        iv = ", ".join(f"0x{byte:02X}" for byte in bytes.fromhex(frame["iv"]))
        rows["frame"].append(
            f"{{{{{{.vc_count = {frame['vc_count']}u, .vc_count_bytes = 6, {header}}}, "
            f"{frame['spi']}u, {{{iv}}}}}, PACKETS_{i}, {len(frame['packets']) // 2}u, MAC_{i}, "
            f"FRAME_{i}, {len(frame['frame']) // 2}u}}"
        )
    for i, reject in enumerate(vectors["rejected"]):
        lines.append(octets(f"REJECT_{i}", reject["frame"]))
        size = len(reject["frame"]) // 2
        rows["reject"].append(f"{{REJECT_{i}, {size}u, {reject['code']}}}")
    for kind, values in rows.items():
        body = ",\n    ".join(values)
        lines.append(f"static const struct {kind}_vector {kind.upper()}S[] = {{\n    {body}}};")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    source, target = (Path(argument) for argument in sys.argv[1:])
    target.write_text(render(json.loads(source.read_text(encoding="utf-8"))), encoding="ascii")
