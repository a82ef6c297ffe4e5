"""What a user gets wrong is said in one line, with exit code 2, and nothing half is left."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from flight.__main__ import main
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import DEFAULT_ROOT, ModelRegistry
from flight.inference.tile_pixels import pixels_of
from hil.imagery import synthetic_tiles
from hil.scenario_check import SUMMARY_KEYS
from hil.tile_writer import LabelledScene, write_tile_cache

SHORT = Path(__file__).parents[1] / "scenarios" / "slow-relay.toml"
GOOD = """
name = "good"
title = "a minute of nothing"
duration_s = 20.0
epoch_utc = 2026-06-21T00:00:00Z
[imagery]
source = "synthetic"
[ground]
stations = []
relay = false
"""


@pytest.fixture
def told(tmp_path, capsys, monkeypatch):
    """Runs the command in an empty folder; returns exit code and what it said."""
    monkeypatch.chdir(tmp_path)

    def call(*argv):
        try:
            code = main(list(map(str, argv)))
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def refused(answer, *parts):
    code, out, err = answer
    assert code == 2, err
    assert out == ""
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    for part in parts:
        assert part in err, err


def write(tmp_path, text, name="mine.toml"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_folder_is_no_scenario_and_the_hint_is_how_to_fly_it_again(told, tmp_path):
    refused(told("run", tmp_path), str(tmp_path), "is a folder", "lumenode replay")


def test_an_unknown_scenario_names_those_there_are(told, tmp_path):
    refused(told("run", "no-such"), "scenario 'no-such'", "first-flight")
    refused(told("run", "nowhere.toml"), "nowhere.toml: no such file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ("title", ("not valid TOML", "line")),
        ("duration_s = 0.0", ("duration_s = 0.0", "above 0")),
        ('duration_s = "long"', ("duration_s = 'long'", "number")),
        ("seed = -1", ("seed = -1", "from 0")),
        ("seed = 1.5", ("seed = 1.5", "whole number")),
        ("epoch_utc = 2026-06-21T00:00:00", ("epoch_utc", "time zone")),
        ("sped = 3", ("sped", "keys")),
        ('name = "My Run"', ("name = 'My Run'",)),
        ("[spacecraft]\nsoc_initial = 1.5", ("spacecraft.soc_initial = 1.5", "to 1")),
        ("[spacecraft]\nsoc_initial = nan", ("spacecraft.soc_initial = nan", "finite")),
        ('[imagery]\nsource = "google"', ("imagery.source = 'google'", "synthetic")),
        ('[ground]\nstations = ["atlantis"]', ("ground.stations[0] = 'atlantis'", "tenerife")),
        ('[ground]\nstations = ["calern", "calern"]', ("ground.stations[1]", "twice")),
        (
            "[ground]\nrelay = true\nrelay_contact_s = 6000.0",
            ("ground.relay_contact_s = 6000", "5400"),
        ),
        ('[node.inference]\nmodel = "gpt"', ("gpt",)),
        ('[node.inference]\nprofile = "toaster"', ("toaster", "orin-nano")),
        ("[node.parameters]\n'power.soc_floor' = 7.0", ("power.soc_floor = 7", "0.2 to 0.9")),
        ('[[timeline]]\nat_s = 1.0\naction = "explode"', ("timeline[0].action", "heat")),
        ('[[timeline]]\nat_s = 99.0\naction = "reset"', ("timeline[0].at_s = 99", "0 to")),
        ('[[timeline]]\nat_s = 1.0\naction = "reset"\nwatts = 3.0', ("watts = 3", "'reset'")),
        ('[[timeline]]\nat_s = 1.0\naction = "heat"', ("timeline[0].watts", "needed")),
        (
            '[[timeline]]\nat_s = 1.0\naction = "sensor_lost"\nsensor = "nose"',
            ("timeline[0].sensor = 'nose'", "die_mdegc"),
        ),
        (
            '[[timeline]]\nat_s = 1.0\naction = "command"\ncommand = "WARP"',
            ("timeline[0].command = 'WARP'", "NO_OP"),
        ),
        (
            '[[expect]]\nid = "a"\nkind = "always"\nvalue = "mood"\nlimit = 1.0',
            ("expect[0].value = 'mood'", "channel"),
        ),
        (
            '[[expect]]\nid = "a"\nkind = "within"\nvalue = "PARTY"\nlimit = 1.0',
            ("expect[0].value = 'PARTY'", "event"),
        ),
        (
            '[[expect]]\nid = "a"\nkind = "at_end"\nvalue = "fun"\nlimit = 1.0',
            ("fun", "summary"),
        ),
    ],
)
def test_a_bad_scenario_is_refused_in_one_line(told, tmp_path, change, parts):
    key = change.split(" =")[0].strip("[]\n")
    if change.startswith("["):
        section = change.split("\n")[0]
        text = GOOD.replace(section, f"{change}\n", 1) if section in GOOD else GOOD + change
        for line in change.split("\n")[1:]:
            name = line.split(" =")[0]
            head, found, tail = text.partition(line)
            tail = "\n".join(each for each in tail.split("\n") if not each.startswith(f"{name} ="))
            text = head + found + tail
    else:
        kept = [line for line in GOOD.split("\n") if not line.startswith(f"{key} =")]
        text = "\n".join([change, *kept])
    path = write(tmp_path, text)
    refused(told("run", path), str(path), *parts)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", "", "9223372036854775808", "²"])
def test_a_bad_seed_is_refused(told, tmp_path, seed):
    refused(told("run", f"--seed={seed}"), "--seed", "0 to 2^63-1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("speed", ["0", "fast", "nan", "1e9"])
def test_a_bad_speed_is_refused(told, speed):
    refused(told("run", "--speed", speed), "--speed", "0.1 to 1e6")


def test_an_unknown_option_or_target_is_refused(told):
    refused(told("run", "--warp"), "--warp")
    refused(told("run", "--target", "moon"), "--target", "sim")
    refused(told("fly-me"), "fly-me")


def test_missing_and_damaged_imagery_names_file_and_remedy(told, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("LUMENODE_CACHE", str(cache))
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.json").write_text("{}")
    refused(told("run", "--out", out), str(cache), "lumenode fetch-data")
    cache.mkdir()
    (cache / "s2-scene-1.npz").write_bytes(b"PK\x03\x04 not really")
    (cache / "s2-scene-1.json").write_text("{}")
    refused(told("run", "--out", out), str(cache / "s2-scene-1.json"))
    assert (out / "summary.json").read_text() == "{}", "the earlier run is untouched"


def test_a_flipped_bit_in_the_imagery_is_found(told, tmp_path, monkeypatch):
    (tile,) = synthetic_tiles(1, 1, 128)
    scene = LabelledScene(
        name="s2-scene-1", reflectance=pixels_of(tile) / 1e4,
        cloud=np.zeros((128, 128), dtype=bool),
        notice="n", reference="r", synthetic=True, sources=(),
    )  # fmt: skip
    monkeypatch.setenv("LUMENODE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "cache" / "s2-scene-1.npz"
    path.parent.mkdir()
    write_tile_cache(scene, path, 128)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    refused(told("run", "--out", tmp_path / "out"), str(path), "fetch-data")
    assert not (tmp_path / "out").exists()


def test_a_damaged_model_is_never_loaded(tmp_path):
    root = tmp_path / "models"
    shutil.copytree(DEFAULT_ROOT, root)
    for path in root.glob("**/*"):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    network = next(path for path in sorted(root.glob("*/*.onnx")))
    data = bytearray(network.read_bytes())
    data[100] ^= 1
    network.write_bytes(bytes(data))
    variant = "int8" if "int8" in network.name else "fp32"
    with pytest.raises(ModelError) as error:
        ModelRegistry(root).load("cloud_unet", variant)
    assert network.name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_with_foreign_files_is_refused_untouched(told, tmp_path):
    out = tmp_path / "photos"
    out.mkdir()
    (out / "wedding.jpg").write_bytes(b"precious")
    (out / "summary.json").write_text("{}")
    refused(told("run", SHORT, "--out", out), str(out), "wedding.jpg")
    assert sorted(path.name for path in out.iterdir()) == ["summary.json", "wedding.jpg"]


def test_an_output_that_cannot_be_a_folder_is_refused(told, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file")
    refused(told("run", SHORT, "--out", taken), str(taken), "not writable")
    refused(told("run", SHORT, "--out", taken / "below"), str(taken / "below"), "not writable")
    assert taken.read_text() == "a file"


def test_replay_and_product_say_what_is_missing(told, tmp_path):
    refused(told("replay", tmp_path / "none"), "no such folder")
    refused(told("replay", tmp_path), "scenario.toml", "no such file")
    refused(told("replay"), "DIR")
    refused(told("product", "7"), "holds no run")
    refused(told("product", "seven"), "'seven'", "0 to 2^64-1")
    refused(told("product", "7", "--run", tmp_path), str(tmp_path))


def lumenode(*argv, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "flight", *map(str, argv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def heeds_control_c():
    """A shell's background job hands down a SIGINT that is ignored; this process heeds it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_control_c_or_sigterm_ends_a_run_with_130_and_one_line(tmp_path, number):
    out = tmp_path / "out"
    root = Path(__file__).parents[2]
    running = lumenode(
        *("run", SHORT, "--speed", "1", "--out", out, "--json"),
        cwd=root,
        preexec_fn=heeds_control_c,
    )
    for _ in range(600):
        if (out / "scenario.toml").exists():
            break
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(number)
    _, err = running.communicate(timeout=10)
    assert running.returncode == 130
    assert err.count("\n") == 1
    assert "interrupted" in err
    assert not (out / "summary.json").exists()


def test_the_real_command_refuses_as_the_function_does(tmp_path):
    done = lumenode("run", "no-such", cwd=tmp_path, env=os.environ)
    out, err = done.communicate(timeout=60)
    assert (done.returncode, out, err.count("\n")) == (2, "", 1)


def test_a_good_run_is_complete_and_says_all_that_an_expectation_may_name(told, tmp_path):
    path = write(tmp_path, GOOD)
    assert told("run", path, "--out", tmp_path / "out", "--json")[0] == 0
    assert not (tmp_path / "out" / ".running").exists()
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["verdict"] == "pass"
    assert {*summary} - {"expectations", "verdict"} == {*SUMMARY_KEYS}
    with np.load(tmp_path / "out" / "telemetry.npz") as telemetry:
        assert telemetry["t_s"].size == 21
