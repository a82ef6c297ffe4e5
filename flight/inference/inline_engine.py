"""`InferenceEngine` of the simulation: the real network in process, the board's modelled duration.

The answer is computed at once and held until ``started + modelled duration``, so that a simulated
board is as slow as the board and not as this machine. The session is injected: this file imports no
runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flight.inference.job import InferenceError, InferenceFailure, Job, Result
from flight.inference.model_manifest import ModelBytes, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.base.clock import Clock
    from flight.inference.job import Screening

NS_PER_MS = 1_000_000


class Screener(Protocol):
    """A network ready to run, with the screening of its output (`screening.ScreeningSession`)."""

    def screen(self, job: Job) -> Screening:
        """Return the screened output on the job's tile; raises ``ModelError``."""
        ...


class InlineEngine:
    """Runs jobs in the calling process; for the virtual loop, where blocking takes no time."""

    depth = 1

    def __init__(  # noqa: PLR0913  what stands in for a worker
        self,
        models: Sequence[ModelBytes],
        make_session: Callable[[ModelBytes], Screener],
        clock: Clock,
        modelled: Callable[[Job], tuple[int, int]],
        trial_fault: Callable[[ModelBytes], str] = lambda _model: "no trials here",
        *,
        provider: str = "",
    ) -> None:
        """``modelled(job)`` gives duration in nanoseconds and energy in millijoules.

        ``trial_fault`` says why a model cannot be flown, "" if it can. ``provider`` is what the
        sessions compute on, as results say it.
        """
        self._provider = provider
        self._make_session = make_session
        self._trial_fault = trial_fault
        self._hold(models)
        self._clock = clock
        self._modelled = modelled
        self._closed = False

    async def run(self, job: Job) -> Result:
        """Return the result once the modelled duration is over; raises ``InferenceError``."""
        if self._closed:
            raise InferenceError(InferenceFailure.CLOSED, "the engine is closed")
        entry = self._sessions.get((job.model_name, job.variant))
        if entry is None:
            name = f"{job.model_name}/{job.variant}"
            raise InferenceError(InferenceFailure.UNKNOWN_MODEL, f"no model {name} was loaded")
        session, model_hash = entry
        started_ns = self._clock.now_ns()
        duration_ns, energy_mj = self._modelled(job)
        due_ns = started_ns + duration_ns
        if job.deadline_ns is not None and due_ns > job.deadline_ns:
            await self._clock.sleep_until(job.deadline_ns)
            raise InferenceError(InferenceFailure.TIMEOUT, "the modelled run outlasts its deadline")
        try:
            screening = session.screen(job)
        except ModelError as error:
            raise InferenceError(InferenceFailure.MODEL_ERROR, str(error)) from error
        await self._clock.sleep_until(due_ns)
        return Result(
            job_id=job.job_id,
            screening=screening,
            model_hash=model_hash,
            started_ns=started_ns,
            finished_ns=self._clock.now_ns(),
            energy_mj=energy_mj,
            duration_ms=duration_ns / NS_PER_MS,
            modelled=True,
            energy_modelled=True,
            provider=self._provider,
        )

    async def trial(self, candidate: ModelBytes) -> str:
        """Say why a model cannot be flown, "" if it can."""
        return self._trial_fault(candidate)

    async def adopt(self, models: Sequence[ModelBytes]) -> None:
        """Hold these models from the next job on."""
        self._hold(models)

    def _hold(self, models: Sequence[ModelBytes]) -> None:
        self._sessions = {
            (each.name, each.variant): (self._make_session(each), each.sha256) for each in models
        }

    def close(self) -> None:
        """Refuse later runs."""
        self._closed = True
