"""`lumenode fly` with a witness: when the event loop takes each tick, and for when it was due.

    python watched_flight.py FILE ARGUMENT ...

Writes ticks taken, due time and time of taking, 64 bits each, for every look at the tick source.
"""

import sys
import time
from array import array
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from flight.fly_command import main_fly  # noqa: E402
from hal.tick_source import TickSource  # noqa: E402

seen = array("q")
take = TickSource.take


def witnessed(source):
    """What `TickSource.take` gives, noted."""
    count, due_ns = take(source)
    if count:
        seen.extend((count, due_ns, time.monotonic_ns()))
    return count, due_ns


TickSource.take = witnessed
code = main_fly(sys.argv[2:])
Path(sys.argv[1]).write_bytes(seen.tobytes())
sys.exit(code)
