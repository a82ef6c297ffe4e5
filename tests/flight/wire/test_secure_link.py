import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.keys import Half, LinkKeys, derive_from_seed
from flight.wire.counter_reserve import COUNTER_MAX, CounterExhausted, CounterReserve
from flight.wire.crc import crc16_ccitt
from flight.wire.errors import WireError, WireReason
from flight.wire.link_security import SecurityVerdict
from flight.wire.replay_window import ReplayWindow
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, encode
from flight.wire.transfer_frame import AAD_BYTES, FRAME_OVERHEAD_BYTES, VirtualChannel

SCID = 0x2A
KEYS = derive_from_seed(1)
PRODUCTS, TELEMETRY, UPLINK = (
    VirtualChannel.PRODUCTS,
    VirtualChannel.TELEMETRY,
    VirtualChannel.UPLINK,
)


def link(
    half: Half, *, keys: LinkKeys = KEYS, scid: int = SCID, start: int = 0, **kw
) -> SecureLink:
    return SecureLink(
        scid=scid,
        sends=keys.sends(half),
        receives=[keys.receives(half)],
        counters=CounterReserve(lambda: start, lambda _: None),
        **kw,
    )


def packet(data: bytes = b"data", count: int = 0) -> bytes:
    return encode(Apid.PRODUCT_SEGMENT, count, data, time_ns=5)


def repaired(frame: bytes) -> bytes:
    return frame[:-2] + crc16_ccitt(frame[:-2]).to_bytes(2, "big")


def state(end: SecureLink) -> tuple[object, ...]:
    """Everything of a link that a received frame could change, ledger apart."""
    return (
        end._window.highest,
        end._window._seen,
        dict(end._frame_no),
        end.frames_sealed,
        end.counters.remaining,
        sorted(end._ciphers),
    )


@settings(deadline=None, max_examples=examples(100))
@given(
    st.lists(
        st.tuples(
            st.sampled_from([TELEMETRY, PRODUCTS]),
            st.lists(st.binary(max_size=200), min_size=1, max_size=5),
        ),
        max_size=6,
    )
)
def test_what_one_end_seals_the_other_opens_in_order(batches):
    node, ground = link(Half.NODE), link(Half.GROUND)
    numbers = {TELEMETRY: 0, PRODUCTS: 0}
    for vcid, datas in batches:
        sealed = node.seal(vcid, [packet(data) for data in datas])
        opened = ground.open(sealed.frame)
        assert isinstance(opened, Opened)
        numbers[vcid] += 1
        assert (opened.vcid, opened.frame_no) == (vcid, sealed.frame_no) == (vcid, numbers[vcid])
        assert [p.data for p in opened.packets] == datas
    assert ground.ledger.received == ground.ledger.accepted == len(batches)


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.lists(st.binary(max_size=80), min_size=1, max_size=3), min_size=1, max_size=9))
def test_a_batch_is_octet_for_octet_the_frames_sealed_one_by_one(groups):
    packed = [[packet(data) for data in group] for group in groups]
    one, many = link(Half.NODE), link(Half.NODE)
    together = [(s.frame, s.vcid, s.frame_no) for s in many.seal_batch(PRODUCTS, packed)]
    alone = [one.seal(PRODUCTS, group) for group in packed]
    assert together == [(s.frame, s.vcid, s.frame_no) for s in alone]
    assert state(one)[2:4] == state(many)[2:4]


def test_a_batch_of_large_frames_is_the_frames_one_by_one_too():
    groups = [[packet(bytes([i]) * 60_000)] for i in range(9)]
    one, many = (link(Half.NODE, frame_bytes_max=65_536) for _ in range(2))
    together = [bytes(sealed.frame) for sealed in many.seal_batch(PRODUCTS, groups)]
    assert together == [one.seal(PRODUCTS, group).frame for group in groups]


