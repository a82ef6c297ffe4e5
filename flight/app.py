"""The composition root: the only place that makes queues, devices, components and tasks.

Everything the node consists of is made and connected here, once, from what its surroundings give
(a board or a bench). Nothing else constructs or looks up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from flight import __version__
from flight.base.channels import Latest
from flight.base.hysteresis import Hysteresis
from flight.base.rate_group import RateGroup, RateGroupRunner
from flight.base.supervisor import ChildSpec, SupervisionEvent, SupervisionKind, Supervisor
from flight.command_handlers import CommandHandlers
from flight.commanding.authentication import CommandLedger, UplinkAuthenticator
from flight.commanding.dispatcher import Dispatcher
from flight.commanding.parameters import ParameterTable
from flight.commanding.uplink_service import UplinkService
from flight.cycle_telemetry import CycleTelemetry
from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.contact_session import ContactSession
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.downlink_service import DownlinkService
from flight.downlink.frame_filler import FrameFiller, manifest_overhead
from flight.downlink.pass_plan import Contact, ContactKind, PassPlan
from flight.downlink.product_intake import ProductIntake
from flight.downlink.queue_values import QueueConfig
from flight.downlink.settlement import Settlement
from flight.executive import Executive, ExecutiveParts
from flight.fdir.command_loss import CommandLoss
from flight.fdir.safety_net import SafetyNet
from flight.fdir.safety_tables import node_limits
from flight.inference.inference_service import ImagingPlan, InferenceCounts, InferenceService
from flight.inference.result_products import DraftKind, ValueTable
from flight.io.acquisition import Acquisition
from flight.io.actuation import Actuation
from flight.keys import Half
from flight.modes.mode_table import ModeMachine
from flight.power.energy_estimate import EnergyEstimator
from flight.power.orbit_forecast import MeanElements, OrbitForecast
from flight.power.state_of_charge import BatteryData, SocEstimator
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.dictionary import RESET_LABELS
from flight.telemetry.event_log import Event, EventLog
from flight.telemetry.recorder import Recorder
from flight.telemetry.telemetry_service import TelemetryService
from flight.thermal.governor import FullPower, Governor
from flight.thermal.thermal_estimate import ThermalEstimator
from flight.wire.counter_reserve import CounterReserve
from flight.wire.replay_window import ReplayWindow
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import SequenceCounts
from flight.wire.transfer_frame import VirtualChannel
from flight.wish_board import WishBoard

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.clock import Clock
    from flight.config import NodeConfig
    from flight.downlink.product_store_sqlite import ProductStore
    from flight.inference.frame_source import FrameSource
    from flight.inference.job import InferenceEngine
    from flight.keys import LinkKeys
    from flight.node_status import NodeStatus, Wishes
    from flight.thermal.board_profile import BoardProfile
    from hal.protocols import NodeDevices

_NS_PER_S = 1_000_000_000
EVENT_QUEUE = 1_024
HEATER_ON_C, HEATER_OFF_C = 5.0, 8.0
"""Battery heater band: charging below 0 degC is forbidden by the cell's data sheet."""
PARAMETER_STATE = "parameters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a board or a bench gives the node.

    Attributes:
        utc_s: Unix seconds at `clock.now_ns()`, for the contact plan; a label elsewhere.
        threshold: of the model in use, from its manifest.
        measure_host: fills the channels measured on the machine, or `None`.
        listener: told every event that passes the throttle, or `None`.
        laser_w: what the terminal draws with its laser on, for the energy set aside.
    """

    clock: Clock
    utc_s: float
    devices: NodeDevices
    engine: InferenceEngine
    frames: FrameSource
    store: ProductStore
    keys: LinkKeys
    config: NodeConfig
    profile: BoardProfile
    threshold: float
    measure_host: Callable[[list[float]], None] | None = None
    listener: Callable[[Event], None] | None = None
    laser_w: float = 22.0


class Node:
    """A composed node; `serve` runs it until cancelled.

    Attributes:
        channels, events, counts: read by telemetry and by an in-process bench.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        now_ns = around.clock.now_ns()
        self.channels = ChannelValues()
        self.events = EventLog(EVENT_QUEUE, around.listener)
        self.counts = InferenceCounts()
        self._status: Latest[NodeStatus] = Latest()
        self._wishes: Latest[Wishes] = Latest()
        self._sequence = SequenceCounts()
        self._parameters = self._load_parameters()
        self._plan = PassPlan(self._uploaded_contacts(now_ns))
        self._make_downlink()
        self._make_commanding(now_ns)
        self._make_telemetry()
        self.executive = self._make_executive(now_ns)
        self._restarts = self.channels.index("system.restarts")

    async def serve(self) -> None:
        """Runs every component and service; returns only by exception or cancellation."""
        around = self._around
        self._boot(around.clock.now_ns())
        main = RateGroup(
            "main",
            _NS_PER_S,
            (self._wish_board, self.executive, self._intake, self._telemetry),
        )
        children = (
            ChildSpec(name="main", factory=lambda: RateGroupRunner(around.clock, (main,)),
                      critical=True),
            ChildSpec(name="downlink", factory=self._downlink_service, critical=True),
            ChildSpec(name="inference", factory=self._inference_service),
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

    def close(self) -> None:
        """Gives engine, store and devices back; what was not committed is not durable."""
        self._around.engine.close()
        self._around.store.close()

    def _boot(self, now_ns: int) -> None:
        recovered = self._around.store.recover()
        products = [each.product for each in recovered]
        self._intake.recover(recovered, now_ns)
        frame = self._around.devices.snapshot()
        values = self.channels.values
        values[self.channels.index("mode.reset_cause")] = frame.reset_cause
        values[self.channels.index("mode.boot_count")] = frame.boot_count
        self.events.emit(
            "BOOTED",
            now_ns,
            boot_count=frame.boot_count,
            cause=RESET_LABELS[frame.reset_cause],
            version=__version__,
        )
        if products:
            self.events.emit(
                "STORE_RECOVERED",
                now_ns,
                products=len(products),
                bytes=sum(product.size_bytes for product in products),
                torn=self._around.store.counters.records_damaged,
            )

    def _uploaded_contacts(self, now_ns: int) -> list[Contact]:
        """The contact plan, from UTC labels to mission time."""
        zero_ns = now_ns - round(self._around.utc_s * _NS_PER_S)
        return [
            Contact(
                contact_id=each.contact_id,
                peer_id=each.peer_id,
                kind=ContactKind[each.kind],
                start_ns=zero_ns + round(each.start_utc_s * _NS_PER_S),
                end_ns=zero_ns + round(each.end_utc_s * _NS_PER_S),
                rate_bps=each.rate_bps,
                authorised=each.authorised,
            )
            for each in self._around.config.contacts
        ]

    def _load_parameters(self) -> ParameterTable:
        """Configuration, and on top of it what the ground set before the last reset."""
        table = ParameterTable(self._around.config.parameters)
        blob = self._around.store.load_state(PARAMETER_STATE)
        if blob is not None:
            for name, value in msgspec.msgpack.decode(blob, type=dict[str, float]).items():
                table.set(name, value)
        return table

    def _save_parameters(self) -> None:
        blob = msgspec.msgpack.encode(self._parameters.differing())
        self._around.store.store_state(PARAMETER_STATE, blob)

    def _counter(self, name: str) -> CounterReserve:
        store = self._around.store
        return CounterReserve(
            load=lambda: store.load_counter(name),
            store=lambda value: store.store_counter(name, value),
        )

    def _make_downlink(self) -> None:
        around, link = self._around, self._around.config.link
        self._link = SecureLink(
            scid=link.spacecraft_id,
            sends=around.keys.sends(Half.NODE),
            receives=[around.keys.receives(Half.NODE)],
            counters=self._counter("link.iv"),
            frame_bytes_max=link.frame_bytes,
            window=self._window("link.uplink", store_every=64),
        )
        self.queue = DownlinkQueue(
            QueueConfig(budget_bytes=link.queue_bytes, products_max=link.queue_products),
            first_overhead_bytes=manifest_overhead,
        )
        self.arq = ArqSender(VirtualChannel.PRODUCTS, ArqConfig(window_frames=link.window_frames))
        self._intake = ProductIntake(
            store=around.store,
            queue=self.queue,
            arq=self.arq,
            ids=self._counter("product.id"),
            config=around.config.store,
            channels=self.channels,
            events=self.events,
        )
        self._settlement = Settlement(self.arq, self.queue, self._intake, self.events)

    def _window(self, name: str, store_every: int = 1) -> ReplayWindow:
        store = self._around.store
        return ReplayWindow(
            load=lambda: store.load_counter(name),
            store=lambda value: store.store_counter(name, value),
            store_every=store_every,
        )

    def _make_commanding(self, now_ns: int) -> None:
        around = self._around
        timeout_ns = int(self._parameters["command.loss_timeout_s"] * _NS_PER_S)
        command_loss = CommandLoss(timeout_ns, now_ns)
        self._wish_board = WishBoard(
            out=self._wishes,
            status=self._status,
            plan=self._plan,
            intake=self._intake,
            counts=self.counts,
            command_loss=command_loss,
            parameters=self._parameters,
            laser_w=around.laser_w,
            channels=self.channels,
            events=self.events,
        )
        handlers = CommandHandlers(
            wishes=self._wish_board,
            parameters=self._parameters,
            save_parameters=self._save_parameters,
            queue=self.queue,
            intake=self._intake,
            events=self.events,
        )
        ledger = CommandLedger()
        self._uplink = UplinkService(
            devices=around.devices,
            authenticator=UplinkAuthenticator(self._link, ledger),
            dispatcher=Dispatcher(handlers.bindings(), ledger, self._window("command.id")),
            ledger=ledger,
            command_loss=command_loss,
            status=self._status,
            sequence=self._sequence,
            channels=self.channels,
            events=self.events,
        )

    def _make_telemetry(self) -> None:
        self._telemetry = TelemetryService(
            channels=self.channels,
            events=self.events,
            parameters=self._parameters,
            recorder=Recorder(self._intake),
            sequence=self._sequence,
            measure_host=self._around.measure_host,
        )

    def _make_executive(self, now_ns: int) -> Executive:
        around, parameters, profile = self._around, self._parameters, self._around.profile
        config = around.config
        battery = BatteryData(
            capacity_as=config.battery.cell_capacity_ah * 3600.0 * config.battery.parallel,
            series=config.battery.series,
            resistance_ohm=config.battery.cell_resistance_ohm
            * config.battery.series
            / config.battery.parallel,
            ocv_soc=config.battery.ocv_soc,
            ocv_v=config.battery.ocv_v,
        )
        orbit = config.orbit
        forecast = (
            None if orbit is None else OrbitForecast(MeanElements(**msgspec.structs.asdict(orbit)))
        )
        energy = EnergyEstimator(
            SocEstimator(battery), battery, forecast, array_w=60.0, base_w=12.0
        )
        modes = ModeMachine(now_ns)
        telemetry = CycleTelemetry(self.channels, self.events, modes, energy)
        guarded = config.inference.governor == "guard"
        parts = ExecutiveParts(
            acquisition=Acquisition(around.devices, self.channels, self.events),
            energy=energy,
            thermal=ThermalEstimator(),
            safety=SafetyNet(
                node_limits(
                    die_limit_c=profile.die_limit_c,
                    soc_safe=parameters["power.soc_safe"],
                    soc_floor=parameters["power.soc_floor"],
                ),
                self.channels,
                self.events,
                now_ns,
            ),
            battery_band=Hysteresis(
                parameters["power.soc_floor"] + 0.01, parameters["power.soc_resume"], 2
            ),
            heater_band=Hysteresis(HEATER_ON_C, HEATER_OFF_C, 3),
            modes=modes,
            governor=Governor(profile) if guarded else FullPower(profile),
            actuation=Actuation(around.devices, self.channels, self.events),
            telemetry=telemetry,
            parameters=parameters,
            status=self._status,
        )
        return Executive(parts, self._wishes)

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
            status=self._status,
            delivered=lambda: self._intake.delivered_total,
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
            uplink=self._uplink,
            settlement=self._settlement,
            telemetry=self._telemetry,
            sequence=self._sequence,
            channels=self.channels,
        )

    def _inference_service(self) -> InferenceService:
        config = self._around.config
        values, camera = config.values, config.camera
        plan = ImagingPlan(
            model_name=config.inference.model,
            variant=config.inference.variant,
            threshold=self._around.threshold,
            frame_deadline_ns=int(camera.deadline_s * _NS_PER_S),
            backlog_frames=camera.backlog_frames,
            values=ValueTable(
                mask_land_millis=round(values.mask_land * 1000),
                mask_sea_millis=round(values.mask_sea * 1000),
                quicklook_land_millis=round(values.quicklook_land * 1000),
                quicklook_sea_millis=round(values.quicklook_sea * 1000),
                quicklook_cloud_permille_max=round(values.quicklook_cloud_max * 1000),
            ),
            deadlines_ns={
                DraftKind.MASK: int(values.mask_deadline_s * _NS_PER_S),
                DraftKind.QUICKLOOK: int(values.quicklook_deadline_s * _NS_PER_S),
            },
        )
        return InferenceService(
            clock=self._around.clock,
            frames=self._around.frames,
            engine=self._around.engine,
            plan=plan,
            intake=self._intake,
            status=self._status,
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
