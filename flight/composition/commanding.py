"""The commanding side of the node: from uplink frames to handlers, and what they may ask for.

The sequences of the node with it: what can be started, what is under way, what a reset leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flight.boot_keeper import boot_bindings
from flight.command_handlers import CommandHandlers, KeepOutHandlers
from flight.commanding.arming import Arming
from flight.commanding.authentication import CommandLedger, UplinkAuthenticator
from flight.commanding.dispatcher import Dispatcher
from flight.commanding.load_buffer import LoadBuffer
from flight.commanding.load_handlers import LoadHandlers
from flight.commanding.sequence_deck import SequenceDeck
from flight.commanding.sequence_handlers import SequenceHandlers
from flight.commanding.sequence_library import SequenceLibrary
from flight.commanding.sequencer import Sequencer
from flight.commanding.uplink_service import UplinkService
from flight.composition.downlink import cut_plan, zero_of
from flight.downlink.durable_counters import identity_window
from flight.downlink.store_values import StoreError
from flight.fdir.command_loss import CommandLoss
from flight.sequence_file import shipped_sequences
from flight.telemetry.command_table import SequenceStart
from flight.telemetry_handlers import TelemetryHandlers
from flight.wire.product_packet import Producer, ProductClass
from flight.wish_board import WishBoard

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.channels import Bounded
    from flight.commanding.loadable import Dumped, Loadable
    from flight.composition.downlink import DownlinkParts
    from flight.composition.fdir import FdirParts
    from flight.composition.surroundings import Shared
    from flight.io.guard_watch import GuardWatch
    from flight.telemetry.definitions import Report

_NS_PER_S, _NS_PER_MS = 1_000_000_000, 1_000_000
DUMP_VALUE_MILLIS = 5_000
"""Ten times that of recorded telemetry: the ground has asked for it and waits."""
ON_BOARD, UNDER_WAY, KEEP_OUTS = "sequences", "sequences.under_way", "plan.keep_outs"
"""Names of the state blobs."""


@dataclass(frozen=True, slots=True)
class CommandParts:
    """What takes commands, what runs them in sequence, what collects the wishes that follow.

    `recover` is called once, when the start has been told.
    """

    wish_board: WishBoard
    uplink: UplinkService
    sequencer: Sequencer
    recover: Callable[[int], None]


def command_parts(  # noqa: PLR0913, PLR0917  what the rooms around it give
    shared: Shared,
    downlink: DownlinkParts,
    fdir: FdirParts,
    requests: Bounded[Report],
    guard: GuardWatch | None,
    now_ns: int,
) -> CommandParts:
    """Authenticator, dispatcher, handlers and the timer that they feed.

    Telemetry looks in `requests` for reports to make.
    """
    around, ledger = shared.around, CommandLedger()
    timeout_s = shared.keeper.table["command.loss_timeout_s"]
    command_loss = CommandLoss(int(timeout_s * _NS_PER_S), now_ns)
    wish_board = _wish_board(shared, downlink, guard, command_loss)
    sequences = sequence_parts(shared)
    telemetry = TelemetryHandlers(requests, shared.events, around.store.store_state)
    loadables: list[Loadable] = [sequences.library, shared.keeper, fdir.load, *shared.decks]
    rows = [
        *_handlers(shared, downlink, wish_board, arming := Arming()).bindings(),
        *LoadHandlers(
            LoadBuffer(loadables),
            shared.channels,
            shared.events,
            partial(_down, shared, downlink, {}),
        ).bindings(),
        *sequences.handlers.bindings(),
        *telemetry.bindings(),
        *fdir.handlers.bindings(),
        *boot_bindings(shared.boot),
        *_keep_outs(shared, now_ns).bindings(),
    ]
    dispatcher = Dispatcher(
        rows, ledger, identity_window(around.store, "command.id"), arming=arming
    )
    uplink = _uplink(shared, downlink, dispatcher, ledger, command_loss)
    shared.queues.add(wish_board.mode_requests, *uplink.queues)
    return CommandParts(
        wish_board,
        uplink,
        sequencer(shared, sequences, dispatcher, uplink),
        partial(recover_sequences, shared, sequences, dispatcher),
    )


def _down(
    shared: Shared, downlink: DownlinkParts, last: dict[str, int], dumped: Dumped, now_ns: int
) -> bool:
    """A set in force on its way to the ground: as a product, and to whoever listens.

    It takes the place of an older dump of its kind that the ground does not have yet; `last` keeps
    one id a kind.
    """
    if shared.around.on_dump is not None:
        shared.around.on_dump(dumped, now_ns)
    product_id = downlink.intake.submit(
        name=f"load-{dumped.kind}-{now_ns // _NS_PER_MS:012d}ms.bin",
        klass=ProductClass.TELEMETRY,
        producer=Producer.COMMANDING,
        payload=dumped.data,
        value_millis=DUMP_VALUE_MILLIS,
        deadline_ns=None,
        now_ns=now_ns,
        supersedes=last.get(dumped.kind),
    )
    if product_id is not None:
        last[dumped.kind] = product_id
    return product_id is not None


def _uplink(
    shared: Shared,
    downlink: DownlinkParts,
    dispatcher: Dispatcher,
    ledger: CommandLedger,
    command_loss: CommandLoss,
) -> UplinkService:
    around = shared.around
    return UplinkService(
        devices=around.devices,
        authenticator=UplinkAuthenticator(downlink.link, ledger),
        dispatcher=dispatcher,
        ledger=ledger,
        command_loss=command_loss,
        status=shared.status,
        sequence=shared.sequence,
        channels=shared.channels,
        events=shared.events,
        store=around.store,
        on_answer=around.on_answer,
        hurry=(lambda: None) if around.arrivals is None else around.arrivals.wake,
    )


def _wish_board(
    shared: Shared, downlink: DownlinkParts, guard: GuardWatch | None, command_loss: CommandLoss
) -> WishBoard:
    board = WishBoard(
        out=shared.wishes,
        status=shared.status,
        plan=shared.plan,
        intake=downlink.intake,
        counts=shared.counts,
        command_loss=command_loss,
        parameters=shared.keeper.table,
        guard=guard,
        laser_w=shared.around.laser_w,
        channels=shared.channels,
        events=shared.events,
    )
    board.boot_failed = shared.around.on_defaults
    return board


def _handlers(
    shared: Shared, downlink: DownlinkParts, wish_board: WishBoard, arming: Arming
) -> CommandHandlers:
    return CommandHandlers(
        wishes=wish_board,
        parameters=shared.keeper.table,
        save_parameters=shared.keeper.save,
        queue=downlink.queue,
        intake=downlink.intake,
        arming=arming,
        events=shared.events,
    )


def _keep_outs(shared: Shared, now_ns: int) -> KeepOutHandlers:
    """Times without light; what the ground has said of them holds from the start on."""
    around, zero_ns = shared.around, zero_of(shared.around, now_ns)
    handlers = KeepOutHandlers(
        configured=around.config.keep_outs,
        apply=cut_plan(around, shared.plan, zero_ns),
        keep=partial(_keep, shared, KEEP_OUTS),
        utc_s=lambda at_ns: (at_ns - zero_ns) / _NS_PER_S,
        channels=shared.channels,
        events=shared.events,
    )
    kept = around.store.load_state(KEEP_OUTS)
    if kept is not None and not handlers.restore(kept, on_defaults=around.on_defaults):
        shared.events.emit(
            "KEEP_OUTS_REFUSED", now_ns, peer=0, reason="those that were kept are damaged"
        )
    return handlers


@dataclass(frozen=True, slots=True)
class SequenceParts:
    """What keeps sequences and what commands may ask of them."""

    library: SequenceLibrary
    deck: SequenceDeck
    handlers: SequenceHandlers


def sequence_parts(shared: Shared) -> SequenceParts:
    """Library and deck, empty but for what is shipped."""
    deck = SequenceDeck(partial(_keep, shared, UNDER_WAY), shared.events)
    library = SequenceLibrary(
        shipped_sequences(), partial(_keep, shared, ON_BOARD), deck.runs.__contains__
    )
    return SequenceParts(library, deck, SequenceHandlers(deck, library))


def sequencer(
    shared: Shared, parts: SequenceParts, dispatcher: Dispatcher, uplink: UplinkService
) -> Sequencer:
    """The component that has the steps done."""
    return Sequencer(
        deck=parts.deck,
        library=parts.library,
        store=shared.around.store,
        execute=dispatcher.execute,
        finish=uplink.finish,
        status=shared.status,
        channels=shared.channels,
        events=shared.events,
    )


def recover_sequences(
    shared: Shared, parts: SequenceParts, dispatcher: Dispatcher, now_ns: int
) -> None:
    """After a start: the uploaded ones are on board, those that ran go on."""
    store = shared.around.store
    on_board, under_way = store.load_state(ON_BOARD), store.load_state(UNDER_WAY)
    if on_board is not None and not parts.library.restore(on_board):
        shared.events.emit(
            "LOAD_REFUSED", now_ns, kind="sequence", what="found whole", reason="damaged"
        )
    if under_way is not None:
        for ticket in parts.deck.restore(under_way, parts.library.get, now_ns):
            dispatcher.adopt(ticket, SequenceStart)


def _keep(shared: Shared, name: str, words: bytes) -> bool:
    try:
        shared.around.store.store_state(name, words)
    except StoreError as error:
        now_ns = shared.around.clock.now_ns()
        shared.events.emit("STORE_FAILED", now_ns, kind=error.kind.name)
        return False
    return True
