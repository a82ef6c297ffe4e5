"""`lumenode product ID`: the life of one product, as far as a folder tells it.

Three witnesses: the node's own store and its book of lives (made, each frame, each report, freed or
given up), the ground's archive (delivered, verified, through which contact) and the events of the
run (evicted, expired, deleted).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flight.config import ConfigError
from flight.one_line_parser import OneLineParser
from hil.console_output import clock
from hil.product_life import read_life
from hil.run_flight import EXIT_GOOD, EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS = "runs"
NAMES = ("product_id", "name", "class")
DEEDS = {
    "MADE": "made and durable",
    "SENT": "sent",
    "REPORTED": "reported as arrived",
    "LOST": "reported as lost",
    "ASKED": "asked what the ground holds",
    "HELD": "the ground holds",
    "VERIFIED": "whole and verified on the ground",
    "FREED": "that is durable here, and its space free",
    "GIVEN_UP": "given up",
    "REPAIRED": "its record was damaged and written again",
    "STARTED": "the node was started",
    "MISSING": "lines that could not be kept:",
}


def main_product(argv: Sequence[str]) -> int:
    """Exit code: 0 told, 2 unknown product or no run."""
    parser = OneLineParser(
        prog="lumenode product",
        description="Print the life of a product: made, durable, each frame, reported, freed.",
        epilog="example: lumenode product 42 --run runs/first-flight",
    )
    parser.add_argument(
        "id", type=_identity, metavar="ID", help="identity of the product, a whole number"
    )
    parser.add_argument(
        "--run", metavar="DIR", help="a run's folder or a node's data (the newest in runs/)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    arguments = parser.parse_args(argv)
    try:
        folder = Path(arguments.run) if arguments.run else newest_run(Path(RUNS))
        life = read_life(folder, arguments.id)
    except ConfigError as error:
        sys.stderr.write(f"lumenode product: {error}\n")
        return EXIT_USAGE
    sys.stdout.write((json.dumps(life) if arguments.json else told(life)) + "\n")
    return EXIT_GOOD


def _identity(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**64):
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is 0 to 2^64-1")
    return int(text)


def newest_run(runs: Path) -> Path:
    """The folder of the run that was completed last; ConfigError when there is none."""
    found = sorted((path.stat().st_mtime_ns, path) for path in runs.glob("*/summary.json"))
    if not found:
        raise ConfigError(f"{runs}/: holds no run; say --run DIR")
    return found[-1][1].parent


def told(life: dict[str, Any]) -> str:
    """The life in lines for people."""
    rows = [
        ("product", "  ".join(str(life[key]) for key in NAMES if life[key] is not None)),
        *_made(life),
        ("on board", _on_board(life)),
        ("on ground", _on_ground(life)),
    ]
    rows += [("book", f"{_at(line['t_s'])}  {_line(line)}") for line in life["book"]]
    rows += [("event", f"{_at(event['t_s'])}  {event['text']}") for event in life["events"]]
    return "\n".join(f"{name:<10} {text}" for name, text in rows)


def _made(life: dict[str, Any]) -> list[tuple[str, str]]:
    """Nothing where only the book is left."""
    if life["created_s"] is None:
        return []
    return [
        ("size", f"{life['size_bytes']} B, CRC-32C {life['crc32c']:08x}"),
        ("value", f"{life['value_millis'] / 1000.0:g}{_until(life['deadline_s'])}"),
        ("created", _at(life["created_s"])),
    ]


def _line(line: dict[str, Any]) -> str:
    """One line of the book."""
    words = [DEEDS[line["deed"]]]
    if line["frames"]:
        first, last = line["frames"]
        words.append(f"in frame {first}:" if first == last else f"in frames {first} to {last}:")
    if line["bytes"]:
        start, end = line["bytes"]
        held = line["deed"] == "HELD"
        words.append(f"{end} B" if held else f"octets {start} to {end - 1}")
    if line["lines"]:
        words.append(str(line["lines"]))
    return " ".join(words) + (f" ({line['note']})" if line["note"] else "")


def _at(t_s: float) -> str:
    return f"{t_s:.3f} s ({clock(t_s)})"


def _until(deadline_s: float | None) -> str:
    return "" if deadline_s is None else f", worth nothing after {_at(deadline_s)}"


def _on_board(life: dict[str, Any]) -> str:
    state, acked = life["state"], life["acknowledged_bytes"]
    if state is None:
        return "its space was given back, delivered or given up"
    part = f", {acked} B acknowledged" if acked else ""
    record = {None: "", True: ", record verifies", False: ", record damaged"}[life["record_good"]]
    return f"{state}{part}{record}"


def _on_ground(life: dict[str, Any]) -> str:
    if life["delivered_s"] is None:
        return "not delivered"
    contact = life["contact"]
    good = "verified" if life["file_good"] else "FILE DOES NOT MATCH ITS CRC"
    through = "" if contact is None else f" through {contact}"
    return f"{_at(life['delivered_s'])}{through}, {life['file']}, {good}"
