"""Writes the generated parts of the docs from the tables they describe.

    python docs/generate.py            rewrite what is out of date
    python docs/generate.py --check    only look; 1 when something is out of date

A generated part stands between `<!-- generated: NAME -->` and `<!-- end: NAME -->`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import fault_parts
import header_parts
import operating_parts
import reference_parts
import table_parts
import terminal_parts

from flight.config_text import BoardChoice, config_text
from flight.icd_pages import icd_pages

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {
        "commands": reference_parts.commands,
        "scenarios": reference_parts.scenarios,
        "accuracy": reference_parts.accuracy,
    },
    "docs/ARCHITECTURE.md": {
        "modes": table_parts.modes,
        "terminal": table_parts.terminal,
    },
    "docs/fault-protection.md": {
        "verdicts": fault_parts.verdicts,
        "limits": fault_parts.limits,
        "recoveries": fault_parts.recoveries,
        "conditions": fault_parts.conditions,
        "supervision": fault_parts.supervision,
        "health": fault_parts.health,
        "targets": fault_parts.targets,
        "criteria": fault_parts.criteria,
    },
    "docs/hal.md": {
        "backends": header_parts.backends,
        "functions": header_parts.functions,
        "errors": header_parts.errors,
        "sensor bits": header_parts.sensor_bits,
        "throttle bits": header_parts.throttle_bits,
        "value states": header_parts.value_states,
        "counters": header_parts.counters,
        "operations": header_parts.operations,
    },
    "docs/SCENARIOS.md": {
        "keys": reference_parts.keys,
        "actions": reference_parts.actions,
        "sensors": reference_parts.sensors,
        "stations": reference_parts.stations,
        "commands and parameters": reference_parts.commands_and_parameters,
        "kinds": reference_parts.kinds,
        "names": reference_parts.names,
    },
    "docs/operating.md": {
        "events": operating_parts.events,
        "commands": operating_parts.commands,
    },
    "docs/terminal.md": {
        "registers": terminal_parts.registers,
        "faults": terminal_parts.faults,
        "constants": terminal_parts.constants,
    },
}


WHOLE: dict[str, Callable[[], str]] = {
    "docs/deploy/lumenode.toml": lambda: config_text(BoardChoice()),
    **{f"docs/icd/{name}": lambda text=text: text for name, text in icd_pages().items()},
}
"""Files that are written as a whole."""


def written(name: str, text: str) -> str:
    """What a file has to say, given what it says now."""
    return WHOLE[name]() if name in WHOLE else filled(text, PARTS[name])


def filled(text: str, parts: dict[str, Callable[[], str]]) -> str:
    """`text` with each part freshly written; ValueError when its markers are not there once."""
    for name, write in parts.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"{name}: needs {begin} and {end}, once each")
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{write().strip()}\n\n{end}{after}"
    return text


def _said(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def stale(root: Path = ROOT) -> list[str]:
    """Files whose generated parts no longer say what the tables say."""
    found = []
    for name in (*PARTS, *WHOLE):
        text = _said(root / name)
        if written(name, text) != text:
            found.append(name)
    return found


def main(argv: list[str]) -> int:
    """Exit code: 0 nothing to do or done, 1 out of date and only looked."""
    for name in stale():
        sys.stdout.write(f"{name}: out of date\n")
        if "--check" not in argv:
            path = ROOT / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(written(name, _said(path)), encoding="utf-8")
    return int("--check" in argv and bool(stale()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
