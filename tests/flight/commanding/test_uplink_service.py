"""Uplink frames in, answers out: forged ones change nothing, repeated ones are only answered."""

from types import SimpleNamespace

import msgspec
import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.channels import Latest
from flight.commanding.arming import ARMING_WINDOW_NS
from flight.commanding.authentication import CommandLedger, UplinkAuthenticator
from flight.commanding.dispatcher import (
    COMPLETED,
    RUNNING_LIMIT_NS,
    STARTED,
    Binding,
    Dispatcher,
    Source,
)
from flight.commanding.uplink_service import ARQ_INBOX, FRAMES_PER_STEP, UplinkService
from flight.fdir.command_loss import CommandLoss
from flight.keys import Half, derive_from_seed
from flight.node_status import NodeStatus
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.command_table import DeleteProduct
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.telemetry.event_log import EventLog
from flight.wire.counter_reserve import CounterReserve
from flight.wire.link_security import SecurityVerdict
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import Apid, SequenceCounts, decode_all, encode
from flight.wire.telecommand import (
    CommandReason,
    Stage,
    Telecommand,
    VerificationReport,
    decode_report,
)
from flight.wire.telecommand import encode_telecommand as encoded
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import FailingCall, HalConfig
from hil.ground.ground_link import GroundLink

S = 1_000_000_000
SCID, KEYS = 4, derive_from_seed(11)
TIMEOUT_NS = 100 * S


DANGEROUS = {
    kind: msgspec.structs.replace(definition, dangerous=True)
    for kind, definition in COMMAND_BY_TYPE.items()
}


def reserve():
    return CounterReserve(lambda: 0, lambda _: None)


class Node:
    """The uplink service as the root composes it, and a ground that speaks to it."""

    def __init__(self, mode=Mode.IDLE, answer=COMPLETED, definitions=COMMAND_BY_TYPE):
        self.devices = FakeDevices(HalConfig(rx_fifo_frames=2_048))
        self.bench = FakeBench(self.devices)
        self.ground = GroundLink(KEYS, scid=SCID, counters=reserve())
        self.told, self.done = [], []
        self.channels = ChannelValues()
        self.loss = CommandLoss(TIMEOUT_NS, 0)
        self.ledger = CommandLedger()
        link = SecureLink(
            scid=SCID, sends=KEYS.sends(Half.NODE), receives=[KEYS.receives(Half.NODE)],
            counters=reserve(),
        )  # fmt: skip
        self.status = Latest()
        self.set_mode(mode)

        def handle(command, now_ns):
            self.done.append(command.product_id)
            return answer

        bindings = [Binding(kind, handle) for kind in COMMAND_BY_TYPE]
        self.dispatcher = Dispatcher(bindings, self.ledger, definitions=definitions)
        self.uplink = UplinkService(
            devices=self.devices,
            authenticator=UplinkAuthenticator(link, self.ledger),
            dispatcher=self.dispatcher,
            ledger=self.ledger,
            command_loss=self.loss,
            status=self.status,
            sequence=SequenceCounts(),
            channels=self.channels,
            events=EventLog(1_024, self.told.append),
            store=SimpleNamespace(mark=0, durable_mark=0, closed=False),
        )

    def set_mode(self, mode):
        self.status.set(NodeStatus(0, 0.0, mode, 0, ThrottleReason.NONE, True, 1.0), 0)

    def frame(self, number, product=1):
        data = encoded(Telecommand(number, DeleteProduct(product)))
        packet = encode(Apid.TELECOMMAND, number, data, time_ns=0, telecommand=True)
        return self.ground.frames_for([packet])[0]

    def hear(self, *frames, now_ns=0):
        for frame in frames:
            assert self.bench.push_rx(frame)
        self.uplink.step(now_ns)

    def answers(self):
        packets = []
        while (packet := self.uplink.verification.take()) is not None:
            packets.append(packet)
        read = decode_all(b"".join(packets))
        assert all(packet.apid == Apid.VERIFICATION for packet in read)
        return [decode_report(packet.data) for packet in read]

    def names(self):
        return [event.name for event in self.told]


def turned(frame, at):
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]


def test_a_command_is_done_told_and_answered_and_feeds_the_command_loss_timer():
    node = Node()
    node.hear(node.frame(1, product=7), now_ns=40 * S)
    assert node.done == [7]
    assert [report.stage for report in node.answers()] == [Stage.ACCEPTED, Stage.COMPLETED]
    assert node.names() == ["COMMAND_ACCEPTED", "COMMAND_COMPLETED"]
    assert node.loss.remaining_ns(40 * S) == TIMEOUT_NS
    assert node.channels.get("command.accepted_total") == 1


