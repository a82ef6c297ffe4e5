"""What the hardware layer costs and how fast it reacts, next to plain C on the same machine.

    python benchmarks/hal.py [PART ...]

Every part compares within one run: Python with C, with and without a real-time priority. A row with
a limit says whether it was kept; exit code 1 when one was not. Durations depend on whatever else
the machine does: look at the C row beside each.
"""

import sys
from pathlib import Path

# This file's own folder would hide the package `hal`, whose name it bears; a part's own process
# comes by here with the path of this one.
HERE = Path(__file__).resolve().parent
sys.path[:] = [str(HERE / "hal_parts"), str(HERE.parent), *sys.path[1:]]

import part_guard  # noqa: E402
import part_link  # noqa: E402
import part_lock  # noqa: E402
import part_snapshot  # noqa: E402
import part_terminal  # noqa: E402
import part_tick  # noqa: E402

sys.path.append(str(HERE))  # last, and only now

from rows import main  # noqa: E402

# A part is a function that yields rows; a new one is one line.
PARTS = {
    "snapshot": part_snapshot.rows,
    "lock": part_lock.rows,
    "tick": part_tick.rows,
    "guard": part_guard.rows,
    "link": part_link.rows,
    "terminal": part_terminal.rows,
}

if __name__ == "__main__":
    sys.exit(main(PARTS, sys.argv[1:]))
