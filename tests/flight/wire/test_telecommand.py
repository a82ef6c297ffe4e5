import msgspec
import pytest
from any_command import commands
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.telemetry.command_table import NoOp, SetParameter
from flight.telemetry.dictionary import PARAMETERS
from flight.wire.errors import WireError, WireReason
from flight.wire.telecommand import (
    COMMAND_ID_MAX,
    TELECOMMAND_BYTES_MAX,
    CommandReason,
    Stage,
    Telecommand,
    Unusable,
    VerificationReport,
    decode_report,
    decode_telecommand,
    encode_report,
    encode_telecommand,
)


def raw(command_id: object, command: object, **more: object) -> bytes:
    return msgspec.msgpack.encode({"id": command_id, "cmd": command, **more})


@settings(deadline=None, max_examples=examples(300))
@given(st.integers(1, COMMAND_ID_MAX), commands)
def test_every_command_of_the_dictionary_arrives_as_it_was_given(command_id, command):
    telecommand = Telecommand(command_id, command)
    assert decode_telecommand(encode_telecommand(telecommand)) == telecommand


OUT, UNKNOWN = CommandReason.OUT_OF_RANGE, CommandReason.UNKNOWN_COMMAND
PARAMETER = PARAMETERS[0]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"type": "SET_MODE", "mode": "DOWNLINK"}, OUT),
        ({"type": "SET_MODE"}, OUT),
        ({"type": "SET_MODE", "mode": 2}, OUT),
        ({"type": "DELETE_PRODUCT", "product_id": 0}, OUT),
        ({"type": "DELETE_PRODUCT", "product_id": 2**64 - 1}, OUT),
        ({"type": "REPRIORITISE", "product_id": 1, "value_millis": -1}, OUT),
        ({"type": "SET_PARAMETER", "name": "no.such", "value": 1.0}, OUT),
        ({"type": "SET_PARAMETER", "name": PARAMETER.name, "value": PARAMETER.high + 1}, OUT),
        ({"type": "SET_PARAMETER", "name": PARAMETER.name, "value": float("nan")}, OUT),
        ({"type": "SET_PARAMETER", "name": PARAMETER.name, "value": float("-inf")}, OUT),
        ({"type": "SELF_DESTRUCT"}, UNKNOWN),
        ({"type": 7}, UNKNOWN),
        ({}, UNKNOWN),
        ([], UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_readable_identity_always_gets_an_answer_with_the_reason(command, reason):
    assert decode_telecommand(raw(12, command)) == Unusable(12, reason)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        raw(0, {"type": "NO_OP"}),
        raw(-1, {"type": "NO_OP"}),
        raw(COMMAND_ID_MAX + 1, {"type": "NO_OP"}),
        raw("1", {"type": "NO_OP"}),
        raw(1, {"type": "NO_OP"}, more=1),
        raw(1, {"type": "NO_OP"}) + b"\x00",
        raw(1, {"type": "NO_OP"})[:-1],
        b"\x91" * 1_000,
        b"\x82\xa2id\x01\xa3cmd" + b"\x91" * 1_000,
    ],
)
def test_what_has_no_readable_identity_is_a_wire_error(data):
    with pytest.raises(WireError) as caught:
        decode_telecommand(data)
    assert caught.value.reason is WireReason.BAD_VALUE


def test_a_telecommand_too_long_is_refused_on_both_ends():
    with pytest.raises(WireError) as caught:
        decode_telecommand(bytes(TELECOMMAND_BYTES_MAX + 1))
    assert caught.value.reason is WireReason.TOO_LONG
    with pytest.raises(WireError) as caught:
        encode_telecommand(Telecommand(1, SetParameter("x" * TELECOMMAND_BYTES_MAX, 1.0)))
    assert caught.value.reason is WireReason.TOO_LONG


@pytest.mark.parametrize("command_id", [0, -1, COMMAND_ID_MAX + 1])
def test_an_identity_out_of_range_is_never_sent(command_id):
    with pytest.raises(WireError):
        encode_telecommand(Telecommand(command_id, NoOp()))


@settings(deadline=None, max_examples=examples(500))
@given(st.binary(max_size=80), commands, st.data())
def test_garbage_and_damaged_commands_raise_nothing_but_the_wire_error(garbage, command, data):
    good = bytearray(encode_telecommand(Telecommand(77, command)))
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    good[bit // 8] ^= 1 << bit % 8
    for raw_bytes in (garbage, bytes(good)):
        try:
            decoded = decode_telecommand(raw_bytes)
        except WireError:
            continue
        assert isinstance(decoded, Telecommand | Unusable)


@settings(deadline=None, max_examples=examples(100))
@given(st.integers(0, 2**64 - 1), st.sampled_from(Stage), st.sampled_from(CommandReason))
def test_reports_arrive_as_they_were_given(command_id, stage, reason):
    report = VerificationReport(command_id, stage, reason)
    assert decode_report(encode_report(report)) == report


@settings(deadline=None, max_examples=examples(200))
@given(st.one_of(st.binary(max_size=14), st.binary(min_size=10, max_size=10)))
def test_garbage_reports_raise_nothing_but_the_wire_error(data):
    try:
        report = decode_report(data)
    except WireError:
        return
    assert encode_report(report) == data
