import json
from math import isnan, nan

import numpy as np
import pytest

from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS, EVENT_BY_NAME, Severity
from hil.run_recorder import RunRecorder, TruthChannel

S = 1_000_000_000
TRUTH = (TruthChannel("truth.soc", "1", "charge"), TruthChannel("truth.die_c", "degC", "die"))
EPOCH_S = 1_782_012_600.0  # 2026-06-21T03:30:00Z
HOST = [i for i, channel in enumerate(CHANNELS) if channel.host]


def recorder():
    return RunRecorder(TRUTH, EPOCH_S)


def row(value=0.0, **channels):
    values = [value] * len(CHANNELS)
    for name, changed in channels.items():
        values[CHANNEL_INDEX[name.replace("__", ".")]] = changed
    return values


def recorded(change=None):
    """A small run; `change` is done to it in its middle."""
    run = recorder()
    run.sample(0, row(1.0), (0.9, 40.0))
    run.frame(5, b"x" * 100, good=True)
    run.flight_event(7, EVENT_BY_NAME["PARAMETER_SET"].event_id, {"name": "a", "value": 1.0})
    if change is not None:
        change(run)
    run.sample(S, row(2.0), (0.8, 41.0))
    return run


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.sample(5, row(1.0), (0.9, 40.0)),
        lambda run: run.frame(5, b"x" * 100, good=True),
        lambda run: run.frame(5, b"x" * 99 + b"y", good=False),
        lambda run: run.flight_event(
            8, EVENT_BY_NAME["PRODUCT_DELIVERED"].event_id, {"product": 1}
        ),
        lambda run: run.bench_event(8, "bench", "HEAT", Severity.INFO, "heat"),
    ],
)
def test_everything_that_happens_is_in_the_hash(change):
    assert recorded(change).log_hash != recorded().log_hash


def test_equal_runs_have_equal_hashes_and_the_host_is_left_out():
    run, other = recorded(), recorded()
    assert run.log_hash == other.log_hash
    busy = row(3.0)
    for index in HOST:
        busy[index] = 99.0
    run.sample(2 * S, row(3.0), (0.8, 41.0))
    other.sample(2 * S, busy, (0.8, 41.0))
    assert run.log_hash == other.log_hash
    assert other.column(CHANNELS[HOST[0]].name)[-1] == 99.0


def test_a_frame_enters_by_its_authenticated_end():
    one, other = recorder(), recorder()
    one.frame(5, b"a" * 50 + b"mac-and-check-seq.", good=True)
    other.frame(5, b"a" * 50 + b"mac-and-check-seq,", good=True)
    assert one.log_hash != other.log_hash


def test_columns_are_what_was_sampled_and_recording_may_go_on():
    run = recorder()
    for t in range(5):
        run.sample(t * S, row(thermal__die_c=20.0 + t), (0.1 * t, nan))
    die = run.column("thermal.die_c")
    run.sample(5 * S, row(), (0.5, 1.0))
    assert list(die) == [20.0, 21.0, 22.0, 23.0, 24.0]
    assert list(run.times()) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert isnan(run.column("truth.die_c")[0])
    assert run.samples == 6


def test_a_row_of_another_width_is_refused_before_it_shifts_every_column():
    run = recorder()
    with pytest.raises(ValueError, match="a row of"):
        run.sample(0, row(), (0.5,))
    assert run.samples == 0


def test_an_empty_run_can_still_be_asked_and_written(tmp_path):
    run = recorder()
    assert run.column("truth.soc").size == 0
    run.write(tmp_path)
    assert (tmp_path / "events.jsonl").read_text() == ""


def test_files_hold_the_run_in_the_public_format(tmp_path):
    run = recorded(lambda run: run.bench_event(90 * S, "ground", "X", Severity.WARNING, "lost"))
    run.write(tmp_path)
    with np.load(tmp_path / "telemetry.npz") as table:
        assert set(table.files) == {"t_s", *run.names()}
        assert list(table["truth.soc"]) == [0.9, 0.8]
        assert all(table[name].dtype == np.float64 for name in table.files)
    described = json.loads((tmp_path / "telemetry.json").read_text())["channels"]
    assert set(described) == set(run.names())
    assert described["truth.die_c"]["unit"] == "degC"
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert lines[1] == {
        "t_s": 90.0, "utc": "2026-06-21T03:31:30.000Z", "source": "ground", "id": 0, "name": "X",
        "severity": "WARNING", "text": "lost", "args": {},
    }  # fmt: skip
    assert lines[0]["text"] == "a = 1.0"


def test_debug_events_are_counted_and_hashed_but_not_kept():
    run = recorded()
    count = len(run.events)
    run.flight_event(8, EVENT_BY_NAME["PRODUCT_DELIVERED"].event_id, {"product": 1})
    assert len(run.events) == count
    assert run.by_severity["DEBUG"] == 1


@pytest.mark.parametrize("channel", ["thermal.die_c", "truth.die_c"])
def test_one_value_of_one_channel_changes_the_hash(channel):
    one, other = recorder(), recorder()
    flight, truth = row(), [0.9, 40.0]
    one.sample(0, flight, truth)
    if channel.startswith("truth"):
        truth = [0.9, 40.0 + 1e-12]
    else:
        flight = row(thermal__die_c=1e-300)
    other.sample(0, flight, truth)
    assert one.log_hash != other.log_hash
