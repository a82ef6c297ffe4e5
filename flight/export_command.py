"""`lumenode export icd DIR`: the interface of the node, for people and for other ground systems."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flight import __version__
from flight.icd_pages import icd_pages
from flight.one_line_parser import OneLineParser
from flight.telemetry.mqtt_messages import dictionary_payload

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_GOOD, EXIT_USAGE = 0, 2
DICTIONARY = "dictionary.json"


def main_export(argv: Sequence[str]) -> int:
    """Exit code: 0 written, 2 refused in one line."""
    parser = OneLineParser(
        prog="lumenode export",
        description="Write the interface of this version: channels with their octets and limits, "
        "events, commands, parameters, as Markdown and as dictionary.json.",
        epilog="example: lumenode export icd interface",
    )
    parser.add_argument("what", choices=["icd"], help="the interface pages")
    parser.add_argument("folder", metavar="DIR", help="files of the same names are overwritten")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    options = parser.parse_args(argv)
    folder = Path(options.folder).expanduser()
    files = {name: text.encode() for name, text in icd_pages().items()}
    files[DICTIONARY] = msgspec.json.format(dictionary_payload(__version__)) + b"\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        sys.stderr.write(f"lumenode export: {error.filename or folder}: {error.strerror}\n")
        return EXIT_USAGE
    if options.json:
        written = {"folder": str(folder), "files": list(files)}
        sys.stdout.write(msgspec.json.encode(written).decode() + "\n")
    else:
        sys.stdout.write("".join(f"{folder / name}\n" for name in files))
    return EXIT_GOOD
