"""What the executive of a flying node is worth, beside a plain-C loop and another framework.

    python benchmarks/executive.py [--minutes M] [PART ...]

A row with a limit says whether it was kept; exit code 1 when one was not. Durations depend on
whatever else the machine does: look at the C row and the reference row beside each.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# This file's own folder would hide the package `hal`: a benchmark bears its name.
sys.path[0:1] = [str(HERE / "executive_parts"), str(HERE / "hal_parts"), str(HERE.parent)]

import part_command  # noqa: E402
import part_process  # noqa: E402
import part_rate  # noqa: E402

sys.path.append(str(HERE))  # last, and only now

import rows  # noqa: E402

MINUTES = 0.25
"""For each of the four flights of part "rate"."""


def main():
    """Prints the parts named, or all of them."""
    words, minutes = sys.argv[1:], MINUTES
    if "--minutes" in words:
        at = words.index("--minutes")
        try:
            minutes = float(words[at + 1])
        except (IndexError, ValueError):
            minutes = 0.0
        if not 0.05 <= minutes <= 1440.0:
            print("--minutes: allowed: 0.05 to 1440", file=sys.stderr)
            return 2
        del words[at : at + 2]
    parts = {
        "command": part_command.rows,
        "rate": lambda: part_rate.rows(60.0 * minutes),
        "process": part_process.rows,
    }
    return rows.main(parts, words)


if __name__ == "__main__":
    sys.exit(main())