def test_frames_of_a_batch_stay_as_they_are_until_the_link_seals_again():
    node, ground = link(Half.NODE), link(Half.GROUND)
    few = node.seal_batch(PRODUCTS, [[packet(b"a")], [packet(b"b")]])
    assert all(isinstance(ground.open(bytes(sealed.frame)), Opened) for sealed in few)
    kept = node.seal(PRODUCTS, [packet(b"kept")])
    node.seal_batch(PRODUCTS, [[packet(b"next")]] * 5)
    assert isinstance(ground.open(kept.frame), Opened)


def test_counters_made_ready_are_written_down_once_and_before_they_are_used():
    stored = []
    node = SecureLink(
        scid=SCID, sends=KEYS.sends(Half.NODE), receives=[KEYS.receives(Half.NODE)],
        counters=CounterReserve(lambda: 0, stored.append, block=8),
    )  # fmt: skip
    node.make_ready(20)
    assert stored == [8, 16, 24]
    node.seal_batch(PRODUCTS, [[packet()]] * 20)
    assert stored == [8, 16, 24]


@pytest.mark.parametrize(
    "groups", [[], [[packet()], []], [[packet()], [bytes(2_048)]], [[packet()]] * 4_097]
)
def test_a_batch_with_one_bad_group_seals_none_of_them(groups):
    node = link(Half.NODE)
    before = state(node)
    with pytest.raises(WireError):
        node.seal_batch(PRODUCTS, groups)
    assert state(node) == before


def test_another_implementation_of_the_cipher_agrees_on_nonce_and_authenticated_bytes():
    frame = link(Half.NODE).seal(PRODUCTS, [packet(b"secret")]).frame
    assert b"secret" not in frame
    plain = AESGCM(KEYS.downlink_key).decrypt(frame[15:27], frame[28:-2], frame[:28])
    assert plain == packet(b"secret")


@pytest.mark.parametrize("size", [2_048, 8_192, 65_536])
def test_a_full_frame_of_each_size_passes_and_one_octet_more_does_not(size):
    node, ground = link(Half.NODE, frame_bytes_max=size), link(Half.GROUND, frame_bytes_max=size)
    full = packet(bytes(node.packets_bytes_max - len(packet(b""))))
    sealed = node.seal(PRODUCTS, [full])
    assert len(sealed.frame) == size
    assert isinstance(ground.open(sealed.frame), Opened)
    with pytest.raises(WireError) as caught:
        node.seal(PRODUCTS, [full, packet()])
    assert caught.value.reason is WireReason.TOO_LONG
    assert node.next_frame_no(PRODUCTS) == sealed.frame_no + 1


@pytest.mark.parametrize(
    ("vcid", "packets"), [(UPLINK, [packet()]), (9, [packet()]), (PRODUCTS, [])]
)
def test_a_foreign_channel_or_an_empty_frame_is_never_sealed(vcid, packets):
    node = link(Half.NODE)
    before = state(node)
    with pytest.raises(WireError):
        node.seal(vcid, packets)
    assert state(node) == before


def test_each_hostile_frame_has_its_verdict_and_changes_nothing():
    node, ground = link(Half.NODE), link(Half.GROUND)
    frame = node.seal(PRODUCTS, [packet()]).frame
    foreign = link(Half.NODE, scid=SCID + 1).seal(PRODUCTS, [packet()]).frame
    upward = ground.seal(UPLINK, [packet()]).frame
    old_epoch = link(Half.NODE, keys=derive_from_seed(1, epoch=2)).seal(PRODUCTS, [packet()]).frame
    other_key = link(Half.NODE, keys=derive_from_seed(2)).seal(PRODUCTS, [packet()]).frame
    flipped = bytearray(frame)
    flipped[40] ^= 1
    iv = bytearray(frame)
    iv[18] ^= 1
    before = state(ground)
    expected = [
        (b"", SecurityVerdict.BAD_LENGTH),
        (frame[:-1], SecurityVerdict.BAD_FECF),
        (repaired(frame[:-1]), SecurityVerdict.BAD_LENGTH),
        (frame + bytes(2_048), SecurityVerdict.BAD_LENGTH),
        (bytes(flipped), SecurityVerdict.BAD_FECF),
        (repaired(bytes(flipped)), SecurityVerdict.BAD_MAC),
        (repaired(b"\x00" + frame[1:]), SecurityVerdict.BAD_HEADER),
        (repaired(bytes(iv)), SecurityVerdict.BAD_HEADER),
        (foreign, SecurityVerdict.WRONG_CHANNEL),
        (upward, SecurityVerdict.WRONG_CHANNEL),
        (old_epoch, SecurityVerdict.UNKNOWN_SPI),
        (other_key, SecurityVerdict.BAD_MAC),
    ]
    for raw, verdict in expected:
        assert ground.open(raw) is verdict
    assert state(ground) == before
    assert ground.ledger.received == ground.ledger.rejected + ground.ledger.malformed
    assert isinstance(ground.open(frame), Opened)
    assert ground.open(frame) is SecurityVerdict.REPLAYED


