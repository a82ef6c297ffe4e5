"""The image flow's engine room: frame → admission → job → result → products.

Two loops in one service: one takes frames from the source into a bounded backlog, one works the
backlog off as far as mode, power, heat and queue allow. A frame that cannot be worked waits; a
full backlog drops its oldest and counts it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flight.base.channels import Bounded, Offer, Overflow
from flight.inference.admission import Conditions, Limit, Need, Verdict, judge
from flight.inference.engine_trouble import EngineTrouble
from flight.inference.job import InferenceError, InferenceFailure, Job, Plausibility, Tile
from flight.inference.result_products import DraftKind, products_of
from flight.telemetry.definitions import ThrottleReason
from flight.wire.product_packet import ProductClass

if TYPE_CHECKING:
    from flight.base.channels import Latest
    from flight.base.clock import Clock
    from flight.downlink.product_intake import ProductIntake
    from flight.fdir.health_monitor import Heartbeat
    from flight.inference.frame_source import FrameSource
    from flight.inference.job import Care, InferenceEngine, Result
    from flight.inference.result_products import Draft, ValueTable
    from flight.node_status import NodeStatus
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog

_NS_PER_S = 1_000_000_000
DROP_REPORT_EVERY = 100
"""Dropped frames between two events about them; the counter tells every one."""

_THERMAL = {ThrottleReason.DIE, ThrottleReason.SINK, ThrottleReason.RADIATOR}
_CLASS = {DraftKind.MASK: ProductClass.MASK, DraftKind.QUICKLOOK: ProductClass.QUICKLOOK}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingPlan:
    """What to run and what it is worth.

    Attributes:
        model_name, variant, threshold: the network and where its probability means cloud.
        frame_deadline_ns: a frame older than this is worth nothing.
        backlog_frames: frames that may wait.
        values: the mission's value table.
        deadlines_ns: how long each kind of product is worth sending.
    """

    model_name: str
    variant: str
    threshold: float
    frame_deadline_ns: int
    backlog_frames: int
    values: ValueTable
    deadlines_ns: dict[DraftKind, int]


@dataclass(slots=True)
class InferenceCounts:
    """Every frame ends in one of these.

    Attributes:
        busy_ns: the payload computed, up to the end of the last job.
        running_since_ns: start of the job under way, None while there is none.
    """

    jobs: int = 0
    refused: int = 0
    dropped: int = 0
    failed: int = 0
    products: int = 0
    energy_mj: int = 0
    busy_ns: int = 0
    running_since_ns: int | None = None
    doubts: int = 0
    repairs: int = 0
    reruns: int = 0
    rebuilds: int = 0
    distrusted: set[str] = field(default_factory=set)

    def take(self, care: Care) -> None:
        """Count what it took to trust one answer."""
        self.doubts += bool(care.doubt or care.restarts)
        self.repairs += care.repaired
        self.reruns += care.reruns + care.confirmed
        self.rebuilds += care.rebuilds + care.restarts

    def computed_ns(self, now_ns: int) -> int:
        """How long the payload has computed in all, the job under way included."""
        since_ns = self.running_since_ns
        return self.busy_ns + (0 if since_ns is None else now_ns - since_ns)


class InferenceService:
    """Serves until cancelled; its counters survive a restart because the root keeps them.

    Attributes:
        backlog: frames that wait for the payload.
    """

    name = "inference"

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        clock: Clock,
        frames: FrameSource,
        engine: InferenceEngine,
        plan: ImagingPlan,
        intake: ProductIntake,
        status: Latest[NodeStatus],
        channels: ChannelValues,
        events: EventLog,
        counts: InferenceCounts,
        heart: Heartbeat,
    ) -> None:
        self._clock = clock
        self._heart = heart
        self._frames = frames
        self._engine = engine
        self._plan = plan
        self._intake = intake
        self._status = status
        self._values = channels.values
        self._events = events
        self._counts = counts
        self._trouble = EngineTrouble()
        self._arrived = asyncio.Event()
        self.backlog: Bounded[Tile] = Bounded("frames", plan.backlog_frames, Overflow.DROP_OLDEST)
        self._index = {
            name: channels.index(f"inference.{name}")
            for name in ("jobs_total", "refused_total", "dropped_total", "failed_total",
                         "products_total", "last_ms", "energy_j", "clear_fraction",
                         "doubts_total", "repairs_total", "reruns_total", "rebuilds_total")
        }  # fmt: skip
        self._values[self._index["refused_total"]] = counts.refused
        self._values[self._index["dropped_total"]] = counts.dropped
        self._values[self._index["failed_total"]] = counts.failed

    async def serve(self) -> None:
        """Captures and works until cancelled.

        Raises:
            InferenceError: the engine runs no job any more.
        """
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._capture())
                loops.create_task(self._work())
        except* InferenceError as failed:
            raise failed.exceptions[0] from None

    async def _capture(self) -> None:
        while True:
            tile = await self._frames.next_tile()
            if self.backlog.offer(tile) is Offer.DISPLACED:
                self._counts.dropped += 1
                self._values[self._index["dropped_total"]] = self._counts.dropped
                if self._counts.dropped % DROP_REPORT_EVERY == 1:
                    dropped = self._counts.dropped
                    self._events.emit("FRAMES_DROPPED", self._clock.now_ns(), count=dropped)
            self._arrived.set()

    async def _work(self) -> None:
        while True:
            self._heart.beat()
            status = self._status.get()
            if status is None or status.level == 0:
                await self._clock.sleep_until(_next_second(self._clock.now_ns()))
                continue
            tile = self.backlog.take()
            if tile is None:
                self._arrived.clear()
                self._heart.rest()
                await self._arrived.wait()
                continue
            if self._admitted(tile, status):
                await self._run(tile)

    def _admitted(self, tile: Tile, status: NodeStatus) -> bool:
        now_ns = self._clock.now_ns()
        need = Need(
            energy_mj=0,
            run_ns=0,
            products_bytes=0,
            deadline_ns=tile.captured_ns + self._plan.frame_deadline_ns,
        )
        conditions = Conditions(
            enabled=True,
            payload_level=status.level,
            limit=Limit.THERMAL if status.reason in _THERMAL else Limit.POWER,
            energy_left_mj=None,
            jobs_waiting=0,
            jobs_capacity=1,
            store_free_bytes=self._intake.free_bytes,
        )
        if judge(tile, need, conditions, now_ns) is Verdict.ADMIT:
            return True
        self._counts.refused += 1
        self._values[self._index["refused_total"]] = self._counts.refused
        return False

    async def _run(self, tile: Tile) -> None:
        plan, counts = self._plan, self._counts
        started_ns = self._clock.now_ns()
        counts.running_since_ns = started_ns
        job = Job(
            job_id=tile.tile_id,
            tile=tile,
            model_name=plan.model_name,
            variant=plan.variant,
            deadline_ns=tile.captured_ns + plan.frame_deadline_ns,
            threshold=plan.threshold,
            quicklook_cloud_permille_max=plan.values.quicklook_cloud_permille_max,
        )
        try:
            result = await self._engine.run(job)
        except InferenceError as error:
            self._failed("INFERENCE_FAILED", job, error=str(error))
            self._distrusted(job, error)
            self._trouble.count(error)
            return
        finally:
            counts.busy_ns += self._clock.now_ns() - started_ns
            counts.running_since_ns = None
        self._tell_care(job, result.care)
        self._trouble.forgive()
        verdict = result.screening.verdict
        if verdict is not Plausibility.PLAUSIBLE:
            self._failed("OUTPUT_IMPLAUSIBLE", job, reason=verdict.value)
            return
        counts.jobs += 1
        counts.energy_mj += result.energy_mj or 0
        drafts = products_of(result, tile, plan.values, plan.threshold)
        for draft in drafts:
            self._submit(draft, tile)
        self._tell(result, drafts)

    def _submit(self, draft: Draft, tile: Tile) -> None:
        taken = self._intake.submit(
            name=draft.name,
            klass=_CLASS[draft.kind],
            payload=draft.payload,
            value_millis=draft.value_millis,
            deadline_ns=tile.captured_ns + self._plan.deadlines_ns[draft.kind],
            now_ns=self._clock.now_ns(),
        )
        self._counts.products += taken

    def _failed(self, event: str, job: Job, **args: str) -> None:
        self._counts.failed += 1
        self._values[self._index["failed_total"]] = self._counts.failed
        self._events.emit(event, self._clock.now_ns(), job=job.job_id, **args)

    def _distrusted(self, job: Job, error: InferenceError) -> None:
        """Tell once that a model gives no answers any more."""
        name = f"{job.model_name}/{job.variant}"
        if error.kind is InferenceFailure.UNTRUSTED and name not in self._counts.distrusted:
            self._counts.distrusted.add(name)
            now_ns = self._clock.now_ns()
            self._events.emit("MODEL_DISTRUSTED", now_ns, model=name, reason=str(error))

    def _tell_care(self, job: Job, care: Care) -> None:
        values, index, counts = self._values, self._index, self._counts
        counts.take(care)
        values[index["doubts_total"]] = counts.doubts
        values[index["repairs_total"]] = counts.repairs
        values[index["reruns_total"]] = counts.reruns
        values[index["rebuilds_total"]] = counts.rebuilds
        now_ns = self._clock.now_ns()
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

    def _tell(self, result: Result, drafts: tuple[Draft, ...]) -> None:
        values, index, counts = self._values, self._index, self._counts
        values[index["jobs_total"]] = counts.jobs
        values[index["products_total"]] = counts.products
        values[index["last_ms"]] = result.duration_ms
        values[index["energy_j"]] = counts.energy_mj * 1e-3
        values[index["clear_fraction"]] = 1.0 - drafts[0].cloud_permille * 1e-3


def _next_second(now_ns: int) -> int:
    return now_ns - now_ns % _NS_PER_S + _NS_PER_S
