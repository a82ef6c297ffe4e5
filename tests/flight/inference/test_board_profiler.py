"""A board is measured in the worker that flies, and left as it was found."""

import asyncio

import pytest

from flight.config import load_profile
from flight.inference import board_profiler
from flight.inference.board_profiler import BoardProfiler
from flight.inference.job import InferenceError, InferenceFailure, Result
from flight.inference.model_registry import ModelRegistry
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import SENSOR_ALL, HalConfig, SensorBit, ThrottleBit

pytestmark = pytest.mark.slow

IDLE_MW, BUSY_MW = 2_000, 7_000
BASE = load_profile("raspberry-pi-4")


def models():
    registry = ModelRegistry()
    return [registry.load("cloud_unet", variant) for variant in ("fp32", "int8")]


class Board(FakeDevices):
    """A board whose power follows its work, and that keeps a diary of its levels."""

    def __init__(self, valid=int(SENSOR_ALL), refuses=()):
        super().__init__(HalConfig(payload_level_max=BASE.top))
        self.bench = FakeBench(self)
        self.valid, self.refuses = valid, refuses
        self.busy, self.estimated, self.throttle_live = False, 0, 0
        self.diary = []
        self.t_ns = 0

    def set_payload_level(self, level):
        self.diary.append(level)
        if level in self.refuses:
            return self.snapshot().payload_level
        return super().set_payload_level(level)

    def snapshot(self):
        self.t_ns += 100_000_000
        self.bench.write_sensors(
            valid=self.valid, t_ns=self.t_ns, payload_mw=BUSY_MW if self.busy else IDLE_MW,
            die_mdegc=41_000,
        )  # fmt: skip
        frame = super().snapshot()
        changed = {"estimated": self.estimated, "throttle_live": self.throttle_live}
        return type(frame)(**{**_fields(frame), **changed})


def _fields(frame):
    return {name: getattr(frame, name) for name in type(frame).__struct_fields__}


class Engine:
    """Takes two milliseconds a tile, during which the board is busy."""

    board: Board
    fail_after = 10**9

    def __init__(self, _models, clock, *, provider, threads):
        self.clock, self.closed, self.runs = clock, False, 0
        self.provider = provider

    async def run(self, job):
        self.runs += 1
        if self.runs > self.fail_after:
            raise InferenceError(InferenceFailure.TIMEOUT, "worker is late, killed")
        started = self.clock.now_ns()
        self.board.busy = True
        await self.clock.sleep_until(started + 2_000_000)
        self.board.busy = False
        return Result(job.job_id, None, "", started, self.clock.now_ns(), None, 2.0, modelled=False)

    def close(self):
        self.closed = True


@pytest.fixture
def fast(monkeypatch):
    """A fake engine, and samples as often as the fake tiles come."""
    monkeypatch.setattr(board_profiler, "WorkerEngine", Engine)
    monkeypatch.setattr(board_profiler, "SAMPLE_NS", 3_000_000)
    monkeypatch.setattr(board_profiler, "LEVEL_WAIT_NS", 20_000_000)


def measured(board, *, trusted=True, seconds=0.03, base=BASE):
    Engine.board = board
    profiler = BoardProfiler(base, models(), board, trusted=trusted, seconds=seconds)
    return asyncio.run(profiler.measure())


def test_the_worker_that_flies_measures_every_variant_for_real():
    board = Board(valid=0)
    answer = asyncio.run(
        BoardProfiler(
            load_profile("generic-pc"), models(), board, trusted=False, seconds=0.2, threads=2
        ).measure()
    )
    (level,) = answer.profile.levels
    assert set(level.ms_per_tile) == {"fp32", "int8"}
    assert all(0.0 < level.ms_per_tile[v] <= level.measured.p95_ms[v] for v in level.ms_per_tile)
    assert (answer.profile.source, answer.profile.power) == ("measured", "not measured")
    assert not answer.profile.watts_known
    assert answer.profile.measured_on.endswith(", cpu, 2 threads)")


def test_a_board_with_a_power_sensor_gets_joules_above_idle_at_every_level(fast):
    board = Board()
    answer = measured(board)
    assert [each.name for each in answer.profile.levels] == [each.name for each in BASE.levels]
    for level in answer.profile.levels:
        assert (level.idle_w, level.active_w) == (IDLE_MW / 1000, BUSY_MW / 1000)
        for variant, joules in level.measured.j_per_tile.items():
            above_w = (BUSY_MW - IDLE_MW) / 1000
            assert above_w * 0.002 <= joules <= above_w * level.measured.p95_ms[variant]
        assert set(level.measured.j_per_tile) == {"fp32", "int8"}
        assert level.measured.die_c == (41.0, 41.0)
    assert (answer.profile.power, answer.notes) == ("measured", ())


def test_levels_are_set_in_turn_and_the_first_one_is_put_back(fast):
    board = Board()
    board.set_payload_level(3)
    measured(board)
    assert board.diary == [3, 1, 2, 3, 4, 3]


def test_a_measurement_that_breaks_off_puts_the_level_back_too(fast, monkeypatch):
    board = Board()
    monkeypatch.setattr(Engine, "fail_after", 9)
    with pytest.raises(InferenceError):
        measured(board)
    assert board.diary[-1] == 0
    assert board.snapshot().payload_level == 0


def test_without_a_power_sensor_the_profile_says_so_and_the_published_watts_stay(fast):
    answer = measured(Board(valid=int(SENSOR_ALL) & ~SensorBit.PAYLOAD))
    assert answer.profile.power == "not measured"
    assert [each.active_w for each in answer.profile.levels] == [
        each.active_w for each in BASE.levels
    ]
    assert all(not each.measured.j_per_tile for each in answer.profile.levels)
    assert any("does not measure its power" in note and "published" in note
               for note in answer.notes)  # fmt: skip


def test_simulated_sensors_measure_nothing(fast):
    answer = measured(Board(), trusted=False)
    assert answer.profile.power == "not measured"
    assert all(each.measured.die_c == () for each in answer.profile.levels)


def test_a_power_that_is_computed_is_told_as_estimated(fast):
    board = Board()
    board.estimated = int(SensorBit.PAYLOAD)
    assert measured(board).profile.power == "estimated"


def test_a_board_that_slowed_itself_down_says_why(fast):
    board = Board()
    board.throttle_live = int(ThrottleBit.THERMAL)
    answer = measured(board)
    assert all(each.measured.throttle == ("thermal",) for each in answer.profile.levels)
    assert "slowed down meanwhile by thermal" in answer.notes[0]


def test_a_level_that_the_board_does_not_take_is_left_out_and_told(fast):
    answer = measured(Board(refuses=(2,)))
    assert [each.name for each in answer.profile.levels] == ["600MHz", "1500MHz", "1800MHz"]
    assert answer.notes == ("level 1000MHz: the board does not take it; left out",)
