"""A simulated board: a picture is worked once, yet every frame costs time and energy."""

import asyncio

import numpy as np
import pytest

from flight.base.clock import LoopClock
from flight.config import NodeConfig, load_profile
from flight.inference.job import InferenceError, InferenceFailure, Job
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import ModelRegistry
from hal.fake_devices import FakeBench, FakeDevices
from hil.board_engine import BoardEngine, ExecutionCounts
from hil.imagery import synthetic_tiles
from hil.sim_world import board_model
from hil.simloop import SimLoop

S, MS = 1_000_000_000, 1_000_000
SIDE, TILES_PER_FRAME = 16, 50
TILES = synthetic_tiles(3, 3, SIDE)
PROFILE = load_profile(NodeConfig().inference.profile)
MODEL = ModelRegistry().load("cloud_unet", "int8")


def job_on(tile, deadline_ns=None):
    return Job(
        1, tile, "cloud_unet", "int8", deadline_ns,
        threshold=0.5, quicklook_cloud_permille_max=600,
    )  # fmt: skip


class Network:
    """Counts its runs; each answer differs from the one before."""

    def __init__(self):
        self.runs = 0
        self.broken = False

    def run(self, pixels):
        del pixels
        if self.broken:
            raise ModelError("no answer")
        self.runs += 1
        return np.linspace(0.0, self.runs / 100, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)


class Board:
    """An engine on virtual time, with what survives a reset of the node beside it."""

    def __init__(self, level=2):
        self.loop = SimLoop()
        self.network, self.memory, self.counts = Network(), {}, ExecutionCounts()
        self.model = board_model(PROFILE)
        self.devices = FakeDevices()
        self.level, self.lost = level, False
        self.devices.set_payload_level(level)
        self.engine = self.start()

    def start(self):
        return BoardEngine(
            models=[MODEL], make_session=lambda _data: self.network, clock=LoopClock(self.loop),
            profile=PROFILE, board=self.model, bench=FakeBench(self.devices),
            tiles_per_frame=TILES_PER_FRAME, counts=self.counts, memory=self.memory,
            is_lost=lambda t_ns: self.lost,
        )  # fmt: skip

    def run(self, place=0, deadline_ns=None):
        job = job_on(TILES[place], deadline_ns)
        return self.loop.run_until_complete(self.engine.run(job))

    def fails(self, **options):
        with pytest.raises(InferenceError) as caught:
            self.run(**options)
        return caught.value.kind

    def took_ns(self, level=None):
        return round(PROFILE.tile_ms(level or self.level, "int8") * TILES_PER_FRAME * MS)


@pytest.fixture
def board():
    made = Board()
    yield made
    made.loop.close()


def test_an_answer_takes_the_boards_time_and_not_this_machines(board):
    result = board.run()
    assert result.finished_ns - result.started_ns == board.took_ns() == board.loop.time_ns()
    assert result.duration_ms == pytest.approx(board.took_ns() / MS)
    assert result.modelled


def test_a_picture_seen_again_costs_the_same_and_is_not_worked_again(board):
    first, other, again = board.run(0), board.run(1), board.run(0)
    assert board.network.runs == 2
    assert (board.counts.executed, board.counts.memoised) == (2, 1)
    assert again.screening is first.screening
    assert again.screening is not other.screening
    assert (again.energy_mj, again.duration_ms) == (first.energy_mj, first.duration_ms)


def test_what_was_worked_is_remembered_over_a_reset_of_the_node(board):
    board.run(0)
    board.engine.close()
    board.engine = board.start()
    board.run(0)
    assert board.network.runs == 1


def test_the_energy_told_is_the_energy_the_plant_is_charged(board):
    result = board.run()
    end_ns = 10 * S
    drawn_j = board.model.power_w(0, end_ns, board.level) * end_ns / S
    idle_j = board.model.levels[board.level].idle_w * (end_ns - board.took_ns()) / S
    assert result.energy_mj / 1000 == pytest.approx(drawn_j - idle_j, abs=1e-3)
    assert result.energy_mj > 0


def test_a_lower_level_takes_longer(board):
    fast = board.run()
    board.devices.set_payload_level(1)
    slow = board.run()
    assert slow.duration_ms == pytest.approx(board.took_ns(1) / MS)
    assert slow.duration_ms > fast.duration_ms


def test_a_run_that_would_outlast_its_deadline_ends_there_as_a_time_out(board):
    deadline_ns = board.took_ns() // 2
    assert board.fails(deadline_ns=deadline_ns) is InferenceFailure.TIMEOUT
    assert board.loop.time_ns() == deadline_ns


def test_an_engine_that_is_lost_fails_each_job_and_charges_nothing(board):
    board.lost = True
    assert board.fails() is InferenceFailure.WORKER_DIED
    assert (board.loop.time_ns(), board.counts.executed) == (0, 0)
    board.lost = False
    board.run()


def test_a_network_without_an_answer_is_a_failed_job_and_nothing_is_remembered(board):
    board.network.broken = True
    assert board.fails() is InferenceFailure.MODEL_ERROR
    board.network.broken = False
    board.run()
    assert (board.counts.executed, board.counts.memoised) == (1, 0)


def test_a_closed_engine_refuses_and_what_was_booked_beyond_is_given_back(board):
    waiting = asyncio.ensure_future(board.engine.run(job_on(TILES[0])), loop=board.loop)
    half_ns = board.took_ns() // 2
    board.loop.run_until_ns(half_ns)
    board.engine.close()
    idle_w = board.model.levels[board.level].idle_w
    assert board.model.power_w(half_ns, half_ns + S, board.level) == idle_w
    assert board.fails() is InferenceFailure.CLOSED
    waiting.cancel()
    board.loop.run_until_ns(half_ns + 1)


def test_statistics_are_those_of_the_modelled_times():
    counts = ExecutionCounts()
    assert counts.statistics()["ms_mean"] is None
    for ms in range(1, 101):
        counts.ran(ms * MS, 2_000)
    found = counts.statistics()
    assert (found["ms_mean"], found["ms_p95"], found["ms_max"]) == (50.5, 95.0, 100.0)
    assert found["j_mean"] == 2.0