@pytest.mark.parametrize("at", range(AAD_BYTES))
def test_every_octet_in_the_clear_is_authenticated(at):
    node, ground = link(Half.NODE), link(Half.GROUND)
    frame = bytearray(node.seal(PRODUCTS, [packet()]).frame)
    for bit in range(8):
        frame[at] ^= 1 << bit
        assert not isinstance(ground.open(repaired(bytes(frame))), Opened)
        frame[at] ^= 1 << bit
    assert isinstance(ground.open(bytes(frame)), Opened)


@settings(deadline=None, max_examples=examples(60))
@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=12))
def test_in_whatever_order_frames_come_each_is_opened_once(order, replays):
    node, ground = link(Half.NODE), link(Half.GROUND)
    frames = [node.seal(PRODUCTS, [packet()]).frame for _ in range(12)]
    opened = [ground.open(frames[i]) for i in order]
    assert sorted(o.frame_no for o in opened if isinstance(o, Opened)) == list(range(1, 13))
    assert all(ground.open(frames[i]) is SecurityVerdict.REPLAYED for i in replays)


def test_a_frame_from_before_the_window_is_refused():
    node, ground = link(Half.NODE), link(Half.GROUND)
    frames = [node.seal(PRODUCTS, [packet()]).frame for _ in range(1_025)]
    assert isinstance(ground.open(frames[-1]), Opened)
    assert ground.open(frames[0]) is SecurityVerdict.REPLAYED
    assert isinstance(ground.open(frames[1]), Opened)


def test_no_frame_accepted_before_a_reset_of_the_node_is_accepted_after_it():
    kept = [0]

    def boot() -> SecureLink:
        return link(Half.NODE, window=ReplayWindow(64, lambda: kept[-1], kept.append))

    ground, node = link(Half.GROUND), boot()
    frames = [ground.seal(UPLINK, [packet()]).frame for _ in range(5)]
    assert all(isinstance(node.open(frame), Opened) for frame in frames[:4])
    node = boot()
    assert all(node.open(frame) is SecurityVerdict.REPLAYED for frame in frames[:4])
    assert isinstance(node.open(frames[4]), Opened)


def test_after_a_reset_neither_nonces_nor_frame_numbers_come_again():
    kept = [0]
    ground = link(Half.GROUND)
    numbers: list[int] = []
    nonces: list[bytes] = []
    for _ in range(4):
        node = SecureLink(
            scid=SCID,
            sends=KEYS.sends(Half.NODE),
            receives=[KEYS.receives(Half.NODE)],
            counters=CounterReserve(lambda: kept[-1], kept.append, 8),
        )
        for _ in range(5):
            sealed = node.seal(PRODUCTS, [packet()])
            numbers.append(sealed.frame_no)
            nonces.append(sealed.frame[15:27])
            assert isinstance(ground.open(sealed.frame), Opened)
    assert len(set(numbers)) == len(set(nonces)) == 20
    assert numbers == sorted(numbers)


