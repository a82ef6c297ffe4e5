import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.base.channels import Latest
from flight.commanding.parameters import ParameterTable
from flight.modes.mode_table import ModeChange
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Mode
from flight.telemetry.event_log import EventLog
from flight.telemetry.recorder import (
    CLOSE_AFTER_NS,
    CLOSE_BYTES,
    REPORT_BYTES_MAX,
    REPORTS_MAX,
    RETRY_NS,
    TRIES_MAX,
    AnomalyReports,
    Recorder,
)
from flight.wire.product_packet import ProductClass
from flight.wire.space_packet import Apid, decode_all, encode

S = 1_000_000_000


class Intake:
    """Takes products as the store would."""

    def __init__(self):
        self.products = []
        self.refuses, self.refused = False, 0

    def submit(self, **fields):
        if self.refuses:
            self.refused += 1
            return None
        self.products.append(fields)
        return len(self.products)


def packets(count, size):
    noise = random.Random(1)
    return [
        encode(Apid.EVENT, i % 16_384, noise.randbytes(size), time_ns=i * S) for i in range(count)
    ]


def test_a_recording_reads_back_as_the_packets_that_were_recorded():
    intake = Intake()
    recorder = Recorder(intake)
    sent = packets(700, 100)
    for second, packet in enumerate(sent):
        recorder.record(packet)
        recorder.step(second * S)
    recorder.close(700 * S)
    stream = b"".join(zlib.decompress(product["payload"]) for product in intake.products)
    assert stream == b"".join(sent)
    assert [p.data for p in decode_all(stream)] == [p.data for p in decode_all(b"".join(sent))]
    assert {p["klass"] for p in intake.products} == {ProductClass.TELEMETRY}


def test_a_recording_is_closed_by_age():
    intake = Intake()
    recorder = Recorder(intake)
    recorder.record(b"x")
    recorder.step(5 * S)
    recorder.step(5 * S + CLOSE_AFTER_NS - 1)
    assert intake.products == []
    recorder.step(5 * S + CLOSE_AFTER_NS)
    (product,) = intake.products
    assert product["name"] == "telemetry-00000005s.tm.z"
    assert product["now_ns"] == 5 * S + CLOSE_AFTER_NS


