"""Real answers at the modelled time, however long the machine takes for them."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from flight.base.clock import LoopClock
from flight.config import load_profile
from flight.inference.held_engine import HeldEngine, modelled_cost
from flight.inference.job import InferenceError, InferenceFailure, Job, Result, Tile
from hil.simloop import SimLoop

S = 1_000_000_000
TILE = Tile(1, 0, b"", 0, 0, b"", "test")


def job(deadline_ns=None):
    return Job(7, TILE, "net", "int8", deadline_ns, threshold=0.5, quicklook_cloud_permille_max=600)


class Hold:
    def __init__(self, t_ns):
        self.t_ns, self.released = t_ns, False

    def release(self):
        self.released = True


class Worker:
    """Answers after so many turns of the loop, or fails, or never answers."""

    def __init__(self, turns=3, error=None):
        self.turns, self.error = turns, error
        self.jobs, self.cancelled, self.closed = [], 0, 0

    async def run(self, job):
        self.jobs.append(job)
        try:
            for _ in range(self.turns):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return Result(job.job_id, "screening", "hash", 1, 2, None, 3.0)

    def close(self):
        self.closed += 1


class Room:
    def __init__(self, worker, duration_s=4.0):
        self.loop = SimLoop()
        self.clock = LoopClock(self.loop)
        self.holds = []
        self.worker = worker
        self.engine = HeldEngine(
            worker, self.clock, self.hold, lambda _job: (round(duration_s * S), 900)
        )

    def hold(self, t_ns):
        self.holds.append(Hold(t_ns))
        return self.holds[-1]

    def run(self, *args):
        try:
            return self.loop.run_until_complete(self.engine.run(job(*args)))
        finally:
            self.loop.cancel_all()


def test_the_answer_is_given_at_the_modelled_time_with_the_modelled_cost():
    room = Room(Worker())
    result = room.run()
    assert (result.started_ns, result.finished_ns) == (0, 4 * S)
    assert (result.duration_ms, result.energy_mj, result.modelled) == (4000.0, 900, True)
    assert (result.job_id, result.screening, result.model_hash) == (7, "screening", "hash")


def test_time_is_held_until_the_answer_is_there_and_no_longer():
    room = Room(Worker())

    async def look():
        running = asyncio.ensure_future(room.engine.run(job()))
        await asyncio.sleep(0)
        held = room.holds[0]
        assert (held.t_ns, held.released) == (4 * S, False)
        for _ in range(6):
            await asyncio.sleep(0)
        assert held.released
        assert room.clock.now_ns() == 0
        await running

    room.loop.run_until_complete(look())


def test_a_failure_of_the_worker_is_told_at_the_modelled_time():
    room = Room(Worker(error=InferenceError(InferenceFailure.MODEL_ERROR, "no")))
    with pytest.raises(InferenceError, match="no"):
        room.run()
    assert room.clock.now_ns() == 4 * S
    assert room.holds[0].released


def test_a_worker_that_has_not_answered_by_then_has_failed_and_is_cancelled():
    room = Room(Worker(turns=10**9))
    room.engine._engine.run = _never(room.worker)
    with pytest.raises(InferenceError) as caught:
        room.run()
    assert caught.value.kind is InferenceFailure.TIMEOUT
    assert room.worker.cancelled == 1


def _never(worker):
    async def run(_job):
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            worker.cancelled += 1
            raise

    return run


def test_a_frame_that_would_be_done_too_late_fails_at_its_deadline_and_costs_no_worker():
    room = Room(Worker())
    with pytest.raises(InferenceError, match="outlasts its deadline"):
        room.run(3 * S)
    assert room.clock.now_ns() == 3 * S
    assert room.worker.jobs == []
    assert room.holds == []


def test_the_workers_own_clock_does_not_judge_a_job_whose_time_is_modelled():
    room = Room(Worker())
    room.run(100 * S)
    assert [each.deadline_ns for each in room.worker.jobs] == [None]


def test_giving_a_job_up_cancels_the_worker_and_frees_time():
    room = Room(Worker(turns=100))

    async def give_up():
        running = asyncio.ensure_future(room.engine.run(job()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.sleep(0)

    room.loop.run_until_complete(give_up())
    assert room.holds[0].released
    assert room.worker.cancelled == 1
    room.engine.close()
    assert room.worker.closed == 1


def test_a_frame_costs_what_the_profile_says_for_its_level_and_all_its_tiles():
    profile = load_profile("orin-nano-modelled")
    level = 2
    cost = modelled_cost(profile, 512, lambda: level)
    ms = profile.tile_ms(2, "int8") * 512
    assert cost(job()) == (round(ms * 1e6), round(profile.active_w(2) * ms))
    level = 0
    assert cost(job())[0] == round(profile.tile_ms(1, "int8") * 512 * 1e6), "it starts at level 1"
    assert cost(dataclasses.replace(job(), variant="fp32")) != cost(job())