def test_a_used_up_key_seals_nothing_more():
    node = link(Half.NODE, start=COUNTER_MAX)
    with pytest.raises(CounterExhausted):
        node.seal(PRODUCTS, [packet()])
    assert node.frames_sealed == 0


def test_an_authentic_frame_that_is_broken_inside_is_booked_as_such():
    node, ground = link(Half.NODE), link(Half.GROUND)
    frame = node.seal(PRODUCTS, [b"no packet"]).frame
    assert ground.open(frame) is SecurityVerdict.BAD_PACKETS
    assert ground.open(frame) is SecurityVerdict.REPLAYED


def test_both_epochs_are_opened_while_a_key_is_changed():
    new = derive_from_seed(1, epoch=2)
    ground = SecureLink(
        scid=SCID,
        sends=KEYS.sends(Half.GROUND),
        receives=[KEYS.receives(Half.GROUND), new.receives(Half.GROUND)],
        counters=CounterReserve(lambda: 0, lambda _: None),
    )
    old_node = link(Half.NODE)
    new_node = link(Half.NODE, keys=new, start=10)
    assert isinstance(ground.open(old_node.seal(PRODUCTS, [packet()]).frame), Opened)
    assert isinstance(ground.open(new_node.seal(PRODUCTS, [packet()]).frame), Opened)


@pytest.mark.parametrize("size", [2_047, 65_537])
def test_a_frame_size_out_of_range_is_refused(size):
    with pytest.raises(ValueError, match=r"2048\.\.65536"):
        link(Half.NODE, frame_bytes_max=size)


def test_an_end_that_would_open_what_it_seals_is_refused():
    with pytest.raises(ValueError, match="direction"):
        SecureLink(
            scid=SCID,
            sends=KEYS.sends(Half.NODE),
            receives=[KEYS.sends(Half.NODE)],
            counters=CounterReserve(lambda: 0, lambda _: None),
        )


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise_and_never_open(raw):
    ground = link(Half.GROUND)
    before = state(ground)
    assert isinstance(ground.open(raw), SecurityVerdict)
    assert isinstance(ground.open(repaired(raw + b"\0\0")), SecurityVerdict)
    assert state(ground) == before


def test_20000_mutated_frames_never_raise_never_open_and_never_change_state():
    rng = random.Random(20_000)
    node, ground = link(Half.NODE), link(Half.GROUND)
    seeds = [
        node.seal(PRODUCTS, [packet(rng.randbytes(rng.randrange(90)))]).frame for _ in range(50)
    ]
    before = state(ground)
    for n in range(20_000):
        frame = bytearray(rng.choice(seeds))
        match n % 4:
            case 0:
                frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
            case 1:
                del frame[rng.randrange(len(frame)) :]
            case 2:
                at = rng.randrange(len(frame))
                frame[at:at] = rng.randbytes(rng.randrange(1, 9))
            case _:
                frame = bytearray(rng.randbytes(rng.randrange(200)))
        raw = bytes(frame)
        if n % 3 and len(raw) > 2:
            raw = repaired(raw)
        if raw in seeds:
            continue
        assert isinstance(ground.open(raw), SecurityVerdict)
    assert state(ground) == before
    assert ground.ledger.accepted == 0
    assert ground.ledger.received == ground.ledger.rejected + ground.ledger.malformed
    assert min(ground.ledger.by_verdict[v] for v in (
        SecurityVerdict.BAD_LENGTH, SecurityVerdict.BAD_FECF, SecurityVerdict.BAD_HEADER,
        SecurityVerdict.BAD_MAC, SecurityVerdict.WRONG_CHANNEL,
    )) > 0  # fmt: skip
    assert all(isinstance(ground.open(frame), Opened) for frame in seeds)


def test_the_overhead_of_a_frame_is_what_the_layout_says():
    sealed = link(Half.NODE).seal(PRODUCTS, [packet()])
    assert len(sealed.frame) == FRAME_OVERHEAD_BYTES + len(packet())
