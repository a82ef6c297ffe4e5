"""The composition root: the only place that makes queues, devices, components and tasks.

Everything the node consists of is made and connected here, once, from what its surroundings give
(a board or a bench); the parts are made in `flight.composition`. Nothing else constructs or looks
up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.base.channels import Latest
from flight.base.rate_group import RateGroup, RateGroupRunner
from flight.base.restart_policy import RestartIntensity
from flight.base.supervisor import ChildSpec, SupervisionEvent, SupervisionKind, Supervisor
from flight.base.utc_keeper import UtcKeeper
from flight.commanding.parameter_copies import ParameterCopies
from flight.commanding.parameter_keeper import ParameterKeeper
from flight.composition.commanding import command_parts
from flight.composition.cycle import boot_keeper, executive, governing, guard_watch, time_figures
from flight.composition.downlink import downlink_parts, downlink_service, uploaded_plan
from flight.composition.fdir import Hearts, anomaly_reports, fdir_parts, health_watch, watch_group
from flight.composition.inference import inference_service, model_deck
from flight.composition.surroundings import Shared
from flight.downlink.product_lives import Deed
from flight.inference.inference_telemetry import InferenceCounts
from flight.io.actuation import leave_safe
from flight.start_up import load_experience, tell_start
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from flight.telemetry.queue_board import QueueBoard
from flight.telemetry.recorder import Recorder
from flight.telemetry.telemetry_service import TelemetryService
from flight.telemetry_handlers import FILTER, recover_filter
from flight.utc_watch import UtcWatch
from flight.wire.space_packet import SequenceCounts

if TYPE_CHECKING:
    from flight.base.component import Service
    from flight.composition.surroundings import Surroundings
    from flight.node_status import NodeStatus

_NS_PER_S = 1_000_000_000
EVENT_QUEUE = 1_024
INFERENCE_INTENSITY = RestartIntensity(window_ns=1_800 * _NS_PER_S)
"""An engine needs some jobs to be found broken: a window of two minutes would never be full."""


class Node:
    """A composed node; `serve` runs it until cancelled.

    Attributes:
        channels, events, counts, queue: read by telemetry and by an in-process bench; status,
            parameters, queues, uplink: for the companions that its surroundings give it.
        boot: keeps the boot record, where there is one.
        health: who stands still, for a watchdog.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        now_ns = around.clock.now_ns()
        # First of all: every counter below starts from what the store remembers, or a nonce of
        # the link would be used twice.
        self._recovered = around.store.recover()
        self._shared = shared = _shared(around, now_ns)
        self.channels, self.events = shared.channels, shared.events
        self.counts, self.status = shared.counts, shared.status
        self.parameters, self.queues = shared.keeper.table, shared.queues
        self._guard_watch = guard_watch(around, self.channels, self.events)
        self.boot, self.health = shared.boot, shared.health
        if not around.on_defaults:
            load_experience(around.store, shared.plan)
        self._downlink = downlink_parts(shared)
        self.queue = self._downlink.queue
        self._telemetry = _telemetry_service(shared, Recorder(self._downlink.intake))
        self._anomalies = anomaly_reports(shared, self._downlink)
        self._fdir = fdir_parts(shared, now_ns)
        self._commanding = command_parts(
            shared,
            self._downlink,
            self._fdir,
            self._telemetry.requests,
            self._guard_watch,
            now_ns,
        )
        self.uplink = self._commanding.uplink
        self.governing = governing(shared, self._downlink)
        self.executive = executive(
            around,
            shared.channels,
            shared.events,
            shared.keeper.table,
            shared.status,
            shared.wishes,
            self._fdir.safety,
            UtcWatch(shared.utc, around.utc_locked, shared.sequence, self.channels, self.events),
            self.governing.governor,
            self._anomalies.on_mode,
            now_ns,
        )
        # What the ground has said of inference holds over a reset.
        self._commanding.wish_board.inference_enabled = self.executive.modes.kept.inference
        self._restarts = self.channels.counter("system.restarts")

    async def serve(self) -> None:
        """Runs every component and service; returns only by exception or cancellation."""
        around = self._around
        self._boot(around.clock.now_ns())
        main = self._main_group()
        pace = around.clock if around.tick is None else around.tick.clock
        children = (
            ChildSpec(name="main", factory=lambda: RateGroupRunner(pace, (main,)),
                      critical=True),
            ChildSpec(name="downlink", factory=self._downlink_service, critical=True),
            ChildSpec(name="inference", factory=self._inference_service,
                      intensity=INFERENCE_INTENSITY),
            *self.governing.children,
            *around.companions(self),
        )  # fmt: skip
        supervisor = Supervisor(
            "node",
            around.clock,
            children,
            on_event=self._on_supervision,
            escalate=self._on_given_up,
        )
        self._fdir.connect(supervisor, self._commanding.sequencer)
        await supervisor.serve()

    def _main_group(self) -> RateGroup:
        """The control cycle. What tells and fails is one fault; the cycle goes on without it."""
        watch = tuple(each for each in (self._guard_watch, self.boot) if each is not None)
        health, intake = self._shared.health, self._downlink.intake
        wishes, sequencer = self._commanding.wish_board, self._commanding.sequencer
        members = (
            *watch, health, wishes, self.executive, self._anomalies, sequencer, intake,
            self._telemetry,
        )  # fmt: skip
        tick = self._around.tick
        main = RateGroup(
            "main",
            _NS_PER_S,
            members,
            offset_ns=0 if tick is None else tick.clock.first_due_ns() % _NS_PER_S,
            on_error=self._on_member_error,
        )
        time_figures(main, self.channels, self.events, self._around)
        watch_group(health, main, self._telemetry.name, self._around.clock.now_ns())
        return main

    def settle(self) -> None:
        """The store's writer has got further: what waited for it goes on."""
        now_ns = self._around.clock.now_ns()
        self._downlink.intake.settle(now_ns)
        self.uplink.settle(now_ns)
        self._commanding.sequencer.settle(now_ns)

    def stop(self, cause: str) -> None:
        """Ends a flight in order, once `serve` has ended: told, recorded, committed, made safe."""
        now_ns = self._around.clock.now_ns()
        self.events.finish(now_ns)
        self.events.emit("SHUTDOWN", now_ns, cause=cause)
        for error in leave_safe(self._around.devices):
            self.events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)
        self._telemetry.finish(now_ns)
        self._downlink.intake.finish(now_ns)
        self._downlink.lives.flush(now_ns)

    def close(self) -> None:
        """Gives engine and store back; what was not committed is not durable."""
        self._around.engine.close()
        self._around.store.close()

    def _boot(self, now_ns: int) -> None:
        recovered = self._recovered
        products = len(recovered)
        self._downlink.intake.recover(now_ns)
        for product_id in recovered.lost:
            self._downlink.intake.drop_damaged(product_id, now_ns)
        around = self._around
        tell_start(
            around.store, around.devices, around.boot, self.boot, self.channels, self.events, now_ns
        )
        starts = int(self.channels.get("mode.boot_count"))
        self._downlink.lives.note(Deed.STARTED, None, now_ns, f"start {starts}")
        if products:
            self.events.emit(
                "STORE_RECOVERED",
                now_ns,
                products=products,
                bytes=recovered.size_bytes,
                torn=self._around.store.counters.records_damaged,
            )
        if not around.on_defaults:
            self._commanding.recover(now_ns)

    def _downlink_service(self) -> Service:
        return downlink_service(self._shared, self._downlink, self.uplink, self._telemetry)

    def _inference_service(self) -> Service:
        return inference_service(self._shared, self._downlink.intake)

    def _on_member_error(self, member: str, error: Exception, now_ns: int) -> None:
        """Only what tells may fail alone: without any other member the cycle is none."""
        if member not in {self._telemetry.name, self._anomalies.name}:
            raise error
        told = f"{type(error).__name__}: {error}"
        self.events.emit("SERVICE_FAILED", now_ns, name=member, error=told)

    def _on_given_up(self, event: SupervisionEvent) -> None:
        """Without a critical one this process ends; the next begins in SAFE, the link alive."""
        self.events.emit("SERVICE_GIVEN_UP", event.at_ns, name=event.child)
        if event.critical:
            self.executive.modes.lost(event.child, event.at_ns)

    def _on_supervision(self, event: SupervisionEvent) -> None:
        self._shared.health.on_supervision(event)
        if event.kind is SupervisionKind.FAILED:
            self.events.emit("SERVICE_FAILED", event.at_ns, name=event.child, error=event.error)
        elif event.kind is SupervisionKind.STARTED and event.restarts:
            self.channels.values[self._restarts] = event.restarts
            self.events.emit(
                "SERVICE_RESTARTED", event.at_ns, name=event.child, attempt=event.restarts
            )


