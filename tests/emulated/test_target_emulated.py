"""Target `emulated`: a flight executive on an aarch64 processor closes the loop with the bench."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

pytestmark = [pytest.mark.emulated, pytest.mark.timeout(1200)]
SCENARIO = Path(__file__).parents[1] / "scenarios" / "slow-relay.toml"
DURATION_S = 260.0
EXPECT = """
[[expect]]
id = "KEPT"
kind = "at_end"
value = "products_lost_after_acknowledgement"
op = "=="
limit = 0.0
text = "nothing freed is missing"
[[expect]]
id = "ARRIVE"
kind = "at_end"
value = "products_delivered"
op = ">="
limit = 10.0
text = "products arrive"
[[expect]]
id = "NEVER"
kind = "at_end"
value = "products_delivered"
op = ">="
limit = 1e6
text = "a promise nobody can keep fails everywhere"
"""
SAME = ("frames_seen", "products_created", "products_delivered", "value_created", "frames_sent")


@pytest.fixture
def scenario(tmp_path):
    text = SCENARIO.read_text().replace("duration_s = 300.0", f"duration_s = {DURATION_S}")
    assert str(DURATION_S) in text
    path = tmp_path / "scenario.toml"
    path.write_text(text + EXPECT)
    return path


def flown(lumenode, scenario, folder, target):
    done = lumenode("run", scenario, "--target", target, "--out", folder, "--json", timeout_s=1000)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def pictures(folder):
    """What arrived, by content."""
    files = (folder / "products").glob("*.png")
    return Counter(hashlib.sha256(each.read_bytes()).hexdigest() for each in files)


@pytest.mark.usefixtures("python")
def test_on_an_aarch64_processor_the_verdicts_and_the_delivered_pictures_are_those_of_target_sim(
    lumenode, scenario, tmp_path
):
    here_code, here = flown(lumenode, scenario, tmp_path / "sim", "sim")
    there_code, there = flown(lumenode, scenario, tmp_path / "emulated", "emulated")
    assert (here_code, there_code) == (1, 1)
    for summary in (here, there):
        verdicts = {each["id"]: each["verdict"] for each in summary["expectations"]}
        assert verdicts == {"KEPT": "pass", "ARRIVE": "pass", "NEVER": "fail"}
    assert {name: there[name] for name in SAME} == {name: here[name] for name in SAME}
    assert pictures(tmp_path / "emulated") == pictures(tmp_path / "sim")
    assert (there["target"], there["bench_link"]["nodes_seen"]) == ("emulated", 1)
