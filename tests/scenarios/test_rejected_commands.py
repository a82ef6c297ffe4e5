"""A whole node that refuses a command is afterwards exactly what it was, whatever the cause."""

import msgspec
import pytest
from short_flight import scenario
from state_hash import state_hash

from flight.commanding.dispatcher import RUNNING_MAX
from flight.node_status import NodeStatus
from flight.telemetry.command_table import (
    DeleteProduct,
    LoadRollBack,
    NoOp,
    SequenceHold,
    SequenceStart,
    SetMode,
    SetParameter,
)
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.wire.space_packet import Apid, encode
from flight.wire.telecommand import (
    CommandReason,
    Stage,
    Telecommand,
    encode_telecommand,
)
from hil.sim_target import SimTarget

R = CommandReason


class Flown:
    """A node some time into a flight, and its ground; nothing moves but by frames."""

    def __init__(self, folder):
        self.target = SimTarget(scenario("slow-relay"), folder)
        self.target.start()
        self.target.advance(100.0)
        self.node, self.ground = self.target.node, self.target.world.ground
        self.dispatcher = self.node.uplink._dispatcher
        self.number = 1_000

    def hash(self):
        digest, covered = state_hash(self.dispatcher)
        assert covered > 100, "the walk has lost its way"
        return digest

    def send(self, data):
        """One telecommand in a frame of its own; the ledger afterwards."""
        self.number += 1
        packet = encode(Apid.TELECOMMAND, self.number & 0xFF, data, time_ns=0, telecommand=True)
        (frame,) = self.ground.link.frames_for([packet])
        self.node.uplink.take_frame(frame, 0)
        return self.node.uplink.ledger

    def command(self, command, number=None):
        number = self.number + 1 if number is None else number
        return self.send(encode_telecommand(Telecommand(number, command)))

    def numbers_in_hand(self):
        """Sends until the link has just put numbers aside: the next frames ask the store for none.

        Its memory of numbers is what a refused frame is meant to change, in the store as well.
        """
        store, name = self.node._around.store, "link.uplink"
        reserved = store.load_counter(name)
        while store.load_counter(name) == reserved:
            self.command(NoOp())

    def mode(self, mode):
        status = NodeStatus(0, 0.0, mode, 0, ThrottleReason.NONE, True, 0.9)
        self.node.status.set(status, 0)


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    flight = Flown(tmp_path_factory.mktemp("flown"))
    yield flight
    flight.target.finish()


def raw(flown, name, /, **arguments):
    command = {"type": name, **arguments}
    return msgspec.msgpack.encode({"id": flown.number + 1, "cmd": command})


def unknown(flown):
    flown.send(raw(flown, "WARP"))
    return R.UNKNOWN_COMMAND


def out_of_range(flown):
    flown.send(raw(flown, "SET_PARAMETER", name="power.soc_floor", value=7.0))
    return R.OUT_OF_RANGE


def wrong_mode(flown):
    flown.command(SetMode("SAFE"))
    return R.WRONG_MODE


def stale(flown):
    flown.command(NoOp(), number=1)
    return R.STALE


def busy(flown):
    flown.command(NoOp())
    return R.BUSY


def prepare(flown, cause):
    """What must be so for the refusal to come, before the hash is taken."""
    flown.mode(Mode.BOOT if cause is wrong_mode else Mode.IDLE)
    if cause is busy:
        for ticket in range(1, RUNNING_MAX + 1):
            flown.dispatcher.adopt(ticket, SequenceStart)
    if cause is stale:
        for _ in range(300):
            flown.command(NoOp())
    flown.numbers_in_hand()


@pytest.mark.parametrize("cause", [unknown, out_of_range, wrong_mode, stale, busy])
def test_a_rejected_command_leaves_the_state_hash_as_it_was(flown, cause):
    prepare(flown, cause)
    ledger, told = flown.node.uplink.ledger, []
    before, rejected, accepted = flown.hash(), ledger.rejected, ledger.accepted
    real = flown.node.uplink._on_answer
    flown.node.uplink._on_answer = lambda dispatched, _now_ns: told.append(dispatched)
    reason = cause(flown)
    flown.node.uplink._on_answer = real
    ((report,),) = [dispatched.reports for dispatched in told]
    assert (report.stage, report.reason) == (Stage.REJECTED, reason)
    assert flown.hash() == before
    assert (ledger.rejected, ledger.accepted) == (rejected + 1, accepted)
    for ticket in range(1, RUNNING_MAX + 1):
        flown.dispatcher.finish(ticket)


def test_a_repeated_command_and_one_that_cannot_be_read_leave_it_too(flown):
    flown.mode(Mode.IDLE)
    flown.numbers_in_hand()
    flown.command(SetParameter("telemetry.period_s", 20.0))
    before = flown.hash()
    again = SetParameter("telemetry.period_s", 30.0)
    ledger = flown.command(again, number=flown.number)
    assert flown.hash() == before
    malformed = ledger.malformed
    for data in (b"\xc1", bytes(2_000), b"\x00" * 10):
        flown.send(data)
    assert ledger.malformed == malformed + 3
    assert flown.hash() == before


def test_a_frame_that_is_forged_or_played_back_leaves_it_too(flown):
    flown.mode(Mode.IDLE)
    flown.numbers_in_hand()
    data = encode_telecommand(Telecommand(flown.number + 1, SetMode("SAFE")))
    packet = encode(Apid.TELECOMMAND, 1, data, time_ns=0, telecommand=True)
    (frame,) = flown.ground.link.frames_for([packet])
    flown.number += 1
    before = flown.hash()
    for at in range(len(frame)):
        flown.node.uplink.take_frame(frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :], 0)
    assert flown.hash() == before
    flown.node.uplink.take_frame(frame, 0)
    done = flown.hash()
    assert done != before
    flown.node.uplink.take_frame(frame, 0)
    assert flown.hash() == done


@pytest.mark.parametrize(
    "command",
    [NoOp(), SetMode("IDLE"), SetParameter("telemetry.period_s", 25.0), DeleteProduct(10**9),
     LoadRollBack("sequence"), SequenceStart("go-safe"), SequenceHold("go-safe")],
)  # fmt: skip
def test_control_a_command_that_is_accepted_changes_the_hash(flown, command):
    flown.mode(Mode.IDLE)
    before = flown.hash()
    assert flown.hash() == before
    flown.command(command)
    assert flown.hash() != before
