"""The composition root: the only place that makes queues, devices, components and tasks.

Everything the node consists of is made and connected here, once, from what its surroundings give
(a board or a bench). Nothing else constructs or looks up.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flight import __version__
from flight.base.channels import Latest
from flight.base.rate_group import RateGroup, RateGroupRunner
from flight.base.supervisor import ChildSpec, SupervisionEvent, SupervisionKind, Supervisor
from flight.command_handlers import CommandHandlers
from flight.commanding.authentication import CommandLedger, UplinkAuthenticator
from flight.commanding.dispatcher import Dispatcher
from flight.commanding.uplink_service import UplinkService
from flight.composition import (
    executive,
    guard_watch,
    imaging_plan,
    queue_config,
    uploaded_contacts,
)
from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.contact_session import ContactSession
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.downlink_service import DownlinkService
from flight.downlink.durable_counters import counter_reserve, replay_window
from flight.downlink.frame_filler import FrameFiller, manifest_overhead
from flight.downlink.pass_plan import PassPlan
from flight.downlink.product_intake import ProductIntake
from flight.downlink.settlement import Settlement
from flight.fdir.command_loss import CommandLoss
from flight.inference.inference_service import InferenceCounts, InferenceService
from flight.io.safe_state import leave_safe
from flight.keys import Half
from flight.start_up import (
    count_start,
    load_experience,
    load_parameters,
    reset_cause,
    save_experience,
    save_parameters,
)
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.dictionary import RESET_LABELS
from flight.telemetry.event_log import EventLog
from flight.telemetry.recorder import Recorder
from flight.telemetry.telemetry_service import TelemetryService
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import SequenceCounts
from flight.wire.transfer_frame import VirtualChannel
from flight.wish_board import WishBoard

if TYPE_CHECKING:
    from flight.composition import Surroundings
    from flight.node_status import NodeStatus, Wishes

_NS_PER_S = 1_000_000_000
EVENT_QUEUE = 1_024


class Node:
    """A composed node; `serve` runs it until cancelled.

    Attributes:
        channels, events, counts: read by telemetry and by an in-process bench; status,
            parameters, uplink: for the companions that its surroundings give it.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        now_ns = around.clock.now_ns()
        self.channels = ChannelValues()
        self.events = EventLog(EVENT_QUEUE, around.listener)
        self._guard_watch = guard_watch(around, self.channels, self.events)
        self.counts = InferenceCounts()
        self.status: Latest[NodeStatus] = Latest()
        self._wishes: Latest[Wishes] = Latest()
        self._sequence = SequenceCounts()
        # First of all: every counter below starts from what the store remembers, or a nonce of
        # the link would be used twice.
        self._recovered = around.store.recover()
        self.parameters = load_parameters(around.store, around.config.parameters)
        self._plan = PassPlan(uploaded_contacts(around, now_ns))
        load_experience(around.store, self._plan)
        self._make_downlink()
        self._make_commanding(now_ns)
        self._make_telemetry()
        self.executive = executive(
            around, self.channels, self.events, self.parameters, self.status, self._wishes, now_ns
        )
        self._restarts = self.channels.counter("system.restarts")
        self._overruns = self.channels.counter("system.overruns")

    async def serve(self) -> None:
        """Runs every component and service; returns only by exception or cancellation."""
        around = self._around
        self._boot(around.clock.now_ns())
        watch = () if self._guard_watch is None else (self._guard_watch,)
        main = RateGroup(
            "main",
            _NS_PER_S,
            (*watch, self._wish_board, self.executive, self._intake, self._telemetry),
        )
        pace = around.clock if around.tick is None else around.tick.clock
        main.on_overrun = partial(self.channels.values.__setitem__, self._overruns)
        children = (
            ChildSpec(name="main", factory=lambda: RateGroupRunner(pace, (main,)),
                      critical=True),
            ChildSpec(name="downlink", factory=self._downlink_service, critical=True),
            ChildSpec(name="inference", factory=self._inference_service),
            *around.companions(self),
        )  # fmt: skip
        await Supervisor(
            "node",
            around.clock,
            children,
            on_event=self._on_supervision,
            escalate=lambda event: self.events.emit(
                "SERVICE_GIVEN_UP", event.at_ns, name=event.child
            ),
        ).serve()

    def stop(self, cause: str) -> None:
        """Ends a flight in order, once `serve` has ended: told, recorded, committed, made safe."""
        now_ns = self._around.clock.now_ns()
        self.events.finish(now_ns)
        self.events.emit("SHUTDOWN", now_ns, cause=cause)
        for error in leave_safe(self._around.devices):
            self.events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)
        self._telemetry.finish(now_ns)
        self._intake.finish(now_ns)

    def close(self) -> None:
        """Gives engine and store back; what was not committed is not durable."""
        self._around.engine.close()
        self._around.store.close()

    def _boot(self, now_ns: int) -> None:
        recovered, self._recovered = self._recovered, []
        products = [each.product for each in recovered]
        self._intake.recover(recovered, now_ns)
        around = self._around
        starts = count_start(around.store)
        cause = reset_cause(around.devices, self.events, now_ns)
        values = self.channels.values
        values[self.channels.index("mode.boot_count")] = starts
        if cause is not None:
            values[self.channels.index("mode.reset_cause")] = cause
        told = "unknown" if cause is None else RESET_LABELS[cause]
        self.events.emit("BOOTED", now_ns, boot_count=starts, cause=told, version=__version__)
        if products:
            self.events.emit(
                "STORE_RECOVERED",
                now_ns,
                products=len(products),
                bytes=sum(product.size_bytes for product in products),
                torn=self._around.store.counters.records_damaged,
            )

    def _make_downlink(self) -> None:
        around, link = self._around, self._around.config.link
        self._link = SecureLink(
            scid=link.spacecraft_id,
            sends=around.keys.sends(Half.NODE),
            receives=[around.keys.receives(Half.NODE)],
            counters=counter_reserve(around.store, "link.iv"),
            frame_bytes_max=link.frame_bytes,
            window=replay_window(around.store, "link.uplink", store_every=64),
        )
        self.queue = DownlinkQueue(
            queue_config(around.config),
            first_overhead_bytes=manifest_overhead,
        )
        self.arq = ArqSender(VirtualChannel.PRODUCTS, ArqConfig(window_frames=link.window_frames))
        self._intake = ProductIntake(
            store=around.store,
            queue=self.queue,
            arq=self.arq,
            ids=counter_reserve(around.store, "product.id"),
            config=around.config.store,
            channels=self.channels,
            events=self.events,
        )
        self._settlement = Settlement(self.arq, self.queue, self._intake, self.events)

    def _make_commanding(self, now_ns: int) -> None:
        around = self._around
        timeout_ns = int(self.parameters["command.loss_timeout_s"] * _NS_PER_S)
        command_loss = CommandLoss(timeout_ns, now_ns)
        self._wish_board = WishBoard(
            out=self._wishes,
            status=self.status,
            plan=self._plan,
            intake=self._intake,
            counts=self.counts,
            command_loss=command_loss,
            parameters=self.parameters,
            guard=self._guard_watch,
            laser_w=around.laser_w,
            channels=self.channels,
            events=self.events,
        )
        handlers = CommandHandlers(
            wishes=self._wish_board,
            parameters=self.parameters,
            save_parameters=partial(save_parameters, around.store, self.parameters, self.events),
            queue=self.queue,
            intake=self._intake,
            events=self.events,
        )
        ledger = CommandLedger()
        self.uplink = UplinkService(
            devices=around.devices,
            authenticator=UplinkAuthenticator(self._link, ledger),
            dispatcher=Dispatcher(
                handlers.bindings(), ledger, replay_window(around.store, "command.id")
            ),
            ledger=ledger,
            command_loss=command_loss,
            status=self.status,
            sequence=self._sequence,
            channels=self.channels,
            events=self.events,
            on_answer=around.on_answer,
        )

    def _make_telemetry(self) -> None:
        self._telemetry = TelemetryService(
            channels=self.channels,
            events=self.events,
            parameters=self.parameters,
            recorder=Recorder(self._intake),
            sequence=self._sequence,
            measure_host=self._around.measure_host,
        )

    def _downlink_service(self) -> DownlinkService:
        filler = FrameFiller(
            self.queue,
            self.arq,
            self._around.store,
            self._sequence,
            self._link.packets_bytes_max,
        )
        session = ContactSession(
            devices=self._around.devices,
            plan=self._plan,
            names={c.contact_id: c.peer_name for c in self._around.config.contacts},
            queue=self.queue,
            arq=self.arq,
            status=self.status,
            delivered=lambda: self._intake.delivered_total,
            learned=partial(save_experience, self._around.store, self._plan, self.events),
            frame_bytes=self._around.config.link.frame_bytes,
            channels=self.channels,
            events=self.events,
        )
        return DownlinkService(
            clock=self._around.clock,
            devices=self._around.devices,
            session=session,
            link=self._link,
            filler=filler,
            arq=self.arq,
            intake=self._intake,
            uplink=self.uplink,
            settlement=self._settlement,
            telemetry=self._telemetry,
            sequence=self._sequence,
            channels=self.channels,
        )

    def _inference_service(self) -> InferenceService:
        return InferenceService(
            clock=self._around.clock,
            frames=self._around.frames,
            engine=self._around.engine,
            plan=imaging_plan(self._around.config, self._around.threshold),
            intake=self._intake,
            status=self.status,
            channels=self.channels,
            events=self.events,
            counts=self.counts,
        )

    def _on_supervision(self, event: SupervisionEvent) -> None:
        if event.kind is SupervisionKind.FAILED:
            self.events.emit("SERVICE_FAILED", event.at_ns, name=event.child, error=event.error)
        elif event.kind is SupervisionKind.STARTED and event.restarts:
            self.channels.values[self._restarts] = event.restarts
            self.events.emit(
                "SERVICE_RESTARTED", event.at_ns, name=event.child, attempt=event.restarts
            )
