"""A load counts whole or not at all; whatever is wrong with it, the set in force stays in force."""

import copy
import random

import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flight.commanding.load_buffer import LoadBuffer, LoadState
from flight.commanding.loadable import LoadVerdict
from flight.telemetry.command_table import LOAD_BYTES_MAX
from flight.wire.crc import crc32c

V = LoadVerdict
VERSION = 3


class Words:
    """A kind of load that holds text; it refuses the word "bad", and can lose its store."""

    def __init__(self, kind="words", bytes_max=10_000):
        self.kind, self.version, self.bytes_max = kind, VERSION, bytes_max
        self.now, self.former, self.store_fails = b"first", None, False

    def validate(self, data):
        return V.UNREADABLE if b"bad" in data else V.OK

    def activate(self, data, now_ns):
        if self.store_fails:
            return V.NOT_DURABLE
        self.former, self.now = self.now, data
        return V.OK

    def roll_back(self, now_ns):
        if self.former is None:
            return V.NOT_FOUND
        self.now, self.former = self.former, self.now
        return V.OK

    def dump(self):
        return self.now


def begun(data, kinds=None, *, version=VERSION):
    words = Words()
    buffer = LoadBuffer(kinds or [words])
    assert buffer.begin("words", len(data), crc32c(data), version) is V.OK
    return buffer, words


def pieces(data, size):
    return [(at, data[at : at + size]) for at in range(0, len(data), size)]


def test_a_load_is_begun_filled_validated_activated_and_rolled_back():
    data = b"second" * 400
    buffer, words = begun(data)
    assert (buffer.state, buffer.kind, buffer.size_bytes) == (LoadState.LOADING, "words", 2_400)
    for offset, part in pieces(data, 100):
        assert buffer.part(offset, part) is V.OK
    assert words.now == b"first"
    assert buffer.validate() is V.OK
    assert buffer.state is LoadState.VALID
    assert words.now == b"first"
    assert buffer.activate(0) is V.OK
    assert (words.now, buffer.state, buffer.kind) == (data, LoadState.EMPTY, "")
    assert buffer.roll_back("words", 0) is V.OK
    assert words.now == b"first"
    assert (buffer.activated, buffer.rolled_back, buffer.refused) == (1, 1, 0)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(1, 40), st.randoms(use_true_random=False))
def test_pieces_in_any_order_and_more_than_once_make_the_same_load(data, size, chance):
    buffer, words = begun(b"x" + data)
    parts = pieces(b"x" + data, size)
    several = parts + chance.choices(parts, k=len(parts))
    chance.shuffle(several)
    for offset, part in several:
        assert buffer.part(offset, part) is V.OK
    assert buffer.received_bytes == len(data) + 1
    if b"bad" not in data:
        assert (buffer.validate(), buffer.activate(0)) == (V.OK, V.OK)
        assert words.now == b"x" + data


def torn(buffer):
    buffer.part(0, b"hell")
    return buffer.validate()


def damaged(buffer):
    buffer.part(0, b"hullo")
    return buffer.validate()


def unjudged(buffer):
    buffer.part(0, b"hello")
    return buffer.activate(0)


def beyond(buffer):
    return buffer.part(1, b"hello")


def contradicted(buffer):
    buffer.part(0, b"he")
    return buffer.part(1, b"ullo")


@pytest.mark.parametrize(
    ("attempt", "verdict"),
    [
        (torn, V.INCOMPLETE),
        (damaged, V.BAD_CHECKSUM),
        (unjudged, V.NOT_VALIDATED),
        (beyond, V.OUT_OF_RANGE),
        (contradicted, V.CONFLICT),
        (lambda buffer: buffer.roll_back("words", 0), V.NOT_FOUND),
        (lambda buffer: buffer.roll_back("other", 0), V.NOT_FOUND),
        (lambda buffer: buffer.begin("words", 6, 0, VERSION), V.BUSY),
    ],
)
def test_whatever_is_wrong_the_old_set_stays_in_force_and_the_reason_is_told(attempt, verdict):
    buffer, words = begun(b"hello")
    assert attempt(buffer) is verdict
    assert (words.now, words.former, buffer.activated) == (b"first", None, 0)
    assert buffer.refused >= 1


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (("nouns", 5, 0, VERSION), V.NOT_FOUND),
        (("words", 5, 0, VERSION + 1), V.WRONG_VERSION),
        (("words", 0, 0, VERSION), V.OUT_OF_RANGE),
        (("words", 10_001, 0, VERSION), V.OUT_OF_RANGE),
    ],
)
def test_a_load_that_could_never_count_is_refused_before_its_first_piece(claim, verdict):
    buffer = LoadBuffer([Words()])
    assert buffer.begin(*claim) is verdict
    assert (buffer.state, buffer.size_bytes, buffer.refused) == (LoadState.EMPTY, 0, 1)
    for attempt in (buffer.validate, lambda: buffer.activate(0), lambda: buffer.part(0, b"x")):
        assert attempt() is V.NOT_FOUND


