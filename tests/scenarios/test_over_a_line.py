"""A flight over a line: by a child on a pseudo-terminal, by a node at the end of a cable."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from cable import Cable

from hil.bench_link.wire_capture import Way, read_capture

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LUMENODE = [sys.executable, "-m", "flight"]
PATIENCE_S = 180.0
EXPECT = """
[[timeline]]
at_s = 130.0
action = "reset"
[[expect]]
id = "DLK-1"
kind = "at_end"
value = "products_lost_after_acknowledgement"
op = "=="
limit = 0.0
text = "nothing freed is missing"
[[expect]]
id = "DLK-3"
kind = "at_end"
value = "products_delivered"
op = ">="
limit = 20.0
text = "products arrive"
[[expect]]
id = "NEVER"
kind = "at_end"
value = "products_delivered"
op = ">="
limit = 1e6
text = "a promise nobody can keep fails everywhere"
"""


def start(*arguments, **options):
    return subprocess.Popen(
        [*LUMENODE, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def lumenode(*arguments):
    done = start(*arguments)
    out, err = done.communicate(timeout=PATIENCE_S)
    return done.returncode, out, err


@pytest.fixture
def scenario(tmp_path):
    def write(extra="", **changes):
        text = (HERE / "slow-relay.toml").read_text()
        for key, value in changes.items():
            (line,) = [each for each in text.splitlines() if each.startswith(f"{key} =")]
            text = text.replace(line, f"{key} = {value}")
        path = tmp_path / "scenario.toml"
        path.write_text(text + extra)
        return path

    return write


def flown(scenario, folder, *options):
    """Exit code and summary of one run."""
    code, out, err = lumenode("run", scenario, "--out", folder, "--json", *options)
    assert out, err
    return code, json.loads(out)


def pictures(folder):
    """What arrived, by content: a node's own numbers leave a gap after a reset."""
    files = (folder / "products").glob("*.png")
    return Counter(hashlib.sha256(each.read_bytes()).hexdigest() for each in files)


