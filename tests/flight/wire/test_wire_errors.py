"""One promise over every decoder: bytes from outside cause the named error, or nothing."""

import random

import pytest

from flight.telemetry.command_table import NoOp
from flight.telemetry.definitions import Severity
from flight.telemetry.dictionary import CHANNELS, GROUPS
from flight.wire import product_packet, reconcile, report
from flight.wire.errors import WireError, WireReason
from flight.wire.space_packet import Apid, decode_all, encode
from flight.wire.telecommand import (
    Stage,
    Telecommand,
    VerificationReport,
    decode_report,
    decode_telecommand,
    encode_report,
    encode_telecommand,
)
from flight.wire.telemetry import (
    decode_event,
    decode_housekeeping,
    encode_event,
    encode_housekeeping,
)
from flight.wire.transfer_frame import Direction, FrameBuilder, read_frame

FRAME = bytes(
    FrameBuilder(scid=1, direction=Direction.UPLINK, spi=3)
    .build(vcid=3, count=1, counter=1, packets_bytes=[30])
    .finish()[0]
)
GROUP = next(iter(GROUPS))

DECODERS = {
    "frame": (read_frame, FRAME),
    "packets": (decode_all, encode(Apid.EVENT, 1, b"data", time_ns=7) * 2),
    "telecommand": (decode_telecommand, encode_telecommand(Telecommand(5, NoOp()))),
    "verification": (decode_report, encode_report(VerificationReport(5, Stage.COMPLETED))),
    "housekeeping": (decode_housekeeping, encode_housekeeping(GROUP, [1.0] * len(CHANNELS))),
    "event": (decode_event, encode_event(1, Severity.INFO, {"a": 1, "b": "c"})),
    "segment": (
        product_packet.decode_segment,
        product_packet.encode_segment(1, 0, 9, b"123456789"),
    ),
    "manifest": (product_packet.decode_manifest_packet, b"\x01" + bytes(40)),
    "report": (report.decode, b"\x01\x02" + bytes(12)),
    "reconcile request": (reconcile.decode_request, b"\x01\x01" + bytes(9)),
    "reconcile answer": (reconcile.decode_answer, b"\x01\x01" + bytes(9)),
}


def mutated(rng: random.Random, good: bytes) -> bytes:
    raw = bytearray(good)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(raw) + 1)
        match rng.randrange(4):
            case 0 if at < len(raw):
                raw[at] ^= 1 << rng.randrange(8)
            case 1:
                del raw[at:]
            case 2:
                raw[at:at] = rng.randbytes(rng.randrange(1, 12))
            case _:
                raw[at : at + 2] = rng.choice([b"\xff\xff", b"\x80\x80", b"\x00\x00"])
    return bytes(raw)


@pytest.mark.parametrize("name", DECODERS)
def test_20000_broken_inputs_raise_nothing_but_the_wire_error(name):
    decode, good = DECODERS[name]
    rng = random.Random(name)
    refused = dict.fromkeys(WireReason, 0)
    for n in range(20_000):
        raw = rng.randbytes(rng.randrange(64)) if n % 4 == 0 else mutated(rng, good)
        try:
            decode(raw)
        except WireError as error:
            refused[error.reason] += 1
    assert sum(refused.values()) > 2_000


def test_the_reason_is_carried_beside_the_words():
    error = WireError(WireReason.BAD_CRC, "frame 7")
    assert error.reason is WireReason.BAD_CRC
    assert str(error) == "bad_crc: frame 7"
    assert str(WireError(WireReason.TRAILING)) == "trailing"
    assert isinstance(error, ValueError)
