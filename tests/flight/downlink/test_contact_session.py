"""Pointing, laser and frames in the order that is safe, and every edge of a contact told once."""

import itertools
import math

import pytest

from flight.base.channels import Latest
from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.contact_session import ContactSession
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.pass_plan import Contact, ContactKind, PassPlan
from flight.downlink.terminal_state import PatState
from flight.node_status import NodeStatus
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.telemetry.event_log import EventLog
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import FailingCall, HalConfig, HalError, HalErrorKind, Stuck, TermFlag
from hal.terminal_registers import TermFault

S = 1_000_000_000
STEP_NS = S // 10
BEACON, COARSE = int(TermFlag.BEACON), int(TermFlag.BEACON | TermFlag.COARSE)
FINE = COARSE | int(TermFlag.FINE)
SYNC = FINE | int(TermFlag.SYNC)
PEER, OTHER = 11, 12
DELIVERED = 3


class ToldDevices(FakeDevices):
    """Notes what the terminal was told, in order, as far as it obeyed."""

    def __init__(self):
        super().__init__(HalConfig(tx_fifo_frames=4))
        self.calls = []

    def point_terminal(self, target_id):
        shown = super().point_terminal(target_id)
        self.calls.append(("point", shown, self.told[Stuck.LASER]))
        return shown

    def set_laser(self, on):
        shown = super().set_laser(on)
        self.calls.append(("laser", shown, self.told[Stuck.TARGET]))
        return shown


