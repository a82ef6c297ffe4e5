"""Every frame and every telecommand is in a ledger that balances, whatever the octets are."""

import any_command
import msgspec
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from test_uplink_service import SCID, Node, turned

from flight.commanding.authentication import REFUSALS
from flight.telemetry.channel_table import COMMAND_REFUSALS, FRAME_REFUSALS
from flight.telemetry.definitions import Mode
from flight.wire.link_security import SecurityVerdict
from flight.wire.space_packet import Apid, encode
from flight.wire.telecommand import (
    TELECOMMAND_BYTES_MAX,
    Telecommand,
    Unusable,
    decode_telecommand,
    encode_telecommand,
)

identities = st.integers(1, 40)
whole = st.builds(
    lambda number, command: encode_telecommand(Telecommand(number, command)),
    identities, any_command.commands,
)  # fmt: skip
damaged = st.tuples(whole, st.integers(0, 10_000), st.integers(1, 255)).map(
    lambda t: (
        t[0][: t[1] % len(t[0])]
        + bytes([t[0][t[1] % len(t[0])] ^ t[2]])
        + t[0][t[1] % len(t[0]) + 1 :]
    )
)
shaped = st.builds(
    lambda number, name, more: msgspec.msgpack.encode(
        {"id": number, "cmd": {"type": name, **more}}
    ),
    st.one_of(identities, st.integers(-2, 2**64 - 1)),
    st.one_of(st.text(max_size=8), st.sampled_from(["NO_OP", "SET_MODE", "LOAD_PART"])),
    st.dictionaries(
        st.sampled_from(["mode", "offset", "data", "name"]),
        st.one_of(st.none(), st.integers(-5, 5), st.binary(max_size=4), st.text(max_size=4)),
    ),
)  # fmt: skip
telecommands = st.one_of(whole, damaged, shaped, st.binary(max_size=TELECOMMAND_BYTES_MAX + 9))


@settings(deadline=None, max_examples=examples(400))
@given(st.one_of(telecommands, st.recursive(st.binary(max_size=4), st.lists).map(
    msgspec.msgpack.encode)))  # fmt: skip
def test_the_codec_takes_any_octets_and_what_it_reads_it_would_write_again(data):
    try:
        found = decode_telecommand(data)
    except ValueError:
        return
    if isinstance(found, Unusable):
        assert found.reason.value > 0
    else:
        assert decode_telecommand(encode_telecommand(found)) == found


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(st.tuples(telecommands, st.sampled_from(["sent", "twice", "hurt"])), max_size=12),
       st.sampled_from([Mode.BOOT, Mode.SAFE, Mode.COMPUTE]))  # fmt: skip
def test_received_is_accepted_and_rejected_and_malformed_whatever_comes_over_the_link(sent, mode):
    node = Node(mode=mode)
    node.uplink._dispatcher._handlers = _quiet(node)
    sound = frames = 0
    for count, (data, fate) in enumerate(sent):
        packet = encode(Apid.TELECOMMAND, count, data or b"\0", time_ns=0, telecommand=True)
        (frame,) = node.ground.frames_for([packet])
        copies = [frame, frame] if fate == "twice" else [frame]
        for copy in copies:
            verdict = node.uplink.take_frame(turned(copy, 20) if fate == "hurt" else copy, 0)
            frames += 1
            sound += verdict is SecurityVerdict.OK
            ledger = node.ledger
            assert ledger.received == ledger.accepted + ledger.rejected + ledger.malformed
            assert ledger.rejected == ledger.duplicates + sum(ledger.by_reason.values())
    assert node.ledger.received == sound
    assert sound == sum(fate != "hurt" for _, fate in sent), "a frame played back does not count"
    shown = node.channels.get
    if frames:
        assert shown("link.frames_received") + shown("link.frames_rejected") == frames
        causes = [shown(f"link.rejected_{name}") for name, _ in FRAME_REFUSALS]
        assert sum(causes) == shown("link.frames_rejected")
        for reason, count in node.ledger.by_reason.items():
            assert shown(f"command.rejected_{reason.name.lower()}") == count
        assert shown("command.accepted_total") == node.ledger.accepted
        assert shown("command.rejected_total") == node.ledger.rejected
        assert shown("command.malformed_total") == node.ledger.malformed
        assert shown("command.duplicates_total") == node.ledger.duplicates
    assert node.ledger.duplicates <= node.ledger.rejected


@settings(deadline=None, max_examples=examples(200))
@given(st.binary(max_size=300))
def test_octets_that_are_no_frame_of_ours_are_a_rejected_frame_and_no_command(octets):
    node = Node()
    header = SCID.to_bytes(2, "big")
    for frame in (octets, header + octets):
        assert node.uplink.take_frame(frame, 0) is not SecurityVerdict.OK
    assert node.ledger.received == 0
    assert node.channels.get("link.frames_rejected") == 2
    assert node.answers() == []


def test_every_cause_to_refuse_a_frame_or_a_command_has_its_channel():
    assert [name for name, _ in FRAME_REFUSALS] == [
        verdict.value for verdict in SecurityVerdict if verdict is not SecurityVerdict.OK
    ]
    assert [name for name, _ in COMMAND_REFUSALS] == [reason.name.lower() for reason in REFUSALS]


def _quiet(node):
    """Handlers that take any command of the dictionary, not only those of the fixture."""
    bindings = node.uplink._dispatcher._handlers
    return {kind: type(row)(kind, _nothing) for kind, row in bindings.items()}


def _nothing(_command, _now_ns):
    from flight.commanding.dispatcher import COMPLETED  # noqa: PLC0415

    return COMPLETED
