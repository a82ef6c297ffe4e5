"""Gives the fuzzers what no fuzzer finds: messages and frames whose check value is right.

`make -C native fuzz` runs it: each wire of tests/vectors/bench_link.json and each frame of
tests/vectors/framer.json becomes a file, behind the octets that its fuzzer takes for itself.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

RUN = b"\x3f"
"""fuzz_link_decoder: length of the runs in which the rest is fed."""
RAW_OCTETS_MAX = 255
"""fuzz_link_session: a turn is what happens (0: raw octets), how many, and a sequence number."""
TEXTS = (
    "-12345\n",
    "0x50005\n",
    "some avg10=22.55 avg60=0.00 avg300=0.00 total=7\n",
    "VDD_CORE_A current(7)=0.91850000A\nVDD_CORE_V volt(15)=0.87500000V\n",
    "VDD_CORE_A=0.9185A\nVDD_CORE_V=0.8750V\n",
    "< POWER_MODEL ID=1 NAME=15W >\nCPU_A78_0 MAX_FREQ 1510400\nGPU MAX_FREQ 624750000\npmode:0001",
    "file /sys/class/x 1800000",
    "line pinctrl-rp1 GPIO17 0 0",
    "/sys/../etc",
)
"""fuzz_linux_text: one of each kind that it takes apart."""

RECORD = struct.Struct(">4sBBHQIIBBBQBIIqqqQB1sx")
"""fuzz_segment_scan: records of a product; it makes their check values right itself."""


def turns(wire: bytes) -> bytes:
    """A wire as turns of the session's fuzzer."""
    pieces = (wire[at : at + RAW_OCTETS_MAX] for at in range(0, len(wire), RAW_OCTETS_MAX))
    return b"".join(bytes([0, len(piece), 0]) + piece for piece in pieces)


def write(folder: Path, inputs: list[bytes]) -> None:
    """One file an input, named by its place."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, octets in enumerate(inputs):
        (folder / f"vector-{i:02d}").write_bytes(octets)


if __name__ == "__main__":
    vectors, corpus = (Path(argument) for argument in sys.argv[1:])
    link = json.loads((vectors / "bench_link.json").read_text(encoding="ascii"))
    wires = [bytes.fromhex(case["wire"]) for case in (*link["messages"], *link["rejected"])]
    write(corpus / "fuzz_link_decoder", [RUN + wire for wire in wires])
    write(corpus / "fuzz_link_session", [turns(wire) for wire in wires])
    framer = json.loads((vectors / "framer.json").read_text(encoding="ascii"))
    frames = [bytes.fromhex(case["frame"]) for case in (*framer["frames"], *framer["rejected"])]
    write(corpus / "fuzz_framer", frames)
    write(corpus / "fuzz_linux_text", [text.encode("ascii") for text in TEXTS])
    products = [
        RECORD.pack(
            b"LNR\x01",
            1,
            1,
            54,
            i,
            54,
            0,
            4,
            0x11,
            3,
            i,
            0,
            9,
            0,
            5,
            7,
            8 << 60 - 8 * i,
            0,
            1,
            b"p",
        ).ljust(80, b"\0")
        for i in (3, 1, 2, 1)
    ]
    write(corpus / "fuzz_segment_scan", [b"".join(products[:i]) for i in range(1, 5)])
