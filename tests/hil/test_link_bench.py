"""The link carries what the line can, when the terminals see each other, and counts the rest."""

import itertools

import numpy as np
import pytest

from flight.keys import derive_from_seed
from hal.native_devices import NativeDevices
from hal.sample import HalConfig, TermFlag
from hal.sim_bench import SimBench
from hil.contact_book import PlannedContact
from hil.ground.archive import Archive
from hil.ground.ground_segment import GroundSegment
from hil.link_bench import DELAY_NS, IDLE_NS, LinkBench
from hil.plant.clouds import Cover
from hil.plant.optical_channel import ChannelConfig, ContactGeometry, ContactTrace
from hil.run_recorder import RunRecorder
from hil.simloop import SimLoop

S = 1_000_000_000
MS = S // 1_000
PEER, RATE_BPS, FRAME_BYTES = 11, 1e6, 1_000
BEFORE, FEED, AFTER = -1, 0, 1


class Line(RunRecorder):
    """Notes every frame on the line."""

    def __init__(self):
        super().__init__((), 0.0)
        self.carried = []

    def frame(self, t_ns, frame, *, good):
        super().frame(t_ns, frame, good=good)
        self.carried.append((t_ns, len(frame), good))


class Book:
    """Contacts over a clear, steady channel, except for `covers`."""

    def __init__(self, spans, covers):
        self.covers = covers
        self.contacts = tuple(
            PlannedContact(
                i, "OGS", PEER, "Nemea", start_s, end_s, RATE_BPS, 60.0,
                ContactGeometry(
                    start_s, (700.0,) * int(end_s - start_s + 1), (60.0,) * int(end_s - start_s + 1)
                ),
            )
            for i, (start_s, end_s) in enumerate(spans, 1)
        )  # fmt: skip

    def trace(self, contact):
        seeds = np.random.SeedSequence(contact.contact_id)
        config = ChannelConfig(margin_db=20.0, cloud_db=60.0)
        return ContactTrace(config, contact.geometry, seeds, self.covers)


class Bench:
    """Devices, link and ground on virtual time; the node is whoever writes to `devices`."""

    def __init__(self, folder, *spans, covers=(), report_loss=0.0):
        self.loop = SimLoop()
        self.devices = NativeDevices("sim", HalConfig(tx_fifo_frames=64, rx_fifo_frames=1_000))
        self.hal = SimBench(self.devices)
        self.line = Line()
        self.ground = GroundSegment(
            keys=derive_from_seed(1), scid=1, frame_bytes_max=2_048,
            archive=Archive(folder, sync=False),
        )  # fmt: skip
        self.link = LinkBench(
            bench=self.hal, book=Book(spans, covers), ground=self.ground, recorder=self.line,
            call_at_ns=self.loop.call_at_ns, seeds=np.random.SeedSequence(3),
            report_period_s=0.2, report_loss=report_loss,
        )  # fmt: skip
        self.feeding, self.steps, self.states = True, [], []
        self.loop.call_at_ns(0, self._step, priority=BEFORE)
        self.loop.call_at_ns(0, self._feed, priority=FEED)

    def _step(self):
        now_ns = self.loop.time_ns()
        self.steps.append(now_ns)
        told = self.hal.read_actuators()
        carried = len(self.line.carried)
        next_ns = self.link.step(now_ns)
        flags = self.hal.read_sensors()["term_flags"]
        self.states.append((now_ns, bool(told.laser_on), flags, len(self.line.carried) - carried))
        self.loop.call_at_ns(next_ns, self._step, priority=BEFORE)

    def _feed(self):
        while self.feeding and self.devices.submit_frame(bytes(FRAME_BYTES)):
            pass
        self.loop.call_at_ns(self.loop.time_ns() + 10 * MS, self._feed, priority=FEED)

    def aim(self, laser=True):
        self.devices.point_terminal(PEER)
        self.devices.set_laser(laser)

    def run(self, until_s):
        self.loop.run_until_ns(round(until_s * S))

    @property
    def log(self):
        return self.link.logs[-1]

    def landed(self):
        return sum(self.ground.frames_refused.values())


@pytest.fixture
def make(tmp_path):
    made = []

    def bench(*spans, **options):
        made.append(Bench(tmp_path, *spans, **options))
        return made[-1]

    yield bench
    for each in made:
        each.loop.close()
        each.devices.close()


def test_no_frame_is_carried_without_contact_pointing_laser_and_sync(make):
    bench = make((10, 70))
    bench.aim()
    bench.run(9)
    assert bench.link.logs == []
    bench.devices.point_terminal(PEER + 1)
    bench.run(30)
    assert bench.log.acquired_s is None
    bench.aim(laser=False)
    bench.run(55)
    assert bench.hal.read_sensors()["term_flags"] & TermFlag.FINE
    assert bench.line.carried == []
    bench.aim()
    bench.run(60)
    assert bench.line.carried
    assert bench.log.acquired_s > 45


