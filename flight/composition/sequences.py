"""The sequences of the node: what can be started, what is under way, and what a reset leaves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flight.commanding.sequence_deck import SequenceDeck
from flight.commanding.sequence_handlers import SequenceHandlers
from flight.commanding.sequence_library import SequenceLibrary
from flight.commanding.sequencer import Sequencer
from flight.downlink.store_values import StoreError
from flight.sequence_file import shipped_sequences
from flight.telemetry.command_table import SequenceStart

if TYPE_CHECKING:
    from flight.commanding.dispatcher import Dispatcher
    from flight.commanding.uplink_service import UplinkService
    from flight.composition.surroundings import Shared

ON_BOARD, UNDER_WAY = "sequences", "sequences.under_way"
"""Names of the state blobs."""


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
