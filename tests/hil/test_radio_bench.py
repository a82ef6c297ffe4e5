"""The radio carries what its line can, from lock on, and counts what it loses."""

import numpy as np
import pytest

from flight.keys import derive_from_seed
from hal.native_devices import NativeDevices
from hal.sample import HalConfig, TermFlag
from hal.sim_bench import SimBench
from hil.contact_book import PlannedContact
from hil.ground.archive import Archive
from hil.ground.ground_segment import GroundSegment
from hil.plant.optical_channel import ContactGeometry
from hil.radio_bench import LOCK_NS, RadioBench
from hil.run_recorder import RunRecorder
from hil.simloop import SimLoop

S = 1_000_000_000
RATE_BPS, FRAME_BYTES = 64e3, 1_000
GEOMETRY = ContactGeometry(0.0, (700.0, 700.0), None)


class Line(RunRecorder):
    """Notes every frame on the line."""

    def __init__(self):
        super().__init__((), 0.0)
        self.carried = []

    def frame(self, t_ns, frame, *, good):
        super().frame(t_ns, frame, good=good)
        self.carried.append((t_ns, good))


class Bench:
    """A modem, its line and a ground on virtual time; the node fills the modem."""

    def __init__(self, folder, *spans, loss=0.0):
        self.loop = SimLoop()
        self.devices = NativeDevices("sim", HalConfig(tx_fifo_frames=8, rx_fifo_frames=1_000))
        self.end = SimBench(self.devices)
        self.line = Line()
        self.ground = GroundSegment(
            keys=derive_from_seed(1), scid=1, frame_bytes_max=2_048, radio_frame_bytes=2_048,
            archive=Archive(folder, sync=False),
        )  # fmt: skip
        self.radio = RadioBench(
            modem=self.end,
            contacts=[
                PlannedContact(i, "RADIO", 7, "Nemea", start, end, RATE_BPS, 60.0, GEOMETRY)
                for i, (start, end) in enumerate(spans, 1)
            ],
            ground=self.ground, recorder=self.line, call_at_ns=self.loop.call_at_ns,
            seeds=np.random.SeedSequence(3), loss=loss,
        )  # fmt: skip
        self.loop.call_at_ns(0, self._step)

    def _step(self):
        while self.devices.submit_frame(bytes(FRAME_BYTES)):
            pass
        self.loop.call_at_ns(self.radio.step(self.loop.time_ns()), self._step)

    def run(self, until_s):
        self.loop.run_until_ns(round(until_s * S))

    def locked(self):
        return bool(self.end.read_sensors()["term_flags"] & TermFlag.SYNC)


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


def test_frames_go_only_in_a_contact_and_only_once_there_is_lock(make):
    bench = make((10, 30), (40, 60))
    bench.run(10 + LOCK_NS / S - 0.1)
    assert not bench.locked()
    bench.run(35)
    assert not bench.locked()
    bench.run(50)
    assert bench.locked()
    times = [t_ns / S for t_ns, _ in bench.line.carried]
    assert min(times) >= 12
    assert not [t_s for t_s in times if 30.5 < t_s < 42]
    assert bench.radio.log.contacts == 2


def test_the_line_carries_its_rate_and_no_more(make):
    bench = make((0, 62))
    bench.run(62)
    assert len(bench.line.carried) * FRAME_BYTES * 8 == pytest.approx(60 * RATE_BPS, rel=0.01)
    assert bench.radio.log.bytes_good == len(bench.line.carried) * FRAME_BYTES


def test_frames_are_lost_by_chance_either_way_and_counted(make):
    bench = make((0, 302), loss=0.25)
    bench.run(302)
    log = bench.radio.log
    assert log.frames_lost == sum(not good for _, good in bench.line.carried)
    assert log.frames_lost / log.frames_sent == pytest.approx(0.25, abs=0.03)
    assert log.uplink_lost / log.uplink_sent == pytest.approx(0.25, abs=0.08)


def test_reports_come_up_about_once_a_second_and_what_lands_is_the_radios(make):
    bench = make((0, 32))
    bench.run(33)
    assert bench.radio.log.uplink_sent == pytest.approx(30, abs=2)
    refused = bench.ground.frames_refused
    assert sum(refused.values()) == len(bench.line.carried)


def test_after_a_reset_the_modem_finds_its_carrier_again(make):
    bench = make((0, 60))
    bench.run(10)
    bench.end.reset(0)
    bench.end.write_sensors(term_flags=0)
    bench.radio.node_reset()
    bench.run(11)
    assert bench.locked()