@pytest.mark.parametrize("at", [4, 20, -1])
def test_a_forged_frame_is_refused_told_and_leaves_the_command_loss_timer_alone(at):
    node = Node()
    good = node.frame(1)
    node.hear(turned(good, at % len(good)), now_ns=40 * S)
    assert node.done == []
    assert node.answers() == []
    assert node.names() == ["FRAME_REJECTED"]
    assert node.loss.remaining_ns(40 * S) == TIMEOUT_NS - 40 * S
    assert node.channels.get("link.frames_rejected") == 1
    node.hear(good, now_ns=41 * S)
    assert node.done == [1]


def test_a_frame_of_another_ground_is_refused():
    node = Node()
    stranger = GroundLink(derive_from_seed(12), scid=SCID, counters=reserve())
    data = encoded(Telecommand(1, DeleteProduct(1)))
    packet = encode(Apid.TELECOMMAND, 1, data, time_ns=0, telecommand=True)
    node.hear(*stranger.frames_for([packet]), now_ns=S)
    assert (node.done, node.names()) == ([], ["FRAME_REJECTED"])
    assert node.loss.remaining_ns(S) == TIMEOUT_NS - S


def test_a_repeated_command_is_answered_and_neither_done_nor_told_again():
    node = Node()
    node.hear(node.frame(1), now_ns=S)
    first, told = node.answers(), node.names()
    node.hear(node.frame(1), now_ns=2 * S)
    assert node.answers() == first[-1:]
    assert node.names() == told
    assert node.done == [1]
    assert node.ledger.duplicates == 1
    assert node.loss.remaining_ns(2 * S) == TIMEOUT_NS - S


def test_a_recorded_frame_played_back_does_nothing():
    node = Node()
    recorded = node.frame(1)
    node.hear(recorded, now_ns=S)
    node.answers()
    node.hear(recorded, now_ns=50 * S)
    assert node.answers() == []
    assert node.names()[-1] == "FRAME_REJECTED"
    assert node.told[-1].args["verdict"] == "replayed"
    assert node.loss.remaining_ns(50 * S) == TIMEOUT_NS - 49 * S


def test_a_command_that_is_refused_is_told_with_its_reason_and_does_not_feed_the_timer():
    node = Node(mode=Mode.BOOT)
    node.hear(node.frame(1), now_ns=40 * S)
    (report,) = node.answers()
    assert (report.stage, report.reason) == (Stage.REJECTED, CommandReason.WRONG_MODE)
    assert node.names() == ["COMMAND_REJECTED"]
    assert node.told[0].args["reason"] == "wrong_mode"
    assert node.loss.remaining_ns(40 * S) == TIMEOUT_NS - 40 * S
    assert node.channels.get("command.rejected_total") == 1


def test_a_command_nobody_ends_is_answered_as_failed_in_its_time():
    node = Node(answer=STARTED)
    node.hear(node.frame(1))
    assert [report.stage for report in node.answers()] == [Stage.ACCEPTED, Stage.STARTED]
    node.uplink.step(RUNNING_LIMIT_NS)
    assert node.answers() == []
    node.uplink.step(RUNNING_LIMIT_NS + 1)
    (report,) = node.answers()
    assert (report.stage, report.reason) == (Stage.FAILED, CommandReason.TIMED_OUT)
    assert node.names()[-1] == "COMMAND_FAILED"


def test_a_step_takes_a_bounded_number_of_frames_and_the_next_one_goes_on():
    node = Node()
    frames = [node.frame(number) for number in range(1, FRAMES_PER_STEP + 11)]
    node.hear(*frames)
    assert len(node.done) == FRAMES_PER_STEP
    node.uplink.step(S)
    assert len(node.done) == FRAMES_PER_STEP + 10
    assert node.channels.get("link.frames_received") == FRAMES_PER_STEP + 10


def test_a_terminal_that_cannot_be_read_is_told_and_loses_no_frame():
    node = Node()
    node.bench.fail(FailingCall.RECEIVE)
    node.hear(node.frame(1))
    assert node.names() == ["HAL_FAILED"]
    node.bench.fail(0)
    node.uplink.step(S)
    assert node.done == [1]


def test_reports_of_the_ground_pass_on_in_order_and_what_overflows_is_counted():
    node = Node()
    count = ARQ_INBOX + 5
    packets = [
        encode(Apid.REPORT, n, n.to_bytes(2, "big"), time_ns=0, telecommand=True)
        for n in range(count)
    ]
    node.hear(*node.ground.frames_for(packets))
    inbox = node.uplink.arq_inbox
    assert (len(inbox), inbox.dropped) == (ARQ_INBOX, 5)
    assert inbox.take().data == (5).to_bytes(2, "big")
    assert node.done == []
    assert node.loss.remaining_ns(S) == TIMEOUT_NS - S


def test_a_frame_that_came_another_way_gets_the_same_checks():
    node = Node()
    frame = node.frame(1)
    assert node.uplink.take_frame(frame, S) is SecurityVerdict.OK
    assert node.uplink.take_frame(frame, S) is SecurityVerdict.REPLAYED
    assert node.uplink.take_frame(turned(node.frame(2), 20), S) is not SecurityVerdict.OK
    assert node.done == [1]
    assert node.channels.get("link.frames_received") == 1
    assert node.channels.get("link.frames_rejected") == 2


