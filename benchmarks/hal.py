"""What the hardware layer costs and how fast it reacts, next to plain C on the same machine.

    python benchmarks/hal.py [PART ...]

Every part compares within one run: Python with C, with and without a real-time priority. A row with
a limit says whether it was kept; exit code 1 when one was not. Durations depend on whatever else
the machine does: look at the C row beside each.
"""

import sys
from pathlib import Path
from typing import NamedTuple

# This file's own folder would hide the package `hal`, whose name it bears.
sys.path[0] = str(Path(__file__).resolve().parent / "hal_parts")

import part_guard  # noqa: E402
import part_link  # noqa: E402
import part_lock  # noqa: E402
import part_snapshot  # noqa: E402
import part_terminal  # noqa: E402
import part_tick  # noqa: E402

# A part is a function that yields rows; a new one is one line.
PARTS = {
    "snapshot": part_snapshot.rows,
    "lock": part_lock.rows,
    "tick": part_tick.rows,
    "guard": part_guard.rows,
    "link": part_link.rows,
    "terminal": part_terminal.rows,
}


class Shown(NamedTuple):
    """One row as it is printed."""

    kept: bool
    text: str


def shown(row):
    """`row`: what, value, unit, and the most it may be (None: nothing to keep; ("least", x))."""
    what, value, unit, limit = row
    figure = f"{value:12,.2f}" if isinstance(value, float) else f"{value:>12}"
    if limit is None:
        return Shown(True, f"  {what:<58}{figure} {unit}")
    if isinstance(limit, tuple):
        kept, limit = value >= limit[1], f"least {limit[1]:g}"
    else:
        kept, limit = value <= limit, f"limit {limit:g}"
    verdict = "kept" if kept else "NOT KEPT"
    return Shown(kept, f"  {what:<58}{figure} {unit:<6} {limit}: {verdict}")


def main():
    """Print the parts named, or all of them."""
    unknown = [name for name in sys.argv[1:] if name not in PARTS]
    if unknown:
        print(f"unknown part {unknown[0]!r}; allowed: {', '.join(PARTS)}")
        return 2
    all_kept = True
    for name in sys.argv[1:] or PARTS:
        print(f"{name}")
        for row in PARTS[name]():
            kept, text = shown(row)
            all_kept &= kept
            print(text, flush=True)
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
