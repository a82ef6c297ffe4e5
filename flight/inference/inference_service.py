"""The image flow's engine room: frame → admission → job → result → products.

Two loops in one service: one takes frames from the source into a bounded backlog, one works the
backlog off as far as mode, power, heat and queue allow. A frame that cannot be worked waits; a
full backlog drops its oldest and counts it. Between two frames, and only there, the payload can be
taken away, and a model that came up gets its trial. An engine that takes two jobs at a time has
the next frame before the last one is done; those that were begun are then finished.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flight.base.channels import Bounded, Offer, Overflow
from flight.inference.admission import (
    Conditions,
    CostBook,
    FrameWork,
    Limit,
    Need,
    Verdict,
    judge,
)
from flight.inference.engine_trouble import EngineTrouble
from flight.inference.inference_telemetry import InferenceTelemetry, JobEnergy
from flight.inference.job import InferenceError, Plausibility
from flight.inference.result_products import DraftBook, products_of
from flight.telemetry.definitions import ThrottleReason
from flight.wire.product_packet import Producer, ProductClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.channels import Latest
    from flight.base.clock import Clock
    from flight.downlink.product_intake import ProductIntake
    from flight.fdir.health_monitor import Heartbeat
    from flight.inference.admission import ImagingPlan
    from flight.inference.frame_source import FrameSource
    from flight.inference.inference_telemetry import InferenceCounts
    from flight.inference.job import InferenceEngine, Job, Result, Tile
    from flight.inference.model_deck import ModelDeck
    from flight.inference.result_products import Draft
    from flight.node_status import NodeStatus
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog

_NS_PER_S = 1_000_000_000
_J_PER_KJ = 1000.0
_THERMAL = {ThrottleReason.DIE, ThrottleReason.SINK, ThrottleReason.RADIATOR}


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
        deck: ModelDeck | None = None,
        profile_w: Callable[[int], float | None] = lambda _level: None,
    ) -> None:
        self._clock = clock
        self._heart = heart
        self._frames = frames
        self._engine = engine
        self._plan = plan
        self._intake = intake
        self._status = status
        self._counts = counts
        self._trouble = EngineTrouble()
        self._deck = deck
        self._work_of = FrameWork(plan)
        if deck is not None:
            self._work_of.fly(deck.flown, shipped=deck.shipped)
        self._costs, self._drafts = CostBook(), DraftBook(plan.values)
        self._level, self._fed_ns = 0, 0
        self._energy = JobEnergy(profile_w, counts)
        self._telling = InferenceTelemetry(channels, events, counts)
        self._values = channels.values
        self._price = channels.index("plan.price_energy")
        self._arrived = asyncio.Event()
        self._under_way, self._freed = 0, asyncio.Event()
        self.backlog: Bounded[Tile] = Bounded("frames", plan.backlog_frames, Overflow.DROP_OLDEST)

    async def serve(self) -> None:
        """Captures and works until cancelled.

        Raises:
            InferenceError: the engine runs no job any more.
        """
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._capture())
                loops.create_task(self._work(loops))
        except* InferenceError as failed:
            raise failed.exceptions[0] from None

    async def _capture(self) -> None:
        while True:
            tile = await self._frames.next_tile()
            if self.backlog.offer(tile) is Offer.DISPLACED:
                self._telling.dropped(self._clock.now_ns())
            self._arrived.set()

    async def _work(self, loops: asyncio.TaskGroup) -> None:
        while True:
            self._heart.beat()
            status = self._status.get()
            if status is None or status.level == 0:
                await self._clock.sleep_until(_next_second(self._clock.now_ns()))
                continue
            if self._deck is not None and self._deck.waiting:
                await self._finished(0)
                await self._settle(self._deck)
            tile = self.backlog.take()
            if tile is None and self._under_way:
                await self._finished(0)
                continue
            if tile is None:
                self._arrived.clear()
                self._heart.rest()
                await self._arrived.wait()
                continue
            self._follow(status)
            if self._admitted(tile, status):
                await self._begun(tile, loops)

    def _follow(self, status: NodeStatus) -> None:
        """What was learned of costs goes with the level; each cycle shows what is drawn at it."""
        if status.level != self._level:
            self._level = status.level
            self._costs.forget()
            self._energy.forget()
        if status.now_ns != self._fed_ns:
            self._fed_ns = status.now_ns
            self._energy.feed(status.payload_w, self._clock.now_ns())

    async def _begun(self, tile: Tile, loops: asyncio.TaskGroup) -> None:
        """Work a frame off, or as much of it as is needed before the next one can be begun."""
        if self._engine.depth == 1 or self._work_of.undecided:
            await self._run(tile)
            return
        self._under_way += 1
        loops.create_task(self._run(tile)).add_done_callback(self._free)
        await self._finished(self._engine.depth - 1)

    def _free(self, _task: asyncio.Task[None]) -> None:
        self._under_way -= 1
        self._freed.set()

    async def _finished(self, left: int) -> None:
        """Wait until no more than so many frames are under way."""
        while self._under_way > left:
            self._freed.clear()
            await self._freed.wait()

    async def _settle(self, deck: ModelDeck) -> None:
        """A model that came up gets its trial; only where another one flies the worker changes."""
        candidate = deck.candidate()
        if candidate is not None:
            reason = await self._engine.trial(candidate)
            self._heart.beat()
            if reason:
                deck.refuse(candidate.name, reason)
            else:
                deck.accept(candidate)
        if deck.exchange:
            await self._engine.adopt(deck.crew)
            deck.exchanged()
            self._work_of.fly(deck.flown, shipped=deck.shipped)
            self._costs.forget()
        deck.mended()

    def _admitted(self, tile: Tile, status: NodeStatus) -> bool:
        now_ns, cost = self._clock.now_ns(), self._costs.cost(self._work_of.variant)
        need = Need(
            energy_mj=cost.energy_mj,
            run_ns=cost.run_ns,
            products_bytes=self._drafts.frame_bytes,
            deadline_ns=tile.captured_ns + self._plan.frame_deadline_ns,
            value_millis=self._plan.value_millis(land=tile.land),
        )
        mean_millis = self._plan.value_millis(land=True)
        conditions = Conditions(
            enabled=True,
            payload_level=status.level,
            limit=Limit.THERMAL if status.reason in _THERMAL else Limit.POWER,
            energy_left_mj=None,
            jobs_waiting=0,
            jobs_capacity=1,
            store_free_bytes=self._intake.free_bytes,
            worth_room=self._intake.room.takes(self._drafts.of(land=tile.land), now_ns),
            price_millis_per_j=max(0.0, self._values[self._price]) * mean_millis / _J_PER_KJ,
        )
        if (verdict := judge(tile, need, conditions, now_ns)) is Verdict.ADMIT:
            return True
        self._counts.refused += 1
        self._counts.refused_room += verdict is Verdict.REFUSE_QUEUE_FULL
        self._telling.counted()
        return False

    async def _run(self, tile: Tile) -> None:
        """The stages of a frame, from the cheap network on, until one is the last."""
        await self._choose(tile)
        job, energy_mj, duration_ms = self._work_of.first(tile), None, 0.0
        while True:
            result = await self._computed(job)
            if result is None:
                return
            duration_ms += result.duration_ms
            if result.energy_mj is not None:
                energy_mj = (energy_mj or 0) + result.energy_mj
            following = self._work_of.next(job, result)
            if following is None:
                break
            job = following
        self._counts.screened += job.variant == self._plan.screen
        drafts = products_of(result, tile, self._plan.values, job.threshold)
        self._counts.best_drafts = self._drafts.learn(drafts)
        self._submit(drafts, tile)
        self._telling.done(result, energy_mj, duration_ms)

    async def _choose(self, tile: Tile) -> None:
        """At the start, once: the first frame is run by every candidate, the fastest one flies."""
        for job in self._work_of.probes(tile):
            result = await self._computed(job)
            if result is not None:
                self._work_of.timed(job.variant, result.duration_ms)
        chosen = self._work_of.choose()
        if chosen is not None:
            self._telling.chosen(chosen, self._work_of.times_ms, self._clock.now_ns())

    async def _computed(self, job: Job) -> Result | None:
        """One job run and told; None where it gave nothing."""
        self._counts.begin(self._clock.now_ns())
        try:
            result = await self._engine.run(job)
        except InferenceError as error:
            now_ns = self._clock.now_ns()
            self._energy.lost(now_ns)
            self._telling.failed("INFERENCE_FAILED", job, now_ns, error=str(error))
            self._telling.distrusted(job, error, now_ns)
            if not self._gave_way(job, str(error)):
                self._trouble.count(error)
            return None
        finally:
            self._counts.end(self._clock.now_ns())
        now_ns = self._clock.now_ns()
        result = self._energy.priced(result, self._level, now_ns)
        self._telling.computed_on(result.provider, now_ns)
        self._telling.care(job, result.care, now_ns)
        self._trouble.forgive()
        self._costs.learn(job.variant, result)
        verdict = result.screening.verdict
        if verdict is not Plausibility.PLAUSIBLE:
            self._telling.failed("OUTPUT_IMPLAUSIBLE", job, now_ns, reason=verdict.value)
            self._gave_way(job, verdict.value)
            return None
        if self._deck is not None and not self._work_of.screens(job):
            self._deck.answered()
        return result

    def _gave_way(self, job: Job, why: str) -> bool:
        """Failures in a row of the model that flies lead to the former one, if there is one."""
        if self._deck is None or self._work_of.screens(job) or not self._deck.failed(why):
            return False
        self._trouble.forgive()
        return True

    def _submit(self, drafts: tuple[Draft, ...], tile: Tile) -> None:
        before: int | None = None  # the mask is the index: its picture waits until it was sent
        for draft in drafts:
            before = self._intake.submit(
                name=draft.name, klass=ProductClass[draft.kind.name], producer=Producer.IMAGING,
                payload=draft.payload, value_millis=draft.value_millis,
                deadline_ns=tile.captured_ns + self._plan.deadlines_ns[draft.kind],
                now_ns=self._clock.now_ns(), depends_on=before,
            )  # fmt: skip
            self._counts.products += before is not None


def _next_second(now_ns: int) -> int:
    return now_ns - now_ns % _NS_PER_S + _NS_PER_S