def test_an_arming_is_told_as_such_shown_and_its_lapse_is_told():
    node = Node(definitions=DANGEROUS)
    node.hear(node.frame(1), now_ns=S)
    assert node.answers()[-1].reason is CommandReason.ARMED
    assert node.names() == ["COMMAND_ACCEPTED", "COMMAND_ARMED"]
    assert node.channels.get("command.armed") == 1
    node.uplink.step(S + ARMING_WINDOW_NS)
    assert node.names()[-1] == "COMMAND_ARMED"
    node.uplink.step(2 * S + ARMING_WINDOW_NS)
    assert node.told[-1].text == "arming of DELETE_PRODUCT lapsed, nothing was done"
    assert node.channels.get("command.armed") == 0
    assert node.done == []


def test_a_started_command_that_its_room_ends_is_answered_and_told_with_its_identity():
    node = Node(answer=STARTED)
    node.hear(node.frame(7))
    assert node.channels.get("command.running") == 1
    node.answers()
    node.uplink.finish(7, 3 * S, reason=CommandReason.ABORTED)
    (report,) = node.answers()
    assert report == VerificationReport(7, Stage.FAILED, CommandReason.ABORTED)
    assert (node.told[-1].name, node.told[-1].args["command"]) == ("COMMAND_FAILED", 7)
    assert node.channels.get("command.running") == 0
    node.uplink.finish(7, 4 * S)
    assert node.answers() == []


class Antenna:
    """Whatever may reach an antenna: `good` is a command, everything else is none."""

    BAD = (
        "forged", "cut_off", "replayed", "foreign", "malformed", "repeated", "stale",
        "wrong_mode", "noise",
    )  # fmt: skip

    def __init__(self, node):
        self.node, self.number, self.sent = node, 1_000, []
        self.stranger = GroundLink(derive_from_seed(12), scid=SCID, counters=reserve())

    def frame(self, number, ground=None, data=None):
        data = encoded(Telecommand(number, DeleteProduct(1))) if data is None else data
        packet = encode(Apid.TELECOMMAND, number % 16_384, data, time_ns=0, telecommand=True)
        return (ground or self.node.ground).frames_for([packet])[0]

    def good(self, _at):
        self.number += 1
        self.sent.append((self.number, self.frame(self.number)))
        return self.sent[-1][1]

    def forged(self, at):
        frame = self.frame(self.number + 1)
        return turned(frame, at % len(frame))

    def cut_off(self, at):
        frame = self.frame(self.number + 1)
        return frame[: 1 + at % (len(frame) - 1)]

    def replayed(self, at):
        return self.sent[at % len(self.sent)][1] if self.sent else self.noise(at)

    def foreign(self, _at):
        return self.frame(self.number + 1, self.stranger)

    def malformed(self, at):
        return self.frame(self.number + 1, data=bytes([0xC1]) * (1 + at % 50))

    def repeated(self, at):
        """The same command in a fresh frame, as a ground that missed the answer sends it."""
        return self.frame(self.sent[at % len(self.sent)][0]) if self.sent else self.noise(at)

    def stale(self, at):
        return self.frame(1 + at % 500) if self.sent else self.noise(at)

    def wrong_mode(self, _at):
        self.node.set_mode(Mode.BOOT)
        return self.frame(self.number + 1)

    def noise(self, at):
        return bytes((at * 31 + i * 17) % 256 for i in range(1 + at % 90))


@settings(deadline=None, max_examples=examples(150))
@given(
    st.lists(
        st.tuples(st.sampled_from([*Antenna.BAD, "good"]), st.integers(0, 400), st.integers(1, 40)),
        max_size=25,
    )
)
def test_no_forged_replayed_malformed_or_rejected_frame_ever_feeds_the_command_loss_timer(heard):
    node, now_s, fed_s = Node(), 0, 0
    antenna = Antenna(node)
    for kind, at, seconds in heard:
        now_s += seconds
        accepted = node.ledger.accepted
        node.hear(getattr(antenna, kind)(at), now_ns=now_s * S)
        node.set_mode(Mode.IDLE)
        assert node.ledger.accepted - accepted == int(kind == "good")
        fed_s = now_s if kind == "good" else fed_s
        left_ns = max(0, TIMEOUT_NS - (now_s - fed_s) * S)
        assert node.loss.remaining_ns(now_s * S) == left_ns


def test_a_step_of_a_sequence_is_no_word_of_the_ground():
    node = Node()
    result = node.dispatcher.execute(DeleteProduct(1), 40 * S, Mode.IDLE, Source.SEQUENCE)
    assert (result, node.done) == (COMPLETED, [1])
    node.uplink.step(40 * S)
    assert node.loss.remaining_ns(40 * S) == TIMEOUT_NS - 40 * S
