"""Loads by command: what is done is told, what is refused says why, and both are in telemetry."""

import pytest
from test_load_buffer import VERSION, Words

from flight.commanding.dispatcher import COMPLETED, failed
from flight.commanding.load_buffer import LoadBuffer, LoadState
from flight.commanding.load_handlers import LoadHandlers
from flight.commanding.loadable import Dumped
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.command_table import (
    LoadActivate,
    LoadBegin,
    LoadDiscard,
    LoadDump,
    LoadPart,
    LoadRollBack,
    LoadValidate,
)
from flight.telemetry.event_log import EventLog
from flight.wire.crc import crc32c
from flight.wire.telecommand import CommandReason

DATA = b"second"


class Room:
    def __init__(self):
        self.told, self.words, self.channels = [], Words(), ChannelValues()
        self.down, self.is_full = [], False
        handlers = LoadHandlers(
            LoadBuffer([self.words]),
            self.channels,
            EventLog(100, self.told.append),
            self.send_down,
        )
        self.handlers = {row.command_type: row.handler for row in handlers.bindings()}

    def send_down(self, dumped, _now_ns):
        if not self.is_full:
            self.down.append(dumped)
        return not self.is_full

    def command(self, command):
        return self.handlers[type(command)](command, 0)

    def load(self, data=DATA, crc=None):
        crc = crc32c(data) if crc is None else crc
        assert self.command(LoadBegin("words", len(data), crc, VERSION)) == COMPLETED
        assert self.command(LoadPart(0, data)) == COMPLETED

    def last(self):
        return self.told[-1].name, self.told[-1].text


def test_a_good_load_is_told_when_it_is_found_good_and_when_it_counts():
    room = Room()
    room.load()
    assert room.channels.get("load.state") == LoadState.LOADING
    assert room.channels.get("load.bytes") == room.channels.get("load.size_bytes") == len(DATA)
    assert room.command(LoadValidate()) == COMPLETED
    assert room.last() == ("LOAD_VALIDATED", "load words of 6 B validated")
    assert room.command(LoadActivate()) == COMPLETED
    assert room.last() == ("LOAD_CHANGED", "load words activated")
    assert room.words.now == DATA
    assert room.channels.get("load.activated_total") == 1
    assert room.command(LoadRollBack("words")) == COMPLETED
    assert room.last() == ("LOAD_CHANGED", "load words rolled back")
    assert room.words.now == b"first"


def incomplete(room):
    room.command(LoadBegin("words", 9, 0, VERSION))
    return room.command(LoadValidate())


def damaged(room):
    room.load(crc=1)
    return room.command(LoadValidate())


def unreadable(room):
    room.load(b"bad")
    return room.command(LoadValidate())


def not_durable(room):
    room.load()
    room.command(LoadValidate())
    room.words.store_fails = True
    return room.command(LoadActivate())


R = CommandReason


@pytest.mark.parametrize(
    ("attempt", "reason", "said"),
    [
        (incomplete, R.INCOMPLETE, "load words not validated: incomplete"),
        (damaged, R.BAD_CHECKSUM, "load words not validated: bad_checksum"),
        (unreadable, R.UNREADABLE, "load words not validated: unreadable"),
        (not_durable, R.NOT_DURABLE, "load words not activated: not_durable"),
        (lambda room: room.command(LoadBegin("words", 6, 0, VERSION + 1)), R.WRONG_VERSION,
         "load words not begun: wrong_version"),
        (lambda room: room.command(LoadPart(0, b"x")), R.NOT_FOUND,
         "load  not taken in: not_found"),
        (lambda room: room.command(LoadRollBack("verbs")), R.NOT_FOUND,
         "load verbs not rolled back: not_found"),
    ],
)  # fmt: skip
def test_torn_damaged_or_of_another_version_the_old_set_stays_and_the_event_says_why(
    attempt, reason, said
):
    room = Room()
    assert attempt(room) == failed(reason)
    assert room.words.now == b"first"
    assert room.last() == ("LOAD_REFUSED", said)
    assert room.channels.get("load.refused_total") == 1
    assert room.channels.get("load.activated_total") == 0


def test_a_load_given_up_leaves_an_empty_buffer():
    room = Room()
    room.load()
    assert room.command(LoadDiscard()) == COMPLETED
    assert room.channels.get("load.state") == LoadState.EMPTY
    assert room.channels.get("load.bytes") == 0


def test_a_set_in_force_goes_down_whole_and_its_sum_is_told():
    room = Room()
    assert room.command(LoadDump("words")) == COMPLETED
    assert room.down == [Dumped("words", VERSION, b"first")]
    crc = f"{crc32c(b'first'):08x}"
    assert room.last() == ("LOAD_DUMPED", f"load words on its way down: 5 B, CRC-32C {crc}")


def test_a_set_that_is_not_there_or_finds_no_room_is_refused_with_the_reason():
    room = Room()
    assert room.command(LoadDump("songs")) == failed(CommandReason.NOT_FOUND)
    room.words.now = b""
    assert room.command(LoadDump("words")) == failed(CommandReason.NOT_FOUND)
    room.words.now, room.is_full = b"first", True
    assert room.command(LoadDump("words")) == failed(CommandReason.NOT_DURABLE)
    assert room.last() == ("LOAD_REFUSED", "load words not dumped: not_durable")
    assert room.channels.get("load.refused_total") == 3
    assert room.down == []
