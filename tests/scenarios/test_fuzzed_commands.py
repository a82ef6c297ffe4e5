"""A whole node and telecommands that are nearly right: the ledger balances, a refusal is answered
with its reason, counted by cause, and changes nothing; nothing that comes up can raise."""

import any_command
import msgspec
import pytest
from fuzz_times import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_rejected_commands import Flown

from flight.commanding.authentication import REFUSALS
from flight.telemetry.definitions import Mode
from flight.telemetry.dictionary import COMMAND_BY_NAME
from flight.wire.telecommand import Stage, Telecommand, encode_telecommand

HARMLESS = [name for name in COMMAND_BY_NAME if name != "RESET_NODE"]

values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=60),
    st.binary(max_size=60), st.lists(st.integers(0, 9), max_size=3),
)  # fmt: skip


@st.composite
def bodies(draw, number):
    """A telecommand with anything in the place of its arguments, or one that is whole."""
    command = draw(any_command.commands.filter(lambda c: type(c).__name__ != "ResetNode"))
    if draw(st.booleans()):
        return encode_telecommand(Telecommand(number, command))
    told = msgspec.to_builtins(command, builtin_types=(bytes,))
    told["type"] = draw(st.sampled_from([*HARMLESS, "NOPE", ""]))
    for key in draw(st.lists(st.sampled_from([*told, "more"]), max_size=2)):
        told[key] = draw(values)
    if told["type"] == "RESET_NODE":
        told["type"] = "NO_OP"
    envelope = {"id": draw(st.sampled_from([number, number, number, 1, -1, "x", 2**63])),
                "cmd": told}  # fmt: skip
    data = msgspec.msgpack.encode(envelope)
    return data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 9)) == 0 else data


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    flight = Flown(tmp_path_factory.mktemp("flown"))
    # An authentic frame spends a number, which is durable every 64: the link's, whatever is in it.
    flight.node.uplink._authenticator._link._window._store_every = 1 << 62
    yield flight
    flight.target.finish()


@settings(
    deadline=None, max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.data(), st.sampled_from([Mode.BOOT, Mode.SAFE, Mode.IDLE, Mode.COMPUTE]))
def test_what_is_refused_is_answered_counted_by_cause_and_changes_nothing(flown, data, mode):
    flown.mode(mode)
    ledger, told = flown.node.uplink.ledger, []
    body = data.draw(bodies(flown.number + 1))[:1_100] or b"\0"
    before, hashed = msgspec.structs.asdict(_counts(ledger)), flown.hash()
    real = flown.node.uplink._on_answer
    flown.node.uplink._on_answer = lambda dispatched, _now_ns: told.append(dispatched)
    try:
        flown.send(body)
    finally:
        flown.node.uplink._on_answer = real
    after = msgspec.structs.asdict(_counts(ledger))
    assert ledger.received == ledger.accepted + ledger.rejected + ledger.malformed
    assert ledger.rejected == ledger.duplicates + sum(ledger.by_reason.values())
    assert after["received"] == before["received"] + 1
    assert flown.dispatcher.handler_errors == 0, flown.dispatcher.last_error
    if after["accepted"] > before["accepted"]:
        return
    assert flown.hash() == hashed
    if after["malformed"] > before["malformed"]:
        assert told == []
        return
    ((report,),) = [dispatched.reports for dispatched in told]
    if after["duplicates"] == before["duplicates"]:
        assert report.stage is Stage.REJECTED
        assert report.reason in REFUSALS


class _Counts(msgspec.Struct):
    received: int
    accepted: int
    malformed: int
    duplicates: int


def _counts(ledger):
    return _Counts(ledger.received, ledger.accepted, ledger.malformed, ledger.duplicates)
