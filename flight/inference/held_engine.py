"""`InferenceEngine` of a node whose time is granted: real answers, given at the modelled time.

Hop "computed" of image to ground, on a bench in lock-step. The worker computes as ever; its answer
is waited for in real time, while mission time may go on up to the instant at which the board
profile says that the frame is done, and not past it. So the same frames give the same results at
the same mission times on any machine, however fast it is.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from flight.inference.job import InferenceEngine, InferenceError, InferenceFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.base.clock import Clock
    from flight.inference.job import Job, Result
    from flight.inference.model_manifest import ModelBytes
    from flight.thermal.board_profile import BoardProfile

_NS_PER_MS = 1_000_000
REAL_TIMEOUT_NS = 3_600_000_000_000
"""For the worker's own guards, which go by mission time: out of the way. Held work has a limit in
real time, and what is not there when its time has come has failed."""


class Held(Protocol):
    """What `GrantedLoop.hold` gives."""

    def release(self) -> None:
        """Time may pass again; may be called twice."""
        ...


class HeldEngine:
    """Runs one job at a time in `engine`.

    Args:
        hold: keeps mission time below an instant.
        modelled: duration in nanoseconds and energy in millijoules of a job that starts now.
    """

    depth = 1

    def __init__(
        self,
        engine: InferenceEngine,
        clock: Clock,
        hold: Callable[[int], Held],
        modelled: Callable[[Job], tuple[int, int]],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._hold = hold
        self._modelled = modelled

    async def run(self, job: Job) -> Result:
        """The worker's answer once the modelled duration is over; raises `InferenceError`."""
        started_ns = self._clock.now_ns()
        duration_ns, energy_mj = self._modelled(job)
        due_ns = started_ns + duration_ns
        if job.deadline_ns is not None and due_ns > job.deadline_ns:
            await self._clock.sleep_until(job.deadline_ns)
            raise InferenceError(InferenceFailure.TIMEOUT, "the modelled run outlasts its deadline")
        held = self._hold(due_ns)
        running = asyncio.ensure_future(self._engine.run(replace(job, deadline_ns=None)))
        running.add_done_callback(lambda _: held.release())
        try:
            await self._clock.sleep_until(due_ns)
            if not running.done():
                raise InferenceError(InferenceFailure.TIMEOUT, "the worker has not answered")
            result = running.result()
        finally:
            held.release()
            _give_up(running)
        return replace(
            result,
            started_ns=started_ns,
            finished_ns=self._clock.now_ns(),
            energy_mj=energy_mj,
            duration_ms=duration_ns / _NS_PER_MS,
            modelled=True,
            energy_modelled=True,
        )

    async def trial(self, candidate: ModelBytes) -> str:
        """As the worker says."""
        return await self._engine.trial(candidate)

    async def adopt(self, models: Sequence[ModelBytes]) -> None:
        """The worker holds them from the next job on."""
        await self._engine.adopt(models)

    def close(self) -> None:
        """Ends the worker."""
        self._engine.close()


def _give_up(running: asyncio.Future[Result]) -> None:
    """Nobody waits for it any more: it is cancelled, or its failure counts as heard."""
    if not running.cancel() and not running.cancelled():
        running.exception()


def modelled_cost(
    profile: BoardProfile, tiles_per_frame: int, level: Callable[[], int]
) -> Callable[[Job], tuple[int, int]]:
    """What a whole frame of the imager costs on the profile's board, at the level in force."""

    def cost(job: Job) -> tuple[int, int]:
        at = max(1, level())
        ms = profile.tile_ms(at, job.variant) * tiles_per_frame
        return round(ms * _NS_PER_MS), round(profile.active_w(at) * ms)

    return cost