class HintedQueue(DownlinkQueue):
    """Notes what it is told of the present contact."""

    def __init__(self):
        super().__init__()
        self.hints = []

    def look_ahead(self, horizon, now_ns):
        super().look_ahead(horizon, now_ns)
        carried = horizon and sum(each.carries_bytes for each in horizon.stretches)
        self.hints.append((now_ns // S, carried))


def contact(number, start_s, end_s, peer=PEER, kind=ContactKind.OGS):
    return Contact(number, peer, kind, start_s * S, end_s * S, 1e6)


class Bench:
    """A session over a fake terminal, stepped ten times a second."""

    def __init__(self, *contacts):
        self.devices = ToldDevices()
        self.hal = FakeBench(self.devices)
        self.told, self.learned = [], []
        self.queue = HintedQueue()
        self.arq = ArqSender(2, ArqConfig())
        self.status = Latest()
        self.channels = ChannelValues()
        self.delivered = 0
        self.session = ContactSession(
            devices=self.devices,
            plan=PassPlan(contacts),
            names={1: "Nemea"},
            queue=self.queue,
            arq=self.arq,
            status=self.status,
            delivered=lambda: self.delivered,
            learned=self.learned.append,
            frame_bytes=4096,
            channels=self.channels,
            events=EventLog(256, self.told.append),
        )
        self.now_ns = 0
        self.allow(True)

    def allow(self, allowed):
        status = NodeStatus(0, 0.0, Mode.IDLE, 0, ThrottleReason.NONE, allowed, 1.0)
        self.status.set(status, self.now_ns)

    def fly(self, seconds, flags):
        """Steps on; returns whether frames might be sent, step by step."""
        self.hal.write_sensors(term_flags=flags)
        sent = []
        for _ in range(round(seconds * S) // STEP_NS):
            sent.append(self.session.step(self.now_ns))
            self.now_ns += STEP_NS
        return sent

    def acquire(self):
        for flags in (0, BEACON, COARSE, FINE):
            assert not any(self.fly(0.5, flags))
        assert self.fly(0.5, SYNC)[-1]

    def names(self):
        return [event.name for event in self.told if event.name != "PAT_STATE"]


def test_no_frame_may_go_before_the_modem_is_in_sync():
    bench = Bench(contact(1, 1, 60))
    assert not any(bench.fly(1, SYNC))
    for flags in (0, BEACON, COARSE, FINE):
        assert not any(bench.fly(2, flags))
    assert not bench.arq.link_up
    assert bench.fly(1, SYNC)[-1]
    assert bench.arq.link_up
    assert bench.session.credit == 2
    assert not any(bench.fly(0.5, FINE))


def test_the_laser_stays_dark_until_the_peer_is_seen_where_the_terminal_points():
    bench = Bench(contact(1, 0, 60))
    bench.hal.write_sensors(stuck=int(Stuck.TARGET))
    bench.fly(5, SYNC)
    assert [call for call in bench.devices.calls if call[0] == "laser"] == []
    bench.hal.write_sensors(stuck=0)
    bench.fly(5, 0)
    assert bench.hal.read_actuators().target_id == PEER
    assert not bench.hal.read_actuators().laser_on
    bench.fly(0.5, BEACON)
    assert bench.hal.read_actuators().laser_on


@pytest.mark.parametrize("following", [(), (contact(2, 20, 60, OTHER),)])
def test_the_laser_goes_off_before_pointing_moves(following):
    bench = Bench(contact(1, 0, 20), *following)
    bench.acquire()
    bench.fly(20, SYNC)
    moves = [call for call in bench.devices.calls if call[0] == "point"]
    assert [shown for _, shown, _ in moves[:2]] == [PEER, OTHER if following else 0]
    assert all(not laser_on for _, _, laser_on in moves)
    off = next(call for call in bench.devices.calls if call[:2] == ("laser", 0))
    assert off[2] == PEER


def test_an_inhibit_darkens_the_laser_in_the_same_step_and_lets_it_on_again_when_it_is_over():
    bench = Bench(contact(1, 0, 60))
    bench.acquire()
    assert bench.hal.read_actuators().laser_on
    bench.allow(False)
    assert bench.fly(0.1, SYNC) == [False]
    assert not bench.hal.read_actuators().laser_on
    assert not any(bench.fly(5, SYNC))
    bench.allow(True)
    assert bench.fly(5, SYNC)[-1]


def test_without_a_status_nothing_moves():
    bench = Bench(contact(1, 0, 60))
    bench.session._status = Latest()
    assert not any(bench.fly(3, SYNC))
    assert bench.devices.calls == []


def test_every_edge_of_a_contact_is_told_once_with_what_it_gave():
    bench = Bench(contact(1, 1, 20))
    bench.fly(1, 0)
    bench.acquire()
    bench.session.frames_sent, bench.delivered = 42, DELIVERED
    bench.fly(30, SYNC)
    assert bench.names() == ["CONTACT_STARTED", "LINK_ACQUIRED", "CONTACT_ENDED"]
    args = bench.told[-2].args | bench.told[-1].args
    assert (args["peer"], args["frames"], args["products"]) == ("Nemea", 42, DELIVERED)
    assert not bench.session.in_contact
    assert not bench.arq.link_up
    assert bench.channels.get("link.contact") == 0


def test_a_contact_that_was_never_acquired_is_told_as_failed():
    bench = Bench(contact(1, 0, 20))
    bench.fly(25, 0)
    assert bench.names() == ["CONTACT_STARTED", "CONTACT_FAILED"]


def test_a_contact_that_follows_at_once_ends_the_one_before_it():
    bench = Bench(contact(1, 0, 20), contact(2, 20, 40, OTHER), contact(3, 40, 60, PEER))
    bench.acquire()
    bench.fly(60, SYNC)
    told = [(event.name, event.args["contact"]) for event in bench.told if "contact" in event.args]
    assert told == [
        ("CONTACT_STARTED", 1), ("CONTACT_ENDED", 1), ("CONTACT_STARTED", 2),
        ("CONTACT_ENDED", 2), ("CONTACT_STARTED", 3), ("CONTACT_ENDED", 3),
    ]  # fmt: skip
    ups = [event for event in bench.told if event.name == "LINK_ACQUIRED"]
    assert [event.args["peer"] for event in ups] == ["Nemea", "station 12", "station 11"]


def test_a_fade_is_no_loss_and_a_long_one_is_told():
    bench = Bench(contact(1, 0, 60))
    bench.acquire()
    bench.fly(0.5, FINE)
    assert bench.fly(0.5, SYNC)[-1]
    assert "LINK_LOST" not in bench.names()
    bench.fly(3, 0)
    assert bench.names().count("LINK_LOST") == 1
    assert not bench.arq.link_up


def test_a_terminal_that_cannot_be_read_is_told_and_gets_no_frame():
    bench = Bench(contact(1, 0, 60))
    bench.acquire()
    bench.hal.fail(FailingCall.SNAPSHOT)
    assert bench.fly(0.1, SYNC) == [False]
    assert bench.told[-1].name == "PAT_STATE"
    assert "HAL_FAILED" in bench.names()
    assert not bench.hal.read_actuators().laser_on
    assert bench.session.credit == 0
    bench.hal.fail(0)
    assert bench.fly(8, SYNC)[-1]


def test_a_laser_that_does_not_obey_is_asked_again_and_the_terminal_waits_for_it():
    bench = Bench(contact(1, 0, 20))
    bench.acquire()
    bench.hal.fail(FailingCall.LASER)
    bench.fly(20, SYNC)
    assert bench.hal.read_actuators().target_id == PEER
    bench.hal.fail(0)
    bench.fly(1, SYNC)
    last = bench.devices.calls[-2:]
    assert [call[:2] for call in last] == [("laser", 0), ("point", 0)]


def test_a_laser_that_is_stuck_alight_is_not_swept_across_the_sky():
    bench = Bench(contact(1, 0, 20), contact(2, 20, 40, OTHER))
    bench.acquire()
    bench.hal.write_sensors(stuck=int(Stuck.LASER))
    bench.fly(50, SYNC)
    assert bench.hal.read_actuators()[1:3] == (1, PEER)
    bench.hal.write_sensors(stuck=0)
    bench.fly(1, SYNC)
    assert bench.hal.read_actuators()[1:3] == (0, 0)


def test_the_queue_hears_once_a_second_what_the_contact_can_still_carry():
    bench = Bench(contact(1, 0, 20))
    bench.acquire()
    bench.queue.hints.clear()
    bench.fly(20, SYNC)
    seconds = [second for second, _ in bench.queue.hints]
    assert len(seconds) == len(set(seconds))
    carried = [left for second, left in bench.queue.hints if second < 20]
    assert carried[0] <= 20 * 1e6 / 8
    late = carried[len(carried) // 2 :]
    assert all(later < earlier for earlier, later in itertools.pairwise(late))
    assert bench.queue.hints[-1][1] is None
    assert len(bench.learned) == 1, "a contact that is over is experience"


def test_a_fault_of_the_terminal_makes_it_safe_is_told_by_name_and_shown():
    bench = Bench(contact(1, 0, 60))
    bench.acquire()
    bench.devices.read_registers = lambda first, count: [TermFault.MOUNT | TermFault.LASER]
    bench.fly(2, SYNC)
    assert bench.session._machine.state is PatState.SAFE
    assert not bench.hal.read_actuators().laser_on
    told = [event for event in bench.told if event.name == "TERMINAL_FAULT"]
    assert [event.args["faults"] for event in told] == ["laser, mount"]
    assert bench.channels.get("link.terminal_faults") == TermFault.MOUNT | TermFault.LASER
    bench.devices.read_registers = lambda first, count: [0]
    assert bench.fly(8, SYNC)[-1]
    assert bench.names().count("TERMINAL_WELL") == 1
    assert bench.channels.get("link.terminal_faults") == 0


def test_the_flag_alone_makes_it_safe_as_well():
    bench = Bench(contact(1, 0, 60))
    bench.acquire()
    bench.fly(2, SYNC | TermFlag.FAULT)
    assert bench.session._machine.state is PatState.SAFE
    assert "TERMINAL_FAULT" in bench.names()


def test_a_terminal_is_watched_outside_a_contact_as_well():
    bench = Bench(contact(1, 100, 160))
    bench.fly(2, TermFlag.FAULT)
    assert bench.names() == ["TERMINAL_FAULT"]


def test_a_silent_terminal_is_told_once_and_its_faults_are_unknown():
    bench = Bench()
    answers = itertools.chain([0], itertools.repeat(None, 3), itertools.repeat(0))

    def read(first, count):
        del first, count
        answer = next(answers)
        if answer is None:
            raise HalError("line.registers", -HalErrorKind.STALE)
        return [answer]

    bench.devices.read_registers = read
    bench.fly(3, 0)
    assert math.isnan(bench.channels.get("link.terminal_faults"))
    bench.fly(5, 0)
    assert bench.names() == ["TERMINAL_SILENT", "TERMINAL_WELL"]


def test_a_node_without_a_terminal_asks_once_and_tells_nothing():
    bench = Bench()
    asked = []

    def read(first, count):
        asked.append((first, count))
        raise HalError("board.registers", -HalErrorKind.UNSUPPORTED)

    bench.devices.read_registers = read
    bench.fly(5, 0)
    assert (len(asked), bench.names()) == (1, [])


def test_a_terminal_that_went_dark_by_itself_is_lit_again_while_the_link_wants_it():
    bench = Bench(contact(1, 0, 60))
    bench.acquire()
    bench.devices.terminal.reset()
    bench.devices.point_terminal(PEER)
    bench.devices.calls.clear()
    bench.fly(0.2, SYNC)
    assert ("laser", 1, PEER) in bench.devices.calls


def test_a_terminal_that_is_lit_though_nobody_asked_is_told_to_go_dark():
    bench = Bench(contact(1, 0, 60))
    bench.fly(0.2, 0)
    bench.devices.told[Stuck.LASER] = 1
    bench.devices.calls.clear()
    bench.fly(0.1, 0)
    assert bench.devices.calls[0][:2] == ("laser", 0)