def test_what_its_kind_refuses_or_the_store_cannot_keep_does_not_count():
    buffer, words = begun(b"so bad")
    buffer.part(0, b"so bad")
    assert buffer.validate() is V.UNREADABLE
    assert buffer.activate(0) is V.NOT_VALIDATED
    assert buffer.discard() is V.OK
    assert buffer.begin("words", 4, crc32c(b"good"), VERSION) is V.OK
    buffer.part(0, b"good")
    assert buffer.validate() is V.OK
    words.store_fails = True
    assert buffer.activate(0) is V.NOT_DURABLE
    assert (words.now, buffer.state) == (b"first", LoadState.VALID)
    words.store_fails = False
    assert buffer.activate(0) is V.OK
    assert words.now == b"good"


def test_the_very_same_load_begun_again_goes_on_where_it_was():
    data = bytes(range(200))
    buffer, _ = begun(data)
    buffer.part(50, data[50:150])
    assert buffer.begin("words", 200, crc32c(data), VERSION) is V.OK
    assert buffer.received_bytes == 100
    buffer.part(0, data[:60])
    buffer.part(140, data[140:])
    assert buffer.validate() is V.OK


def test_a_kind_that_wants_more_than_the_buffer_may_cost_or_shares_a_name_is_refused_at_start():
    LoadBuffer([Words(bytes_max=LOAD_BYTES_MAX)])
    with pytest.raises(AssertionError):
        LoadBuffer([Words(bytes_max=LOAD_BYTES_MAX + 1)])
    with pytest.raises(AssertionError):
        LoadBuffer([Words(), Words()])


class Uploads(RuleBasedStateMachine):
    """Any order of requests, against a plain model: only what was sent whole is ever in force."""

    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed):
        self.words = Words(bytes_max=12)
        self.buffer = LoadBuffer([self.words])
        self.chance = random.Random(seed)
        self.wanted = b""
        self.allowed = {b"first"}

    @rule(data=st.binary(min_size=1, max_size=13), right=st.booleans())
    def begin(self, data, right):
        before = self.buffer.state
        crc = crc32c(data) ^ (0 if right else 1)
        verdict = self.buffer.begin("words", len(data), crc, VERSION)
        if verdict is V.OK and before is LoadState.EMPTY:
            self.wanted = data
            if right:
                self.allowed.add(data)

    @rule(offset=st.integers(0, 13), size=st.integers(1, 6), honest=st.booleans())
    def part(self, offset, size, honest):
        part = self.wanted[offset : offset + size] if honest else self.chance.randbytes(size)
        if part:
            self.buffer.part(offset, part)

    @rule()
    def validate(self):
        before = copy.copy(self.words.__dict__)
        self.buffer.validate()
        assert self.words.__dict__ == before

    @rule(fails=st.booleans())
    def activate(self, fails):
        self.words.store_fails = fails
        before = self.words.now
        if self.buffer.activate(0) is not V.OK:
            assert self.words.now == before

    @rule()
    def discard(self):
        self.buffer.discard()

    @rule()
    def roll_back(self):
        self.buffer.roll_back("words", 0)

    @invariant()
    def only_whole_loads_are_ever_in_force(self):
        if hasattr(self, "words"):
            assert self.words.now in self.allowed
            assert self.buffer.received_bytes <= self.buffer.size_bytes <= 12


TestUploads = Uploads.TestCase
TestUploads.settings = settings(deadline=None, max_examples=examples(60), stateful_step_count=30)
