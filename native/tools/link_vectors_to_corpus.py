"""Gives the fuzzer of the decoder what no fuzzer finds: messages whose check value is right.

`make -C native fuzz` runs it: each wire of tests/vectors/bench_link.json becomes a file, behind the
octet that says how long the runs are in which it is fed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

RUN = b"\x3f"

if __name__ == "__main__":
    source, folder = (Path(argument) for argument in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    vectors = json.loads(source.read_text(encoding="ascii"))
    for i, case in enumerate([*vectors["messages"], *vectors["rejected"]]):
        (folder / f"vector-{i:02d}").write_bytes(RUN + bytes.fromhex(case["wire"]))
