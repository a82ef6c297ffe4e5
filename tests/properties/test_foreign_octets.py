"""Every decoder of the node takes any octets: it reads them, or says why not, and nothing else.

Octets that are nearly right go deepest, so they are made from real ones: cut, spliced, flipped,
with numbers at their ends. A decoder that is added and not in the table is found.
"""

import inspect
from importlib import import_module
from math import nan
from pkgutil import iter_modules

import any_command
import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import flight.commanding
import flight.wire
from flight import boot_record
from flight.commanding.parameter_copies import CopyVerdict, decode_copy, encode_copy
from flight.commanding.sequence import Finding, Sequence, Step, decode_sequence, encode_sequence
from flight.downlink import segment_record, store_request
from flight.keys import Half, derive_from_seed
from flight.operator_session_mqtt import ack_of
from flight.send_dump import Collector
from flight.telemetry.command_table import NoOp, SetParameter
from flight.telemetry.dictionary import CHANNELS, EVENTS, GROUPS
from flight.telemetry.mqtt_messages import Ack, LoadTold, Topics, encode
from flight.wire import (
    parameter_report,
    product_packet,
    reconcile,
    repair_packet,
    report,
    space_packet,
    telecommand,
    telemetry,
    transfer_frame,
)
from flight.wire.counter_reserve import CounterReserve
from flight.wire.errors import WireError
from flight.wire.parameter_report import ReportedParameter
from flight.wire.product_packet import Freed, Manifest, ProductClass
from flight.wire.reconcile import Answered, Asked, Held, ReconcileAnswer
from flight.wire.repair_packet import RepairSymbol
from flight.wire.report import Report
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import Apid
from flight.wire.telecommand import CommandReason, Stage, Telecommand, VerificationReport
from flight.wire.transfer_frame import VirtualChannel

TOPICS = Topics("lumenode-1")
ROW = [nan if i % 5 == 0 else float(i) for i in range(len(CHANNELS))]
PACKETS = b"".join(
    space_packet.encode(Apid.TELECOMMAND, count, b"\x00" * 20, time_ns=5, telecommand=True)
    for count in range(3)
)
MANIFEST = Manifest(7, ProductClass.MASK, 900, 5, 250, None, 3, "mask-7.msk", 6)
RANGES = ((10, 20), (30, 44))
ACK = Ack(boot=1, seq=2, dropped=0, t_ns=3, utc_s=4.0, id="7", command="NO_OP",
          stage="completed", reason="none")  # fmt: skip
PIECE = LoadTold(boot=1, seq=2, dropped=0, t_ns=3, utc_s=4.0, kind="model", version=1,
                 size_bytes=4, crc32c=7, offset=0, data=b"data")  # fmt: skip


def sealed():
    keys = derive_from_seed(3)
    link = SecureLink(
        scid=4, sends=keys.sends(Half.GROUND), receives=[keys.receives(Half.GROUND)],
        counters=CounterReserve(lambda: 0, lambda _: None),
    )  # fmt: skip
    return link.seal(VirtualChannel.UPLINK, [PACKETS]).frame


def opened(frame):
    keys = derive_from_seed(3)
    link = SecureLink(
        scid=4, sends=keys.sends(Half.NODE), receives=[keys.receives(Half.NODE)],
        counters=CounterReserve(lambda: 0, lambda _: None),
    )  # fmt: skip
    link.open(bytes(frame))


def piece_taken(octets):
    collector = Collector("model", TOPICS.loads)
    collector.take(TOPICS.loads, octets)
    collector.whole()


COMMANDS = [NoOp(), SetParameter("power.soc_floor", 0.5)]
TELECOMMANDS = [telecommand.encode_telecommand(Telecommand(9, each)) for each in COMMANDS]
SEQUENCE = encode_sequence(Sequence("night", 1, (Step(NoOp()), Step(NoOp(), 5_000))))
RECORD = segment_record.encode_record(segment_record.RecordKind(1), 7, b"meta", b"payload")

