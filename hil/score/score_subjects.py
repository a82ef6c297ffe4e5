"""`lumenode score SUBJECT`: what can be scored, each by a command of its own."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from hil.run_flight import EXIT_GOOD, EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

SUBJECTS = {
    "governor": (
        "hil.score.score_command",
        "main_score",
        "a governor on a day, or that of a flown run",
    ),
    "downlink": ("hil.score.downlink_command", "main_score_downlink", "queue and ARQ on a case"),
}


def main_score(argv: Sequence[str]) -> int:
    """Exit code of the subject's command; 2 for none or an unknown one."""
    if argv and argv[0] in SUBJECTS:
        module, function, _ = SUBJECTS[argv[0]]
        return int(getattr(import_module(module), function)(argv))
    if argv and argv[0] in ("-h", "--help"):
        sys.stdout.write(_usage())
        return EXIT_GOOD
    named = f"{argv[0]!r}" if argv else "nothing"
    sys.stderr.write(f"lumenode score: {named}: allowed is {', '.join(sorted(SUBJECTS))}\n")
    return EXIT_USAGE


def _usage() -> str:
    lines = [f"  {name:<10}  {text}\n" for name, (*_, text) in sorted(SUBJECTS.items())]
    return (
        "usage: lumenode score SUBJECT [ARGUMENTS]   (lumenode score SUBJECT --help for each)\n\n"
        + "".join(lines)
        + "\nexample: lumenode score downlink --case case7 --out ledger.npz\n"
    )
