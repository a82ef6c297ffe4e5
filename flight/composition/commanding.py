"""The commanding side of the node: from uplink frames to handlers, and what they may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flight.command_handlers import CommandHandlers
from flight.commanding.arming import Arming
from flight.commanding.authentication import CommandLedger, UplinkAuthenticator
from flight.commanding.dispatcher import Dispatcher
from flight.commanding.load_buffer import LoadBuffer
from flight.commanding.load_handlers import LoadHandlers
from flight.commanding.uplink_service import UplinkService
from flight.downlink.durable_counters import replay_window
from flight.fdir.command_loss import CommandLoss
from flight.start_up import save_parameters
from flight.wish_board import WishBoard

if TYPE_CHECKING:
    from flight.commanding.loadable import Loadable
    from flight.composition.downlink import DownlinkParts
    from flight.composition.surroundings import Shared
    from flight.io.guard_watch import GuardWatch

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CommandParts:
    """What takes commands and what collects the wishes that follow from them."""

    wish_board: WishBoard
    uplink: UplinkService


def command_parts(
    shared: Shared, downlink: DownlinkParts, guard: GuardWatch | None, now_ns: int
) -> CommandParts:
    """Authenticator, dispatcher, handlers and the timer that they feed."""
    around, ledger = shared.around, CommandLedger()
    timeout_ns = int(shared.parameters["command.loss_timeout_s"] * _NS_PER_S)
    command_loss = CommandLoss(timeout_ns, now_ns)
    wish_board = WishBoard(
        out=shared.wishes,
        status=shared.status,
        plan=shared.plan,
        intake=downlink.intake,
        counts=shared.counts,
        command_loss=command_loss,
        parameters=shared.parameters,
        guard=guard,
        laser_w=around.laser_w,
        channels=shared.channels,
        events=shared.events,
    )
    arming = Arming()
    handlers = _handlers(shared, downlink, wish_board, arming)
    loads = LoadHandlers(LoadBuffer(_loadables()), shared.channels, shared.events)
    dispatcher = Dispatcher(
        [*handlers.bindings(), *loads.bindings()],
        ledger,
        replay_window(around.store, "command.id"),
        arming=arming,
    )
    uplink = UplinkService(
        devices=around.devices,
        authenticator=UplinkAuthenticator(downlink.link, ledger),
        dispatcher=dispatcher,
        ledger=ledger,
        command_loss=command_loss,
        status=shared.status,
        sequence=shared.sequence,
        channels=shared.channels,
        events=shared.events,
        on_answer=around.on_answer,
    )
    return CommandParts(wish_board, uplink)


def _loadables() -> tuple[Loadable, ...]:
    """Every kind of set that can be replaced in flight."""
    return ()


def _handlers(
    shared: Shared, downlink: DownlinkParts, wish_board: WishBoard, arming: Arming
) -> CommandHandlers:
    store, parameters, events = shared.around.store, shared.parameters, shared.events
    return CommandHandlers(
        wishes=wish_board,
        parameters=parameters,
        save_parameters=partial(save_parameters, store, parameters, events),
        queue=downlink.queue,
        intake=downlink.intake,
        arming=arming,
        events=events,
    )
