"""The compute board on the bench: real network, modelled time, energy booked to the plant.

Wraps the product's own `InlineEngine`: each distinct (model, tile) is executed with ONNX Runtime
and screened once and remembered; the board profile says how long the frame would take at the level
in force and the plant is charged for that time.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flight.inference.inline_engine import InlineEngine
from flight.inference.job import InferenceError, InferenceFailure
from flight.inference.screening import ScreeningSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.base.clock import Clock
    from flight.inference.job import Job, Result, Screening
    from flight.inference.model_manifest import ModelBytes
    from flight.inference.screening import Session
    from flight.thermal.board_profile import BoardProfile
    from hal.sim_bench import SimBench
    from hil.plant.compute_board import BoardModel

_NS_PER_MS = 1_000_000
BENCH_PROVIDER = "cpu"
"""What `guarded_ort.flown_session` computes on: answers of the bench are the same everywhere."""
MEMORY_TILES_MAX = 4_096
"""Distinct tiles remembered; a scene has a few dozen."""


class RememberingSession:
    """A session that runs each distinct tile once; equal input gives the equal, stored answer."""

    def __init__(self, session: Session, counts: ExecutionCounts) -> None:
        self._session = ScreeningSession(session)
        self._counts = counts
        self._answers: dict[tuple[bytes, float, int], Screening] = {}

    def screen(self, job: Job) -> Screening:
        """The screened answer for the job's tile, known by its digest."""
        key = (job.tile.sha256, job.threshold, job.quicklook_cloud_permille_max)
        answer = self._answers.get(key)
        if answer is not None:
            self._counts.memoised += 1
            return answer
        answer = self._session.screen(job)
        self._counts.executed += 1
        if len(self._answers) < MEMORY_TILES_MAX:
            self._answers[key] = answer
        return answer


class ExecutionCounts:
    """How often the network really ran, and how often its answer was remembered."""

    def __init__(self) -> None:
        self.executed = 0
        self.memoised = 0
        self._durations: Counter[int] = Counter()
        self._energy_mj = 0

    def ran(self, duration_ns: int, energy_mj: int) -> None:
        """Books the modelled cost of one frame."""
        self._durations[duration_ns] += 1
        self._energy_mj += energy_mj

    def statistics(self) -> dict[str, float | bool | None]:
        """Mean, 95th percentile and maximum of the modelled time, and the mean energy."""
        total = sum(self._durations.values())
        if not total:
            return {"ms_mean": None, "ms_p95": None, "ms_max": None, "j_mean": None}
        ranked, passed = sorted(self._durations.items()), 0
        p95_ns = ranked[-1][0]
        for duration_ns, count in ranked:
            passed += count
            if passed >= 0.95 * total:
                p95_ns = duration_ns
                break
        mean_ns = sum(duration_ns * count for duration_ns, count in ranked) / total
        return {
            "ms_mean": mean_ns / _NS_PER_MS,
            "ms_p95": p95_ns / _NS_PER_MS,
            "ms_max": ranked[-1][0] / _NS_PER_MS,
            "j_mean": self._energy_mj / total / 1000.0,
            "modelled": True,
        }


class BoardEngine:
    """`InferenceEngine` of the bench.

    Args:
        tiles_per_frame: tiles the modelled imager's frame holds; time and energy are charged for
            all of them, one is computed.
        provider: what the sessions compute on.
        is_lost: whether jobs fail at a mission time, as with a process that cannot live.
    """

    depth = 1

    def __init__(  # noqa: PLR0913  the target names every part
        self,
        *,
        models: Sequence[ModelBytes],
        make_session: Callable[[ModelBytes], Session],
        clock: Clock,
        profile: BoardProfile,
        board: BoardModel,
        bench: SimBench,
        tiles_per_frame: int,
        counts: ExecutionCounts,
        memory: dict[bytes, RememberingSession],
        trial_fault: Callable[[ModelBytes], str] = lambda _model: "",
        is_lost: Callable[[int], bool] = lambda _t_ns: False,
        provider: str = BENCH_PROVIDER,
    ) -> None:
        self._profile = profile
        self._board = board
        self._bench = bench
        self._clock = clock
        self._tiles = tiles_per_frame
        self._counts = counts
        self._memory = memory
        self._make_session = make_session
        self._is_lost = is_lost
        self._inner = InlineEngine(
            models, self._remembering, clock, self._modelled, trial_fault, provider=provider
        )

    def _remembering(self, model: ModelBytes) -> RememberingSession:
        session = self._memory.get(model.data)
        if session is None:
            session = RememberingSession(self._make_session(model), self._counts)
            self._memory[model.data] = session
        return session

    async def trial(self, candidate: ModelBytes) -> str:
        """Run under guard in this process: what a worker of its own would say."""
        return await self._inner.trial(candidate)

    async def adopt(self, models: Sequence[ModelBytes]) -> None:
        """Hold these models from the next job on."""
        await self._inner.adopt(models)

    async def run(self, job: Job) -> Result:
        """The remembered or fresh answer, held for the modelled time; raises `InferenceError`."""
        if self._is_lost(self._clock.now_ns()):
            raise InferenceError(InferenceFailure.WORKER_DIED, "worker process ended")
        return await self._inner.run(job)

    def close(self) -> None:
        """Refuses later runs and ends what the board was charged for."""
        self._board.release(self._clock.now_ns())
        self._inner.close()

    def _modelled(self, job: Job) -> tuple[int, int]:
        """Duration in nanoseconds and energy in millijoules of the whole frame, booked at once."""
        level = max(1, self._bench.read_actuators().payload_level)
        ms = self._profile.tile_ms(level, job.variant) * self._tiles
        duration_ns = round(ms * _NS_PER_MS)
        now_ns = self._clock.now_ns()
        self._board.book(now_ns, now_ns + duration_ns, level)
        energy_mj = round(self._profile.active_w(level) * ms)
        self._counts.ran(duration_ns, energy_mj)
        return duration_ns, energy_mj
