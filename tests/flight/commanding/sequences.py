"""Sequences, and a node's worth of what runs them, for the tests of this folder."""

import msgspec

from flight.base.channels import Latest
from flight.commanding.dispatcher import COMPLETED, Source, failed
from flight.commanding.sequence import Sequence, Step, encode_sequence
from flight.commanding.sequence_deck import SequenceDeck
from flight.commanding.sequence_library import SequenceLibrary, Stored
from flight.commanding.sequencer import Sequencer
from flight.node_status import NodeStatus
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.command_table import DeleteProduct, NoOp
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.telemetry.event_log import EventLog
from flight.wire.crc import crc32c
from flight.wire.telecommand import CommandReason

S = 1_000_000_000
EPOCH_S = 1_782_000_000
"""UTC of mission time 0."""


def after(seconds, number=1, **more):
    """A step that deletes product `number`: a command one can recognise."""
    return Step(DeleteProduct(number), round(seconds * 1000), **more)


def at(second, number=1, **more):
    """The same at an instant, in seconds after the epoch."""
    return Step(DeleteProduct(number), 0, round((EPOCH_S + second) * 1000), **more)


def sequence(*steps, name="plan", **more):
    return Sequence(name, 1, steps or (Step(NoOp()),), **more)


def stored(given):
    return Stored(given, crc32c(encode_sequence(given)))


class Flash:
    """Durable words with a switch; what is written while it is off is lost.

    With `late` words are durable when `catch_up` says so, as where a thread does the writing.
    """

    def __init__(self):
        self.words, self.fails, self.writes = {}, False, 0
        self.mark = self.durable_mark = 0
        self.closed = self.late = False
        self.under_way = {}

    def keep(self, name):
        def put(words):
            self.writes += 1
            if not self.fails:
                self.mark += 1
                self.under_way[name] = words
                if not self.late:
                    self.catch_up()
            return not self.fails

        return put

    def catch_up(self):
        self.words |= self.under_way
        self.durable_mark = self.mark


class Node:
    """Library, deck and sequencer as the root composes them; `done` is the world.

    `reset` throws the memory away and starts again from the flash, as a power cut does.
    """

    def __init__(self, *shipped, flash=None):
        self.flash, self.shipped = flash or Flash(), shipped
        self.done, self.told, self.answers, self.refuse = [], [], [], set()
        self.utc_s, self.mode, self.now_ns = float(EPOCH_S), Mode.COMPUTE, 0
        self.cut_before = self.cut_after = None
        self.boot()

    def boot(self):
        self.channels, self.status = ChannelValues(), Latest()
        self.events = EventLog(1_000, self.told.append)
        self.deck = SequenceDeck(self.flash.keep("runs"), self.events)
        self.library = SequenceLibrary(
            self.shipped, self.flash.keep("library"), self.deck.runs.__contains__
        )
        self.sequencer = Sequencer(
            deck=self.deck, library=self.library, store=self.flash, execute=self.execute,
            finish=self.finish, status=self.status, channels=self.channels, events=self.events,
        )  # fmt: skip
        self.adopted = []
        if "library" in self.flash.words:
            assert self.library.restore(self.flash.words["library"])
        if "runs" in self.flash.words:
            words = self.flash.words["runs"]
            self.adopted = self.deck.restore(words, self.library.get, self.now_ns)

    def reset(self, off_s=0):
        self.now_ns += off_s * S
        self.utc_s += off_s
        self.boot()

    def execute(self, command, now_ns, mode, source):
        number = getattr(command, "product_id", 0)
        if self.cut_before == number:
            raise PowerCutError
        if number in self.refuse:
            return failed(CommandReason.NOT_FOUND)
        self.done.append((number, now_ns // S))
        if self.cut_after == number:
            raise PowerCutError
        return COMPLETED

    def finish(self, ticket, now_ns, reason):
        self.answers.append((ticket, reason.name))

    def start(self, name="plan", ticket=7, source=Source.SEQUENCE):
        return self.deck.start(self.library.get(name), source, ticket, self.now_ns)

    def cycle(self, count=1):
        for _ in range(count):
            self.now_ns += S
            self.utc_s += 1
            self.status.set(
                NodeStatus(self.now_ns, self.utc_s, self.mode, 1, ThrottleReason.NONE, True, 0.9),
                self.now_ns,
            )
            self.sequencer.step(self.now_ns)

    def numbers(self):
        return [number for number, _ in self.done]

    def names(self):
        return [event.name for event in self.told]

    def last(self, name):
        return next(event.text for event in reversed(self.told) if event.name == name)


class PowerCutError(BaseException):
    """The node is without power from this instant on."""


def raw_sequence(**changed):
    """The msgpack of a sequence with some of its keys replaced."""
    wire = msgspec.msgpack.decode(encode_sequence(sequence(after(1), after(2))))
    return msgspec.msgpack.encode({**wire, **changed})