def test_a_recording_is_closed_by_length_so_memory_is_bounded():
    intake = Intake()
    recorder = Recorder(intake)
    for packet in packets(3 * CLOSE_BYTES // 1_000, 1_000):
        recorder.record(packet)
        recorder.step(S)
        assert len(recorder._buffer) < CLOSE_BYTES + 2_000
    assert len(intake.products) == 3


def test_nothing_recorded_makes_no_product():
    intake = Intake()
    recorder = Recorder(intake)
    recorder.step(0)
    recorder.step(10 * CLOSE_AFTER_NS)
    recorder.close(10 * CLOSE_AFTER_NS)
    assert intake.products == []


class Life:
    """One life of a node that reports; `kept` is what its store has at the end."""

    def __init__(self, intake=None, kept=None):
        self.intake, self.kept, self.t_s = intake or Intake(), kept, 0
        self.channels, self.events = ChannelValues(), EventLog(64)
        self.parameters = ParameterTable({})
        self.reports = AnomalyReports(
            intake=self.intake, channels=self.channels, events=self.events,
            parameters=self.parameters, status=Latest(), keep=self.keep, kept=kept,
        )  # fmt: skip

    def keep(self, words, _now_ns):
        self.kept = words

    def change(self, old, new, cause):
        self.t_s += 1
        self.reports.on_mode(ModeChange(old, new, cause), self.t_s * S)
        self.reports.step(self.t_s * S)
        return self

    def safe(self, cause, old=Mode.COMPUTE):
        return self.change(old, Mode.SAFE, cause)

    def freed(self):
        return self.change(Mode.SAFE, Mode.IDLE, "command")

    def reset(self):
        return Life(self.intake, self.kept)

    @property
    def told(self):
        return [json.loads(product["payload"]) for product in self.intake.products]

    @property
    def causes(self):
        return [each["cause"] for each in self.told]


def test_a_fault_that_makes_the_node_safe_is_reported_once_as_an_emergency_without_a_deadline():
    life = Life()
    life.channels.values[life.channels.index("thermal.die_c")] = 97.25
    life.parameters.set("governor.die_target_c", 71.0)
    life.events.emit("LIMIT_VIOLATED", S, limit="die", value=97.25, bound=90.0)
    life.events.emit("SERVICE_FAILED", 2 * S, name="inference", error="gone")
    life.safe("die too hot")
    for second in range(2, 100):
        life.reports.step(second * S)
    (product,) = life.intake.products
    assert product["klass"] is ProductClass.EMERGENCY
    assert product["deadline_ns"] is None
    (told,) = life.told
    assert (told["cause"], told["from"], told["t_ns"]) == ("die too hot", "COMPUTE", S)
    assert told["channels"] == {"thermal.die_c": 97.25}, "what was never measured is left out"
    assert told["parameters"] == {"governor.die_target_c": 71.0}
    assert [e["name"] for e in told["events"]] == ["SERVICE_FAILED", "LIMIT_VIOLATED"]


def test_safe_by_command_is_no_anomaly_before_a_reset_or_after_it():
    life = Life().safe("command").reset().safe("as before, command", Mode.BOOT)
    assert life.told == []


def test_a_boot_loop_reports_once_and_again_only_when_the_ground_has_led_the_node_out():
    life = Life().safe("battery low")
    for _ in range(50):
        life = life.reset().safe("as before, battery low", Mode.BOOT)
        life = life.reset().safe("boot failed", Mode.BOOT)
    assert life.causes == ["battery low", "boot failed"]
    life.freed().reset().safe("battery low")
    assert life.causes == ["battery low", "boot failed", "battery low"]


def test_a_service_that_was_given_up_before_the_reset_is_reported_after_it():
    life = Life().safe("as before, downlink was given up", Mode.BOOT)
    assert life.causes == ["downlink was given up"]
    assert life.told[0]["told_as"] == "as before, downlink was given up"


def test_of_faults_without_end_the_newest_reports_stay_on_board():
    life = Life()
    for number in range(3 * REPORTS_MAX):
        life.safe("battery low" if number % 2 else "die too hot").freed()
        life = life.reset()
    assert len(life.told) == 3 * REPORTS_MAX
    named = [product["supersedes"] for product in life.intake.products]
    assert named == [None] * REPORTS_MAX + list(range(1, 2 * REPORTS_MAX + 1))


def test_a_report_that_the_store_did_not_take_is_handed_in_again_as_it_was_and_not_for_ever():
    life = Life()
    life.intake.refuses = True
    life.safe("die too hot")
    life.reports.step(2 * S)
    assert life.intake.refused == 1, "it is not asked in every cycle"
    life.intake.refuses = False
    life.reports.step(S + RETRY_NS)
    assert life.told[0]["t_ns"] == S
    life.freed()
    life.intake.refuses = True
    life.safe("die too hot")
    for number in range(1, 2 * TRIES_MAX):
        life.reports.step(10 * S + number * RETRY_NS)
    assert life.intake.refused == 1 + TRIES_MAX


@pytest.mark.parametrize("kept", [b"", b"\x00", b"\xff" * 40, b"\x92\x01\x02"])
def test_a_memory_that_cannot_be_read_is_none(kept):
    assert Life(kept=kept).safe("die too hot").causes == ["die too hot"]


@given(text=st.text(max_size=4_000), count=st.integers(0, 100))
def test_a_report_is_small_whatever_was_told_and_ends_with_whole_events(text, count):
    life = Life()
    life.channels.values[:] = [-1.2345678e-300] * len(life.channels.values)
    for definition in life.parameters.rows():
        life.parameters.set(definition.name, definition.value * 1.0000001)
    for second in range(count):
        life.events.emit("SERVICE_FAILED", second * 100 * S, name=str(second), error=text)
    life.safe("die too hot")
    assert len(life.intake.products[0]["payload"]) <= REPORT_BYTES_MAX
    assert len(life.told[0]["events"]) >= min(count, 1)
