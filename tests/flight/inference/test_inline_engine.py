import asyncio
import dataclasses

import numpy as np
import pytest

from flight.inference.inline_engine import InlineEngine
from flight.inference.job import InferenceError, InferenceFailure, Job, Plausibility
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import ModelRegistry
from flight.inference.screening import ScreeningSession
from hil.imagery import synthetic_tiles

TILE = synthetic_tiles(seed=2, n=1, size=16)[0]
JOB = Job(4, TILE, "cloud_unet", "int8", threshold=0.5, quicklook_cloud_permille_max=600)


class VirtualClock:
    now = 1_000

    def now_ns(self):
        return self.now

    async def sleep_until(self, t_ns):
        self.now = max(self.now, t_ns)


class Ramp:
    def run(self, pixels):
        if pixels.shape[0] != 16:
            raise ModelError("odd tile")
        return np.linspace(0, 1, 256, dtype=np.float32).reshape(pixels.shape[:2])


def engine_at(clock, run_ns=2_500_000):
    models = [ModelRegistry().load("cloud_unet", "int8")]
    return InlineEngine(
        models, lambda _data: ScreeningSession(Ramp()), clock, lambda _job: (run_ns, 33)
    )


def failure_of(engine, job):
    with pytest.raises(InferenceError) as caught:
        asyncio.run(engine.run(job))
    return caught.value.kind


def test_the_answer_is_held_for_the_modelled_duration():
    clock = VirtualClock()
    result = asyncio.run(engine_at(clock).run(JOB))
    assert (result.started_ns, result.finished_ns, clock.now) == (1_000, 2_501_000, 2_501_000)
    assert (result.duration_ms, result.energy_mj, result.modelled) == (2.5, 33, True)
    assert result.screening.verdict is Plausibility.PLAUSIBLE
    assert result.screening.cloud_permille == 500


def test_a_run_that_outlasts_its_deadline_ends_there_without_an_answer():
    clock = VirtualClock()
    late = dataclasses.replace(JOB, deadline_ns=2_000_000)
    assert failure_of(engine_at(clock), late) is InferenceFailure.TIMEOUT
    assert clock.now == 2_000_000


def test_each_fault_has_its_own_kind():
    engine = engine_at(VirtualClock())
    strange = dataclasses.replace(JOB, variant="fp16")
    assert failure_of(engine, strange) is InferenceFailure.UNKNOWN_MODEL
    small = dataclasses.replace(TILE, pixels=TILE.pixels[: 8 * 16 * 12], height_px=8)
    broken = dataclasses.replace(JOB, tile=small)
    assert failure_of(engine, broken) is InferenceFailure.MODEL_ERROR
    engine.close()
    assert failure_of(engine, JOB) is InferenceFailure.CLOSED
