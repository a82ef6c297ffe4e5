"""The whole command path, both ends real, over a link that loses, repeats, reorders and damages."""

from collections import Counter

import msgspec
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.commanding.authentication import CommandLedger, UplinkAuthenticator
from flight.commanding.dispatcher import COMPLETED, MEMORY_IDS, Binding, Dispatcher
from flight.keys import Half, derive_from_seed
from flight.telemetry.command_table import DeleteProduct
from flight.telemetry.definitions import Mode
from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.wire.counter_reserve import CounterReserve
from flight.wire.replay_window import ReplayWindow
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import Apid, SequenceCounts, encode
from flight.wire.telecommand import encode_report
from flight.wire.transfer_frame import VirtualChannel
from hil.ground.ground_link import GroundLink, Received
from hil.ground.operator import Fate, Operator

SCID = 4
KEYS = derive_from_seed(11)
TIMEOUT_NS = 1_000
TRIES_MAX = 6


class Flash:
    """The node's durable words; they survive its resets."""

    def __init__(self) -> None:
        self.words = {"counter": 0, "window": 0, "executed": 0}

    def of(self, word):
        return (lambda: self.words[word]), (lambda value: self.words.__setitem__(word, value))


class Node:
    """The node's end, as the composition root wires it; `done` is the world, not its memory."""

    def __init__(self, flash: Flash, done: list[int], table=COMMAND_BY_TYPE) -> None:
        self.done = done
        self.link = SecureLink(
            scid=SCID,
            sends=KEYS.sends(Half.NODE),
            receives=[KEYS.receives(Half.NODE)],
            counters=CounterReserve(*flash.of("counter"), 16),
            window=ReplayWindow(1_024, *flash.of("window"), store_every=4),
        )
        self.ledger = CommandLedger()
        self.uplink = UplinkAuthenticator(self.link, self.ledger)
        window = ReplayWindow(MEMORY_IDS, *flash.of("executed"))
        bindings = [Binding(kind, self.handle) for kind in COMMAND_BY_TYPE]
        self.dispatcher = Dispatcher(bindings, self.ledger, window, table)
        self.counts = SequenceCounts()

    def handle(self, command, now_ns):
        self.done.append(command.product_id)
        return COMPLETED

    def take(self, frame: bytes, now_ns: int) -> list[bytes]:
        answers = []
        for telecommand in self.uplink.take(frame).telecommands:
            for report in self.dispatcher.dispatch(telecommand, now_ns, Mode.IDLE).reports:
                count = self.counts.take(Apid.VERIFICATION)
                data = encode_report(report)
                packet = encode(Apid.VERIFICATION, count, data, time_ns=now_ns)
                answers.append(self.link.seal(VirtualChannel.TELEMETRY, [packet]).frame)
        return answers


def through(frames: list[bytes], fate: str) -> list[bytes]:
    """What a bad link makes of some frames."""
    match fate:
        case "lost":
            return []
        case "twice":
            return frames + frames
        case "turned":
            return frames[::-1]
        case "hurt":
            return [frame[:20] + bytes([frame[20] ^ 1]) + frame[21:] for frame in frames]
        case _:
            return frames


fates = st.sampled_from(["good", "good", "lost", "twice", "turned", "hurt"])
rounds = st.lists(st.tuples(st.integers(0, 3), fates, fates, st.booleans()), max_size=25)


def fly(history, flash: Flash, healed_rounds: int, table=COMMAND_BY_TYPE, hearings=1):
    operator, done, asked = Operator(timeout_ns=TIMEOUT_NS, tries_max=TRIES_MAX), [], {}
    reserve = CounterReserve(lambda: 0, lambda _: None)
    ground = GroundLink(KEYS, scid=SCID, counters=reserve)
    node = Node(flash, done, table)
    resets = 0
    recorded: list[bytes] = []
    calm = [(0, "good", "good", False)] * healed_rounds
    for now_ns, (new, up, down, reset) in enumerate([*history, *calm]):
        now_ns *= TIMEOUT_NS  # noqa: PLW2901 - one round a time-out
        if reset:
            node = Node(flash, done, table)
            resets += 1
        for _ in range(new):
            product = len(asked) // hearings + 1
            asked[operator.send(DeleteProduct(product), now_ns)] = product
        sent = ground.frames_for(operator.due(now_ns))
        recorded += sent
        for frame in through(sent, up) + recorded[-8:]:  # an eavesdropper repeats what it heard
            for answer in through(node.take(frame, now_ns), down):
                received = ground.on_frame(answer)
                if isinstance(received, Received):
                    for packet in received.packets:
                        operator.on_report(packet.data, now_ns)
        ledger = node.ledger
        assert ledger.received == ledger.accepted + ledger.rejected + ledger.malformed
    return operator, done, asked, resets


@settings(deadline=None, max_examples=examples(60))
@given(rounds)
def test_every_command_is_done_at_most_once_and_completed_means_done(history):
    operator, done, asked, resets = fly(history, Flash(), TRIES_MAX + 2)
    assert max(Counter(done).values(), default=0) <= 1
    assert not operator.pending
    for command_id, product in asked.items():
        fate = operator.fate(command_id).fate
        if fate is Fate.COMPLETED:
            assert product in done
        elif resets == 0:
            assert fate is Fate.GIVEN_UP


class Forgetful(Flash):
    """The control: a node whose flash keeps the link's words, yet not what it has executed."""

    def of(self, word):
        load, store = super().of(word)
        return (load, (lambda _: None)) if word == "executed" else (load, store)


def test_control_without_durable_identities_a_reset_does_a_command_twice():
    history = [(1, "good", "lost", False), (0, "good", "good", True)]
    assert fly(history, Flash(), 0)[1] == [1]
    assert fly(history, Forgetful(), 0)[1] == [1, 1]


DANGEROUS = {
    kind: msgspec.structs.replace(definition, dangerous=True)
    for kind, definition in COMMAND_BY_TYPE.items()
}


@settings(deadline=None, max_examples=examples(60))
@given(rounds)
def test_repeats_of_one_hearing_never_fire_a_dangerous_command(history):
    _, done, _, _ = fly(history, Flash(), TRIES_MAX + 2, DANGEROUS)
    assert done == []


@settings(deadline=None, max_examples=examples(60))
@given(rounds)
def test_a_dangerous_command_heard_under_two_identities_is_done_at_most_once(history):
    _, done, _, _ = fly(history, Flash(), TRIES_MAX + 2, DANGEROUS, hearings=2)
    assert max(Counter(done).values(), default=0) <= 1


def test_and_it_is_done_when_the_link_is_good():
    assert fly([(2, "good", "good", False)], Flash(), 2, DANGEROUS, hearings=2)[1] == [1]
