"""One seed, one flight: in every process, under any hash seed, whatever lies in memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from short_flight import fly, scenario

from hil.simloop_traps import trapped_nondeterminism

HERE = Path(__file__).parent
RESET = {"at_s": 130.0, "action": "reset"}


def hash_of(folder, *, seed=11, **changes):
    target = fly(scenario("slow-relay", seed=seed, **changes), folder)
    return target.world.recorder.log_hash


def hash_elsewhere(folder, *, hash_seed, junk, name="slow-relay", seed=11):
    done = subprocess.run(
        [sys.executable, str(HERE / "fly_and_tell.py"), name, str(seed), str(junk), str(folder)],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        cwd=HERE.parents[1],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_a_seed_gives_one_flight_and_another_seed_another(tmp_path):
    first, again, other = (
        hash_of(tmp_path / str(i), seed=seed, timeline=[RESET])
        for i, seed in enumerate((11, 11, 12))
    )
    assert first == again
    assert other != first


@pytest.mark.parametrize("name", ["slow-relay", "calern-pass"])
def test_neither_hash_seed_nor_memory_shows_in_the_log(tmp_path, name):
    here = fly(scenario(name, seed=4), tmp_path / "here").world.recorder.log_hash
    found = {
        hash_elsewhere(tmp_path / f"{hash_seed}-{junk}", hash_seed=hash_seed, junk=junk,
                       name=name, seed=4)
        for hash_seed, junk in (("0", 0), ("1", 300_000), ("4242", 77))
    }  # fmt: skip
    assert found == {here}


def test_a_whole_flight_asks_no_clock_no_generator_and_no_thread(tmp_path):
    flown = scenario("slow-relay", timeline=[RESET])
    untrapped = fly(flown, tmp_path / "open").world.recorder.log_hash
    with trapped_nondeterminism():
        trapped = fly(flown, tmp_path / "trapped").world.recorder.log_hash
    assert trapped == untrapped
