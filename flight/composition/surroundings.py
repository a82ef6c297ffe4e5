"""What a board or a bench gives the node, and what all parts of the node share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.app import Node
    from flight.base.channels import Latest
    from flight.base.clock import Clock
    from flight.base.supervisor import ChildSpec
    from flight.base.utc_keeper import UtcKeeper
    from flight.board_arrivals import FrameArrivals
    from flight.board_tick import BoardTick
    from flight.boot_keeper import BootKeeper, BootStart
    from flight.commanding.dispatcher import Dispatched
    from flight.commanding.loadable import Dumped
    from flight.commanding.parameter_keeper import ParameterKeeper
    from flight.composition.fdir import Hearts
    from flight.config import NodeConfig
    from flight.downlink.pass_plan import PassPlan
    from flight.downlink.product_store_sqlite import ProductStore
    from flight.executive import GovernorLike
    from flight.fdir.health_watch import HealthWatch
    from flight.inference.frame_source import FrameSource
    from flight.inference.inference_telemetry import InferenceCounts
    from flight.inference.job import InferenceEngine
    from flight.inference.model_deck import ModelDeck
    from flight.inference.model_manifest import ModelBytes
    from flight.inference.model_store import ModelStore
    from flight.keys import LinkKeys
    from flight.node_status import NodeStatus, Wishes
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import Event, EventLog
    from flight.telemetry.queue_board import QueueBoard
    from flight.thermal.board_profile import BoardProfile
    from flight.wire.parameter_report import ReportedParameter
    from flight.wire.space_packet import SequenceCounts
    from hal.protocols import FrameModem, NodeDevices


def alone(_node: Node) -> Sequence[ChildSpec]:
    """No companions."""
    return ()


def held() -> bool:
    """A bench's clock is the truth."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The networks of a node.

    Attributes:
        crew: every one that the engine holds at the start, the one that flies first.
        store: where models that come up are kept; none are taken without.
        key: with which the node knows its ground's signature of a model.
        fault: why the configured networks cannot be used, in one line; "" where they can.
    """

    crew: tuple[ModelBytes, ...] = ()
    store: ModelStore | None = None
    key: bytes = b""
    fault: str = ""


NO_MODELS = Models()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a board or a bench gives the node.

    Attributes:
        utc_s: Unix seconds at `clock.now_ns()`, for the contact plan; a label elsewhere.
        measure_host: fills the channels measured on the machine, or `None`.
        listener: told every event that passes the throttle, or `None`.
        on_answer: told what became of each command, and when, or `None`.
        on_report: told each report of parameters, and when, or `None`.
        on_dump: told each set in force that was asked for, and when, or `None`.
        companions: services of this board beside the node's own, made once the node is.
        laser_w: what the terminal draws with its laser on, for the energy set aside.
        governor: sets the payload's level in place of the configured one; `None` for that.
        utc: the correlation that the surroundings use as well; one of the node's own without.
        utc_locked: whether a time source holds the clock that the sensors show.
        boot: what the boot record told and who keeps it; `None` where nothing outlives the node.
        radio: a radio modem beside the laser terminal, where there is one.
        models: what the engine holds at the start, and how others come to it.
        arrivals: of a board whose terminal says that a frame has come; `None` where one looks.
        tick: of a board, which drives the rate groups and guards them; `None` where time is only
            `clock`'s.
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
    measure_host: Callable[[list[float]], None] | None = None
    listener: Callable[[Event], None] | None = None
    on_answer: Callable[[Dispatched, int], None] | None = None
    on_report: Callable[[Sequence[ReportedParameter], int], None] | None = None
    on_dump: Callable[[Dumped, int], None] | None = None
    companions: Callable[[Node], Sequence[ChildSpec]] = alone
    laser_w: float = 22.0
    governor: GovernorLike | None = None
    tick: BoardTick | None = None
    arrivals: FrameArrivals | None = None
    utc: UtcKeeper | None = None
    utc_locked: Callable[[], bool] = held
    boot: BootStart | None = None
    radio: FrameModem | None = None
    models: Models = NO_MODELS

    @property
    def on_defaults(self) -> bool:
        """A boot loop: nothing that an earlier run stored may decide how this one starts."""
        return self.boot is not None and self.boot.record.looping


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the parts of one node have in common."""

    around: Surroundings
    channels: ChannelValues
    events: EventLog
    keeper: ParameterKeeper
    plan: PassPlan
    status: Latest[NodeStatus]
    wishes: Latest[Wishes]
    counts: InferenceCounts
    sequence: SequenceCounts
    boot: BootKeeper | None
    health: HealthWatch
    hearts: Hearts
    queues: QueueBoard
    utc: UtcKeeper
    deck: ModelDeck | None

    @property
    def decks(self) -> tuple[ModelDeck, ...]:
        """The deck where there is one: a kind of load like any other."""
        return () if self.deck is None else (self.deck,)
