"""What became of every frame: counted, shown in telemetry, told in events. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING

from flight.inference.job import InferenceFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.inference.job import Care, InferenceError, Job, Result
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog

DROP_REPORT_EVERY = 100
"""Dropped frames between two events about them; the counter tells every one."""
_TOTALS = {
    "jobs_total": "jobs",
    "refused_total": "refused",
    "refused_room_total": "refused_room",
    "dropped_total": "dropped",
    "failed_total": "failed",
    "products_total": "products",
    "doubts_total": "doubts",
    "repairs_total": "repairs",
    "reruns_total": "reruns",
    "rebuilds_total": "rebuilds",
    "screened_total": "screened",
}
"""Channel -> field of the counts."""


@dataclass(slots=True)
class InferenceCounts:
    """Every frame ends in one of these.

    Attributes:
        busy_ns: the payload computed, up to the end of the last job.
        running: jobs under way.
        running_since_ns: since when there has been one without a break, None while there is none.
        screened: frames that the cheap network alone was enough for.
        refused_room: of the refused, those whose results would find no room.
        best_drafts: (value in thousandths, bytes) of the results of the best frame there may be.
    """

    jobs: int = 0
    refused: int = 0
    refused_room: int = 0
    dropped: int = 0
    failed: int = 0
    products: int = 0
    energy_mj: int = 0
    busy_ns: int = 0
    running: int = 0
    running_since_ns: int | None = None
    doubts: int = 0
    repairs: int = 0
    reruns: int = 0
    rebuilds: int = 0
    screened: int = 0
    distrusted: set[str] = field(default_factory=set)
    best_drafts: tuple[tuple[int, int], ...] = ()

    def take(self, care: Care) -> None:
        """Count what it took to trust one answer."""
        self.doubts += bool(care.doubt or care.restarts)
        self.repairs += care.repaired
        self.reruns += care.reruns + care.confirmed
        self.rebuilds += care.rebuilds + care.restarts

    def begin(self, now_ns: int) -> None:
        """A job is handed to the engine."""
        if not self.running:
            self.running_since_ns = now_ns
        self.running += 1

    def end(self, now_ns: int) -> None:
        """It is back, whatever became of it."""
        self.running -= 1
        if not self.running and self.running_since_ns is not None:
            self.busy_ns += now_ns - self.running_since_ns
            self.running_since_ns = None

    def computed_ns(self, now_ns: int) -> int:
        """How long the payload has computed in all, the job under way included."""
        since_ns = self.running_since_ns
        return self.busy_ns + (0 if since_ns is None else now_ns - since_ns)


MEMORY_CYCLES = 60
"""An older sample weighs 1/e of a new one."""
SHARE_SPREAD_MIN = 0.01
"""Variance of the busy share from which on computing and idling can be told apart."""
SHARE_BUSY = 0.9
"""A payload that computes for so much of its time draws what computing draws."""


class JobEnergy:
    """What a job costs on a board: watts while it computes, measured or else the profile's.

    A board's sensor is read once a cycle, whether a job runs at that instant or not, so over many
    cycles it shows idle power plus the busy share times what computing adds: a straight line, of
    which the end at share 1 is the power of a job. What is older weighs less and less.

    Args:
        profile_w: level -> watts while a job runs by the board's profile, None where nobody knows.
    """

    def __init__(self, profile_w: Callable[[int], float | None], counts: InferenceCounts) -> None:
        self._profile_w = profile_w
        self._counts = counts
        self._paid_ns = counts.busy_ns
        self.forget()

    def forget(self) -> None:
        """The payload runs at another level now."""
        self._cycle = (0, 0)
        self._weight = self._share = self._watts = self._squares = self._products = 0.0

    def feed(self, payload_w: float, now_ns: int) -> None:
        """A cycle has passed; NaN where nothing is measured."""
        (then_ns, computed_ns), self._cycle = (
            self._cycle,
            (now_ns, self._counts.computed_ns(now_ns)),
        )
        if not isfinite(payload_w) or now_ns <= then_ns or not then_ns:
            return
        share = min(1.0, (self._cycle[1] - computed_ns) / (now_ns - then_ns))
        kept = 1.0 - 1.0 / MEMORY_CYCLES
        self._weight = kept * self._weight + 1.0
        self._share = kept * self._share + share
        self._watts = kept * self._watts + payload_w
        self._squares = kept * self._squares + share * share
        self._products = kept * self._products + share * payload_w

    def measured_w(self) -> float | None:
        """Watts while a job runs, None while the sensor has not shown it."""
        if not self._weight:
            return None
        share, watts = self._share / self._weight, self._watts / self._weight
        spread = self._squares / self._weight - share * share
        if spread < SHARE_SPREAD_MIN:
            return watts if share >= SHARE_BUSY else None
        slope = (self._products / self._weight - share * watts) / spread
        return watts + max(0.0, slope) * (1.0 - share)

    def lost(self, now_ns: int) -> None:
        """A job gave nothing: what it took is no frame's."""
        self._paid_ns = self._counts.computed_ns(now_ns)

    def priced(self, result: Result, level: int, now_ns: int) -> Result:
        """The result with its energy: of the time computed since the last one was priced."""
        computed_ns = self._counts.computed_ns(now_ns)
        spent_ns, self._paid_ns = computed_ns - self._paid_ns, computed_ns
        if result.energy_mj is not None:
            return result
        watts = self.measured_w()
        modelled = watts is None
        watts = self._profile_w(level) if watts is None else watts
        if watts is None:
            return result
        return replace(result, energy_mj=round(watts * spent_ns * 1e-6), energy_modelled=modelled)


