"""How long an alarm waits for the line while a large product is under way, in line time.

    python benchmarks/preemption.py [ALARMS]

A pass at 200 Mbit/s in frames of 32 kB, flown whole on target `sim`; alarms at odd instants. Exit
code 1 when a limit is not kept: the next frame into the modem, four frames in it at most, 99 % of
the alarms on the line within 5 ms.
"""

import sys
import tempfile
from pathlib import Path

import pytest

# The folder of this file holds programs named like packages of the product.
ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "tests" / "scenarios"))

from preemption_flight import FRAME_NS, fly_alarms  # noqa: E402

DEPTH_MOST, P99_MS_MOST, MS = 4, 5.0, 1e6


def main():
    """Fly, print, and say whether the limits are kept."""
    alarms = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        target, witness, _ = fly_alarms(Path(folder), patch, alarms)
    waits_ms = sorted(wait_ns / MS for wait_ns in witness.waits_ns.values())
    at = lambda share: waits_ms[min(int(share * len(waits_ms)), len(waits_ms) - 1)]
    before = max(witness.before.values())
    goodput = max(target.world.link.logs[0].goodput_bps)
    print(f"{len(waits_ms)} alarms at 200 Mbit/s, a frame is {FRAME_NS / MS:.2f} ms of the line")
    print(f"  product frames given to the modem in between  {before} at most")
    print(f"  frames in the modem                           {witness.depth_most} at most")
    print(
        f"  from its making to its first bit on the line  {at(0.5):.2f} ms in the middle, "
        f"{at(0.99):.2f} ms for 99 %, {waits_ms[-1]:.2f} ms at most"
    )
    print(f"  best second of the pass                       {goodput / 1e6:.1f} Mbit/s")
    kept = (
        len(waits_ms) == alarms and before == 0
        and witness.depth_most <= DEPTH_MOST and at(0.99) < P99_MS_MOST
    )  # fmt: skip
    print(f"  limits: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
