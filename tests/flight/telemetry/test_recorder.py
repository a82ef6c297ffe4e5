import random
import zlib

from flight.telemetry.recorder import CLOSE_AFTER_NS, CLOSE_BYTES, Recorder
from flight.wire.product_packet import ProductClass
from flight.wire.space_packet import Apid, decode_all, encode

S = 1_000_000_000


class Intake:
    """Takes products as the store would."""

    def __init__(self):
        self.products = []

    def submit(self, **fields):
        self.products.append(fields)
        return True


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