def _shared(around: Surroundings, now_ns: int) -> Shared:
    channels, hearts = ChannelValues(), Hearts()
    store, events = around.store, EventLog(EVENT_QUEUE, around.listener)
    status: Latest[NodeStatus] = Latest()
    copies = ParameterCopies(store.load_state, store.store_state)
    configured = {} if around.on_defaults else around.config.parameters
    keeper = ParameterKeeper(copies, configured, events)
    if not around.on_defaults:
        recover_filter(events, store.load_state(FILTER), now_ns)
        keeper.recover(now_ns)
    return Shared(
        around=around,
        channels=channels,
        events=events,
        keeper=keeper,
        plan=uploaded_plan(around, now_ns),
        status=status,
        wishes=Latest(),
        counts=InferenceCounts(),
        sequence=SequenceCounts(),
        health=health_watch(channels, events, hearts, lambda: around.store.beats, now_ns),
        hearts=hearts,
        queues=QueueBoard(channels),
        utc=around.utc or UtcKeeper(),
        boot=boot_keeper(around, status, channels, events, now_ns),
        deck=model_deck(around, events),
    )


def _telemetry_service(shared: Shared, recorder: Recorder) -> TelemetryService:
    return TelemetryService(
        channels=shared.channels,
        events=shared.events,
        parameters=shared.keeper.table,
        recorder=recorder,
        sequence=shared.sequence,
        queues=shared.queues,
        measure_host=shared.around.measure_host,
        on_report=shared.around.on_report,
    )