DECODERS = {
    telemetry.decode_housekeeping: [telemetry.encode_housekeeping(g, ROW) for g in GROUPS],
    telemetry.decode_event: [
        telemetry.encode_event(e.event_id, e.severity, {"count": 3, "name": "x"}) for e in EVENTS
    ],
    report.decode: [report.encode(Report(3, 9, 1, 60, 5, ((30, 44), (10, 20)), (1, 2)))],
    space_packet.decode_all: [PACKETS],
    transfer_frame.read_frame: [sealed()],
    repair_packet.decode_repair: [
        repair_packet.encode_repair(RepairSymbol(3, 2, 10, 1, b"\x00\x04data"))
    ],
    reconcile.decode_request: [reconcile.encode_request((Asked(7, 900, 5), Asked(8, 1, 2)))],
    reconcile.decode_answer: [
        reconcile.encode_answer(ReconcileAnswer(3, (Answered(7, Held.PARTIAL, RANGES),)))
    ],
    product_packet.decode_segment: [product_packet.encode_segment(7, 10, 100, b"data")],
    product_packet.decode_manifest_packet: [
        product_packet.encode_manifest(MANIFEST), product_packet.encode_list(Freed((1, 2, 3))),
    ],
    telecommand.decode_telecommand: TELECOMMANDS,
    telecommand.decode_command: TELECOMMANDS,
    telecommand.decode_report: [
        telecommand.encode_report(VerificationReport(9, Stage.FAILED, CommandReason.BUSY))
    ],
    parameter_report.decode_parameters: parameter_report.encode_parameters(
        [ReportedParameter("power.soc_floor", 0.5, True)]
    ),
    decode_copy: [encode_copy({"power.soc_floor": 0.5}, 3)],
    decode_sequence: [SEQUENCE],
    boot_record.decode: [boot_record.encode(boot_record.BootRecord(sequence=3, boots=2))],
    segment_record.decode_header: [RECORD],
    store_request.decode_ranges: [store_request.encode_ranges(RANGES)],
    opened: [sealed()],
    ack_of: [encode(ACK)],
    piece_taken: [encode(PIECE)],
}  # fmt: skip
"""What reads octets from the link, a broker or a medium, and octets that it reads."""

RAISES = {
    decoder: WireError for decoder in DECODERS if decoder.__module__.startswith("flight.wire.")
}
NUMBERS = (b"\x00\x00", b"\xff\xff", b"\x7f\xff\xff\xff", b"\xff" * 8, b"\x80" * 10, b"\x7f\xf8")


@st.composite
def hurt(draw, good):
    """Octets that are nearly right."""
    octets = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(octets)))
        match draw(st.sampled_from(["flip", "cut", "put", "number", "splice"])):
            case "flip" if at < len(octets):
                octets[at] ^= draw(st.integers(1, 255))
            case "cut":
                del octets[at : at + draw(st.integers(1, 30))]
            case "put":
                octets[at:at] = draw(st.binary(max_size=12))
            case "number":
                number = draw(st.sampled_from(NUMBERS))
                octets[at : at + len(number)] = number
            case "splice":
                octets[at:] = draw(st.sampled_from(good))[draw(st.integers(0, 30)) :]
    return bytes(octets)


@pytest.mark.parametrize("decode", DECODERS, ids=lambda decode: decode.__qualname__)
def test_every_decoder_reads_what_was_written(decode):
    for octets in DECODERS[decode]:
        if decode is not telecommand.decode_command:
            decode(octets)


@pytest.mark.parametrize(
    "decode", DECODERS, ids=lambda each: f"{each.__module__.split('.')[-1]}-{each.__qualname__}"
)
@settings(deadline=None, max_examples=examples(100))
@given(data=st.data())
def test_whatever_the_octets_are_they_are_read_or_refused_by_name(decode, data):
    octets = data.draw(st.one_of(st.binary(max_size=200), hurt(DECODERS[decode])))
    try:
        decode(octets)
    except RAISES.get(decode, ()):
        return


@settings(deadline=None, max_examples=examples(200))
@given(any_command.commands, st.data())
def test_a_command_hurt_in_any_way_is_another_one_in_range_or_none(command, data):
    good = [telecommand.encode_telecommand(Telecommand(9, command))]
    try:
        found = telecommand.decode_telecommand(data.draw(hurt(good)))
    except WireError:
        return
    if isinstance(found, Telecommand):
        again = telecommand.encode_telecommand(found)
        assert telecommand.decode_telecommand(again) == found
        assert telecommand.is_in_range(found.command)


@settings(deadline=None, max_examples=examples(200))
@given(hurt([SEQUENCE, encode_copy({"power.soc_floor": 0.5}, 3)]))
def test_what_has_a_sum_is_good_only_when_it_is_what_was_written(octets):
    verdict, _, values = decode_copy(octets)
    assert (verdict is CopyVerdict.GOOD) == (octets == encode_copy({"power.soc_floor": 0.5}, 3))
    assert bool(values) == (verdict is CopyVerdict.GOOD)
    assert isinstance(decode_sequence(octets), (Sequence, Finding))


def decoders_of(package):
    """Public functions of a package that read octets, by their name."""
    for info in iter_modules(package.__path__, f"{package.__name__}."):
        module = import_module(info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_public = not name.startswith("_") and function.__module__ == info.name
            if is_public and name.startswith(("decode", "read_", "unpack", "parse")):
                yield function


def test_no_decoder_of_the_wire_or_of_commanding_is_left_out():
    found = {*decoders_of(flight.wire), *decoders_of(flight.commanding)}
    assert len(found) > 10
    assert found - set(DECODERS) == set()


def test_control_a_decoder_that_trusts_a_length_is_caught():
    @settings(database=None)
    @given(hurt([space_packet.encode(Apid.TELECOMMAND, 1, b"data", time_ns=5)]))
    def tried(octets):
        length = int.from_bytes(octets[4:6], "big")
        assert len(octets) < 6 or octets[6 + length] >= 0

    with pytest.raises((IndexError, ExceptionGroup)):
        tried()
