"""A recorded run comes out the same; where it does not, the first divergence is named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from flight.__main__ import main
from flight.config import ConfigError
from flight.telemetry.dictionary import CHANNELS
from hil.recorded_run import RecordedRun

HOST = [channel.name for channel in CHANNELS if channel.host]
SHORT = Path(__file__).parents[1] / "scenarios" / "slow-relay.toml"


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    """A run of the short scenario with a seed of its own."""
    folder = tmp_path_factory.mktemp("runs")
    text = SHORT.read_text().replace("duration_s = 300.0", "duration_s = 180.0")
    path = folder / "shorter.toml"
    path.write_text(text.replace("relay_contact_s = 220.0", "relay_contact_s = 130.0"))
    out = folder / "flown"
    assert main(["run", str(path), "--seed", "77", "--out", str(out), "--json"]) == 0
    return out


@pytest.fixture
def copy(flown, tmp_path):
    """The same run, to be tampered with."""
    return Path(shutil.copytree(flown, tmp_path / "copy"))


def replay(folder, capsys):
    capsys.readouterr()
    code = main(["replay", str(folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


def tamper_telemetry(folder, channel, row, value):
    with np.load(folder / "telemetry.npz") as archive:
        columns = {name: archive[name] for name in archive.files}
    columns[channel][row] = value
    np.savez_compressed(folder / "telemetry.npz", allow_pickle=False, **columns)


def test_a_run_flown_again_is_the_same_with_the_seed_it_was_flown_with(flown, capsys):
    code, told = replay(flown, capsys)
    summary = json.loads((flown / "summary.json").read_text())
    assert (code, told["same"], told["divergence"]) == (0, True, None)
    assert told["log_hash_now"] == told["log_hash_recorded"] == summary["log_hash"]
    assert told["rows"] == 181
    assert told["events"] == len((flown / "events.jsonl").read_text().splitlines())
    assert told["changed_since"] == []


def test_another_telemetry_value_is_found_at_its_row(copy, capsys):
    tamper_telemetry(copy, "thermal.die_c", 100, 99.0)
    tamper_telemetry(copy, "truth.soc", 110, 0.0)
    code, told = replay(copy, capsys)
    assert (code, told["same"]) == (1, False)
    assert told["divergence"]["t_s"] == 100.0
    assert told["divergence"]["what"] == "telemetry row 101, thermal.die_c"
    assert told["divergence"]["recorded"] == "99.0"
    assert float(told["divergence"]["now"]) < 90.0


def test_a_value_where_there_was_none_is_found_and_host_channels_are_not_looked_at(copy, capsys):
    tamper_telemetry(copy, HOST[0], 10, 1.0)
    assert replay(copy, capsys)[0] == 0
    tamper_telemetry(copy, "truth.soc", 10, np.nan)
    code, told = replay(copy, capsys)
    assert code == 1
    assert told["divergence"]["recorded"] == "not valid"


@pytest.mark.parametrize("change", ["altered", "missing", "added"])
def test_another_event_is_found(copy, capsys, change):
    path = copy / "events.jsonl"
    lines = path.read_text().splitlines()
    at = len(lines) - 1
    event = json.loads(lines[at])
    if change == "altered":
        lines[at] = json.dumps(event | {"text": "something else"})
    elif change == "missing":
        del lines[at]
    else:
        lines.append(json.dumps(event | {"t_s": 179.5}))
    path.write_text("\n".join(lines) + "\n")
    code, told = replay(copy, capsys)
    assert code == 1
    assert told["divergence"]["what"] == f"event {at + 1 + (change == 'added')}"
    assert told["divergence"]["t_s"] == (179.5 if change == "added" else event["t_s"])
    if change != "altered":
        side = "recorded" if change == "missing" else "now"
        assert told["divergence"][side] == "nothing"


def test_a_difference_that_only_the_hash_knows_is_told_as_such(copy, capsys):
    path = copy / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | {"log_hash": "00", "software_version": "0.0.1"}))
    code, told = replay(copy, capsys)
    assert code == 1
    assert told["divergence"]["t_s"] is None
    assert told["divergence"]["what"].startswith("log hash alone")
    assert len(told["changed_since"]) == 1
    assert main(["replay", str(copy)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("different: log hash recorded 00, now ")
    assert any(line.startswith("first divergence: log hash alone") for line in said)


@pytest.mark.parametrize("name", ["summary.json", "events.jsonl", "telemetry.npz"])
@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff\x00garbage"])
def test_a_damaged_file_is_refused_by_name(copy, name, content):
    (copy / name).write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        RecordedRun.read(copy)
    assert str(refused.value).startswith(f"{copy / name}: ")
    assert "\n" not in str(refused.value)


def test_a_changed_scenario_diverges_at_its_cause(copy, capsys):
    path = copy / "scenario.toml"
    entry = '\n[[timeline]]\nat_s = 100.0\naction = "reset"\n'
    path.write_text(path.read_text().replace("timeline = []\n", "") + entry)
    code, told = replay(copy, capsys)
    assert code == 1
    assert 100.0 <= told["divergence"]["t_s"] <= 101.0


def test_the_life_of_a_product_is_told_from_store_and_ground(flown, capsys):
    capsys.readouterr()
    archived = [json.loads(path.read_text()) for path in (flown / "products").glob("*.json")]
    one = next(entry for entry in archived if entry["klass"] == "QUICKLOOK")
    assert main(["product", str(one["product_id"]), "--run", str(flown), "--json"]) == 0
    life = json.loads(capsys.readouterr().out)
    assert life["name"] == one["name"]
    assert life["crc32c"] == one["crc32c"]
    assert life["created_s"] < life["delivered_s"] == one["received_ns"] / 1e9
    assert (life["class"], life["contact"], life["file_good"]) == (
        "QUICKLOOK",
        one["contact"],
        True,
    )
    assert life["state"] in {"FREED", "DELIVERED", None}
    deeds = [line["deed"] for line in life["book"] if line["deed"] != "STARTED"]
    assert (deeds[0], deeds[-2:]) == ("MADE", ["VERIFIED", "FREED"])
    assert {"SENT", "REPORTED"} <= set(deeds)
    assert main(["product", str(one["product_id"]), "--run", str(flown)]) == 0
    said = capsys.readouterr().out
    assert f"product    {one['product_id']}  {one['name']}" in said
    assert "verified" in said
    assert "made and durable" in said
    assert "sent in frame" in said


def test_a_product_that_never_came_down_waits_on_board(flown, capsys):
    capsys.readouterr()
    delivered = {
        json.loads(path.read_text())["product_id"] for path in (flown / "products").glob("*.json")
    }
    waiting = max(delivered) + 1
    assert main(["product", str(waiting), "--run", str(flown), "--json"]) == 0
    life = json.loads(capsys.readouterr().out)
    assert (life["delivered_s"], life["contact"], life["file"]) == (None, None, None)
    assert life["state"] in {"NEW", "SENDING"}
    assert life["record_good"] is True


def test_a_damaged_record_and_a_damaged_delivery_are_seen(copy, capsys):
    capsys.readouterr()
    metadata = next(iter((copy / "products").glob("*.msk.json")))
    entry = json.loads(metadata.read_text())
    (copy / "products" / entry["file"]).write_bytes(b"not it")
    for segment in (copy / "flight" / "segments").iterdir():
        segment.write_bytes(bytes(segment.stat().st_size))
    assert main(["product", str(entry["product_id"]), "--run", str(copy), "--json"]) == 0
    life = json.loads(capsys.readouterr().out)
    assert life["file_good"] is False
    assert life["record_good"] is False


def test_an_unknown_product_is_one_line(flown, capsys):
    capsys.readouterr()
    assert main(["product", "987654", "--run", str(flown)]) == 2
    said = capsys.readouterr()
    assert said.err == f"lumenode product: product 987654: unknown in {flown}\n"


def test_the_newest_run_is_asked_when_none_is_named(flown, tmp_path, monkeypatch, capsys):
    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copytree(flown, runs / "one")
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["product", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["product_id"] == 1


@pytest.mark.parametrize(
    ("target", "line"),
    [("serial:/dev/ttyUSB0", {"mode": "lock_step"}), ("pty", {"mode": "free_run"}), (None, None)],
)
def test_a_run_that_cannot_come_out_alike_is_not_flown_again(copy, capsys, target, line):
    summary = json.loads((copy / "summary.json").read_text())
    (copy / "summary.json").write_text(json.dumps(summary | {"target": target, "bench_link": line}))
    capsys.readouterr()
    assert main(["replay", str(copy)]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert repr(target) in told
    assert "allowed: sim, and pty in lock-step" in told