def test_no_frame_is_carried_while_the_laser_is_off_or_sync_is_lost(make):
    bench = make((0, 100), covers=(Cover(60.0, 75.0),))
    bench.aim()
    bench.run(40)
    bench.devices.set_laser(False)
    bench.run(50)
    bench.devices.set_laser(True)
    bench.run(100)
    dark = [t for t, laser, flags, n in bench.states if n and not (laser and flags & TermFlag.SYNC)]
    assert dark == []
    ends_s = [t / S for t, _, _ in bench.line.carried]
    assert not any(40.0 < t <= 50.0 for t in ends_s)
    assert not any(62.0 < t < 75.0 for t in ends_s)
    assert any(t < 40 for t in ends_s)
    assert any(50 < t < 60 for t in ends_s)
    assert any(t > 76 for t in ends_s)


def test_the_line_rate_is_never_exceeded_and_is_reached(make):
    bench = make((0, 60))
    bench.aim()
    bench.run(60)
    took_ns = FRAME_BYTES * 8 * S / RATE_BPS
    ends = [t for t, _, _ in bench.line.carried]
    assert min(b - a for a, b in itertools.pairwise(ends)) >= took_ns
    seconds = (ends[-1] - ends[0]) / S
    assert len(ends) == pytest.approx(seconds * RATE_BPS / 8 / FRAME_BYTES, rel=0.01)


def test_a_pause_is_no_credit_for_a_burst(make):
    bench = make((0, 80))
    bench.aim()
    bench.run(30)
    bench.feeding = False
    bench.run(50)
    before = len(bench.line.carried)
    bench.feeding = True
    bench.run(51)
    assert len(bench.line.carried) - before <= 1.1 * RATE_BPS / 8 / FRAME_BYTES + 1


def test_a_frame_lands_a_light_time_after_its_last_bit(make):
    bench = make((0, 60))
    bench.aim()
    for t_ms in range(30_000, 30_100, 3):
        bench.run(t_ms / 1_000)
        due = [good for end_ns, _, good in bench.line.carried if end_ns + DELAY_NS <= t_ms * MS]
        assert bench.landed() == sum(due)
        assert len(due) < len(bench.line.carried)


def test_every_frame_is_heard_or_counted_as_lost(make):
    bench = make((0, 60), covers=(Cover(30.0, 30.3), Cover(40.0, 40.2)))
    bench.aim()
    bench.run(61)
    log = bench.log
    assert log.frames_sent == len(bench.line.carried) == bench.line.frames
    assert log.frames_lost == sum(not good for _, _, good in bench.line.carried)
    assert 0 < log.frames_lost < log.frames_sent
    assert bench.landed() == log.frames_sent - log.frames_lost
    assert log.bytes_good == bench.landed() * FRAME_BYTES


@pytest.mark.parametrize("loss", [0.0, 0.5, 1.0])
def test_a_lost_report_is_counted_and_does_not_arrive(make, loss):
    bench = make((0, 60), report_loss=loss)
    bench.aim()
    bench.run(61)
    log = bench.log
    heard = bench.devices.snapshot().rx_pending
    assert heard == log.uplink_sent - log.uplink_lost
    assert log.uplink_sent == bench.ground.receiver.counters.reports
    assert log.uplink_sent == pytest.approx((60 - log.acquired_s) / 0.2, rel=0.1)
    assert log.uplink_lost == pytest.approx(loss * log.uplink_sent, abs=0.15 * log.uplink_sent)


def test_between_contacts_it_sleeps_and_in_contact_it_looks_as_often_as_needed(make):
    bench = make((10, 40), (50, 80))
    bench.feeding = False
    bench.run(9)
    assert bench.steps == [n * IDLE_NS for n in range(10)]
    bench.aim()
    bench.run(39)
    assert set(np.diff([t for t in bench.steps if t >= 10 * S])) == {100 * MS}
    bench.feeding = True
    bench.run(45)
    assert bench.hal.read_sensors()["term_flags"] == 0
    bench.run(81)
    assert 8 * MS in set(np.diff(bench.steps)), "what a frame takes on this line"
    assert [log.contact.contact_id for log in bench.link.logs] == [1, 2]


def test_a_reset_of_the_node_takes_the_terminals_time_to_turn_again(make):
    bench = make((0, 100))
    bench.aim()
    bench.run(40)
    bench.hal.reset(0)
    bench.link.node_reset(40 * S)
    bench.run(41)
    carried = len(bench.line.carried)
    bench.aim()
    bench.run(44.9)
    assert len(bench.line.carried) == carried
    bench.run(80)
    assert len(bench.line.carried) > carried


def test_what_a_contact_gave_is_told_second_by_second_and_adds_up(make):
    bench = make((0, 60))
    bench.aim()
    bench.run(61)
    log = bench.log
    assert len(log.t_s) == len(log.margin_db) == len(log.goodput_bps) == 60
    assert sum(log.goodput_bps) / 8 <= log.bytes_good
    assert sum(log.goodput_bps) / 8 >= log.bytes_good - RATE_BPS / 8
    assert max(log.goodput_bps) <= RATE_BPS * 1.02