class InferenceTelemetry:
    """Writes channels of the group `inference` and says what is worth an event."""

    def __init__(self, channels: ChannelValues, events: EventLog, counts: InferenceCounts) -> None:
        self._values = channels.values
        self._events = events
        self._counts = counts
        names = (*_TOTALS, "last_ms", "last_j", "energy_j", "energy_modelled", "clear_fraction")
        self._index = {name: channels.index(f"inference.{name}") for name in names}
        self._provider = ""
        self.counted()

    def counted(self) -> None:
        """Every total as it stands."""
        for name, count in _TOTALS.items():
            self._values[self._index[name]] = getattr(self._counts, count)

    def dropped(self, now_ns: int) -> None:
        """A frame was overtaken in the backlog."""
        self._counts.dropped += 1
        self.counted()
        if self._counts.dropped % DROP_REPORT_EVERY == 1:
            self._events.emit("FRAMES_DROPPED", now_ns, count=self._counts.dropped)

    def failed(self, event: str, job: Job, now_ns: int, **args: str) -> None:
        """A job gave nothing."""
        self._counts.failed += 1
        self.counted()
        self._events.emit(event, now_ns, job=job.job_id, **args)

    def distrusted(self, job: Job, error: InferenceError, now_ns: int) -> None:
        """Tell once that a model gives no answers any more."""
        name = f"{job.model_name}/{job.variant}"
        if error.kind is InferenceFailure.UNTRUSTED and name not in self._counts.distrusted:
            self._counts.distrusted.add(name)
            self._events.emit("MODEL_DISTRUSTED", now_ns, model=name, reason=str(error))

    def computed_on(self, provider: str, now_ns: int) -> None:
        """What networks run on, told when it is known and whenever it is another."""
        if provider != self._provider:
            self._provider = provider
            self._events.emit("PROVIDER_CHOSEN", now_ns, provider=provider)

    def care(self, job: Job, care: Care, now_ns: int) -> None:
        """What it took to trust an answer."""
        self._counts.take(care)
        self.counted()
        if care.repaired:
            self._events.emit("WEIGHTS_REPAIRED", now_ns, pieces=care.repaired)
        if care.doubt or care.restarts:
            self._events.emit(
                "ANSWER_DOUBTED",
                now_ns,
                job=job.job_id,
                doubt=care.doubt or "the worker gave up",
                reruns=care.reruns,
                rebuilds=care.rebuilds,
                restarts=care.restarts,
            )

    def done(self, result: Result, cost_mj: int | None, duration_ms: float) -> None:
        """A frame is done: what it took in all, and what was seen."""
        values, index, counts = self._values, self._index, self._counts
        counts.jobs += 1
        counts.energy_mj += cost_mj or 0
        self.counted()
        values[index["last_ms"]] = duration_ms
        values[index["last_j"]] = float("nan") if cost_mj is None else cost_mj * 1e-3
        values[index["energy_j"]] = counts.energy_mj * 1e-3
        values[index["energy_modelled"]] = result.energy_modelled
        values[index["clear_fraction"]] = 1.0 - result.screening.cloud_permille * 1e-3

    def chosen(self, variant: str, times_ms: dict[str, float], now_ns: int) -> None:
        """Which variant is the fastest on this board."""
        told = ", ".join(f"{name} {ms:.2f} ms" for name, ms in times_ms.items())
        self._events.emit("VARIANT_CHOSEN", now_ns, variant=variant, times=told)