def nodes_of(folder):
    """Processes whose command line names a file of this run."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in each.read_bytes():
                found.append(int(each.parent.name))
        except OSError:
            continue
    return found


def test_over_a_pty_verdicts_and_delivered_pictures_are_those_of_target_sim_in_every_run(
    scenario, tmp_path
):
    path = scenario(EXPECT)
    here = flown(path, tmp_path / "sim")
    there = flown(path, tmp_path / "one", "--target", "pty")
    for code, summary in (here, there):
        assert code == 1
        verdicts = {each["id"]: each["verdict"] for each in summary["expectations"]}
        assert verdicts == {"DLK-1": "pass", "DLK-3": "pass", "NEVER": "fail"}
    assert pictures(tmp_path / "one") == pictures(tmp_path / "sim")
    for same in (
        "frames_seen",
        "products_created",
        "products_delivered",
        "resets",
        "value_created",
    ):
        assert there[1][same] == here[1][same], same
    code, out, err = lumenode("replay", tmp_path / "one", "--json")
    assert (code, json.loads(out)["same"]) == (0, True), err
    assert (there[1]["target"], here[1]["bench_link"]) == ("pty", None)
    line = there[1]["bench_link"]
    assert (line["mode"], line["nodes_seen"], line["samples_late"]) == ("lock_step", 2, 0)
    assert nodes_of(tmp_path) == []


@contextmanager
def benched(tmp_path, path, *options):
    """A bench at one end of a cable, and the folder a node is to fly from."""
    tmp_path.joinpath("cable").mkdir()
    cable, out = Cable(tmp_path / "cable"), tmp_path / "run"
    bench = start(
        "bench", path, "--serial", cable.bench, "--node-device", cable.node,
        "--out", out, "--wait", 60, "--json", *options,
    )  # fmt: skip
    config = out / "node" / "lumenode.toml"
    processes = [bench]
    try:
        until(lambda: config.exists() or bench.poll() is not None)
        yield bench, cable, config, processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()
        cable.close()


def until(holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def fly_from(config):
    """A node with the tiles of its scenario for an imager, as a board has a camera of its own."""
    frames = config.parent / "frames"
    frames.mkdir(exist_ok=True)
    config.write_text(config.read_text() + f'\n[frames]\nsource = "folder"\npath = "{frames}"\n')
    return start("fly", "--config", config)


def summary_of(bench):
    out, err = bench.communicate(timeout=PATIENCE_S)
    assert bench.returncode == 0, err
    return json.loads(out)


def test_a_cable_that_is_noisy_and_is_unplugged_costs_messages_and_no_mission(scenario, tmp_path):
    with benched(tmp_path, scenario(duration_s=1500.0)) as (bench, cable, config, processes):
        node = fly_from(config)
        processes.append(node)
        until(lambda: cable.carried > 100_000)
        cable.say(b"garbage\0" + bytes(range(1, 250)) * 3)
        cable.unplug()
        cable.plug()
        until(lambda: cable.carried > 200_000)
        cable.say(b"\0\1\2\3\0")
        summary = summary_of(bench)
        line = summary["bench_link"]
        assert line["times_unplugged"] == 1
        assert line["nodes_seen"] >= 2
        assert summary["resets"] == [], "the node flew on"
        assert node.poll() is None
        node.send_signal(signal.SIGTERM)
        node.communicate(timeout=PATIENCE_S)
        assert node.returncode == 0


def test_a_node_at_the_end_of_a_cable_loses_its_power_when_it_is_told(scenario, tmp_path):
    reset = '[[timeline]]\nat_s = 20.0\naction = "reset"\n'
    path = scenario(reset, duration_s=45.0, relay_first_s=1000.0)
    with benched(tmp_path, path) as (bench, _, config, processes):
        node = fly_from(config)
        processes.append(node)
        summary = summary_of(bench)
        assert [each["cause"] for each in summary["resets"]] == ["injected"]
        boots = [
            json.loads(line)
            for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()
            if '"BOOTED"' in line
        ]
        told = [(each["t_s"], each["text"].partition(",")[0]) for each in boots]
        assert told == [(0.0, "start 1"), (32.0, "start 2")]
        assert node.poll() is None


def test_in_free_run_both_follow_their_own_clocks_and_what_is_late_is_counted(scenario, tmp_path):
    path = scenario(duration_s=8.0, relay_first_s=1000.0)
    with benched(tmp_path, path, "--mode", "free-run", "--capture") as (
        bench,
        _,
        config,
        processes,
    ):
        node = fly_from(config)
        processes.append(node)
        out, err = bench.communicate(timeout=PATIENCE_S)
        # A busy machine may be late: then the run says nothing, and that is what it must say.
        summary = json.loads(out)
        assert bench.returncode == (3 if summary["verdict"] == "invalid" else 0), err
        line = summary["bench_link"]
        assert (line["mode"], line["steps"]) == ("free_run", 8)
        assert line["clock_uncertainty_ms"] is not None
        captured = read_capture(tmp_path / "run" / "wire.capture")
        ways = Counter(each.way for each in captured)
        assert min(ways[Way.FROM_NODE], ways[Way.TO_NODE]) > 0


def test_a_node_that_wants_the_other_mode_is_refused_by_both_in_one_line(scenario, tmp_path):
    with benched(tmp_path, scenario()) as (bench, _, config, processes):
        config.write_text(config.read_text().replace('"lock-step"', '"free-run"'))
        node = fly_from(config)
        processes.append(node)
        _, said = node.communicate(timeout=PATIENCE_S)
        assert node.returncode == 2
        waited, refused = said.splitlines()
        assert "waiting for a bench" in waited
        assert refused.endswith("the bench there has another mode")
        _, told = bench.communicate(timeout=PATIENCE_S)
        assert (bench.returncode, told.count("do not fit together: another mode")) == (3, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_stops_a_run_leaves_no_node_behind(scenario, tmp_path, number):
    run = start("run", scenario(duration_s=100_000.0), "--target", "pty", "--out", tmp_path / "run")
    until((tmp_path / "run" / "flight" / "index.sqlite").exists)
    run.send_signal(number)
    _, said = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, said.count("\n")) == (130, 1)
    until(lambda: nodes_of(tmp_path / "run") == [])


def test_a_bench_that_waits_for_a_node_can_be_stopped(scenario, tmp_path):
    bench = start("bench", scenario(), "--pty", "--out", tmp_path / "run")
    until((tmp_path / "run" / "node" / "lumenode.toml").exists)
    os.kill(bench.pid, signal.SIGINT)
    _, said = bench.communicate(timeout=PATIENCE_S)
    assert (bench.returncode, said.count("\n")) == (130, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--target", "serial:/dev/no-such-port"),
        ("bench", "--serial", "/dev/no-such-port"),
        ("bench", "--serial", "/dev/null"),
        ("run", "--target", "serial:"),
        ("run", "--target", "pty", "--mode", "hurry"),
        ("run", "--target", "pty", "--baud", "1"),
        ("bench", "--pty", "--wait", "0"),
        ("bench",),
    ],
)
def test_what_cannot_be_flown_is_one_line(scenario, tmp_path, arguments):
    command, *options = arguments
    code, out, err = lumenode(command, scenario(), *options, "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1, err
