"""Frames and reports that must not be believed, by the million, at a whole node in flight.

    python benchmarks/hostile_link.py [FRAMES] [SEED]

Prints what was done to them and the verdicts; ends with an error where the node believed one,
raised, lost count or is afterwards another one. `tests/scenarios/hostile_link.py` says how.
"""

import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The folder of this file holds programs named like packages of the product.
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "tests" / "scenarios"))

from hostile_link import Flown, let_frames_at, let_reports_at  # noqa: E402


def main():
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)
    print(f"{frames:,} hostile frames and as many reports, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        flown = Flown(folder)
        for (kind, verdict), count in sorted(let_frames_at(flown, frames, seed).items(), key=str):
            print(f"  {kind:<14}{verdict.value:<16}{count:>12,}")
        for kind, count in sorted(let_reports_at(flown, frames, seed).items()):
            print(f"  {kind:<14}{'report':<16}{count:>12,}")
        flown.target.finish()


if __name__ == "__main__":
    main()
