"""Flies one scenario of this folder in a process of its own and prints its log hash."""

import sys
from pathlib import Path

from short_flight import fly, scenario


def main(name, seed, junk, folder):
    kept = [object() for _ in range(int(junk))]  # moves every address that comes after
    target = fly(scenario(name, seed=int(seed)), Path(folder))
    assert len(kept) == int(junk)
    sys.stdout.write(target.world.recorder.log_hash + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
