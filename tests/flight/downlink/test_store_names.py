"""Marks say what is durable, and only that."""

import pytest

from flight.downlink.store_names import OUTSTANDING_MAX, WRITES_MAX, StoreNames
from flight.downlink.store_request import WriteOutcome, WriteRequest
from flight.downlink.store_values import StoreError, StoreErrorKind


class ScriptedWriter:
    """Answers when the test says so."""

    def __init__(self):
        self.sent, self.outcomes, self.beats = [], [], 0

    def submit(self, request):
        self.sent.append(request)

    def poll(self):
        return self.outcomes.pop(0) if self.outcomes else None

    def call(self, action):
        return action(None)

    def stop(self):
        self.outcomes.clear()


class Names(StoreNames):
    def __init__(self, writer):
        super().__init__(writer)
        self.confirmed = []

    def _apply(self, outcome):
        pass

    def _confirm(self, request, outcome):
        self.confirmed.append(request.mark)


@pytest.fixture
def writer():
    return ScriptedWriter()


@pytest.fixture
def names(writer):
    return Names(writer)


def test_a_counter_is_durable_when_its_mark_is_and_not_when_it_is_asked_for(names, writer):
    names.store_counter("iv", 10)
    names.store_counter("iv", 20)
    assert (names.mark, names.durable_mark, names.outstanding) == (2, 0, 2)
    assert (names.load_counter("iv"), names.durable_counter("iv")) == (20, 0)
    writer.outcomes.append(WriteOutcome(mark=1))
    names.poll()
    assert (names.durable_mark, names.durable_counter("iv")) == (1, 10)
    writer.outcomes.append(WriteOutcome(mark=2))
    names.poll()
    assert (names.durable_mark, names.durable_counter("iv"), names.confirmed) == (2, 20, [1, 2])


def test_a_counter_without_room_is_told_and_its_values_are_not_given_out(names, writer):
    names.store_counter("iv", 10)
    writer.outcomes.append(WriteOutcome(mark=1, names_refused=["iv"]))
    with pytest.raises(StoreError) as caught:
        names.store_counter("other", 1)
    assert caught.value.kind is StoreErrorKind.FULL
    assert (names.load_counter("iv"), names.durable_counter("iv")) == (0, 0)
    assert not names.closed
    names.store_counter("iv", 10)
    writer.outcomes.append(WriteOutcome(mark=3))
    names.store_counter("iv", 20)
    writer.outcomes.append(WriteOutcome(mark=4, names_refused=["iv"]))
    names.poll()
    assert (names.load_counter("iv"), names.durable_counter("iv")) == (10, 10)


def test_an_urgent_word_says_so_and_a_counter_never_shrinks(names, writer):
    names.store_counter("command.id", 7, urgent=True)
    names.store_state("parameters", b"blob")
    names.store_counter("iv", 7)
    assert [request.urgent for request in writer.sent] == [True, True, False]
    assert names.load_state("parameters") == b"blob"
    with pytest.raises(AssertionError):
        names.store_counter("iv", 6)
    assert names.reserve_counter("iv", 10) == 8


def test_lack_of_room_is_not_the_end_and_everything_else_is(names, writer):
    names.store_counter("iv", 1)
    writer.outcomes.append(WriteOutcome(error=StoreErrorKind.FULL))
    with pytest.raises(StoreError, match="full"):
        names.store_counter("iv", 2)
    assert (names.closed, names.durable_mark) == (False, 0)
    writer.outcomes.append(WriteOutcome(error=StoreErrorKind.SYNC, detail="broken"))
    with pytest.raises(StoreError, match="broken"):
        names.store_state("parameters", b"")
    with pytest.raises(StoreError, match="closed"):
        names.store_state("parameters", b"")
    assert names.load_state("parameters") is None


def test_beats_stop_with_the_store(names, writer):
    writer.beats = 5
    assert names.beats == 5
    names.close()
    writer.beats = 6
    assert names.beats == 5


def test_only_so_many_commits_are_under_way(names):
    for _ in range(OUTSTANDING_MAX):
        assert names._can_send
        names._send(WriteRequest())
    assert not names._can_send
    names.store_counter("iv", 1)


def test_a_medium_that_never_answers_costs_a_bounded_memory_and_who_asks_is_told(names, writer):
    for number in range(1, WRITES_MAX + 1):
        names.store_counter("iv", number)
    for _ in range(2):
        with pytest.raises(StoreError, match="wait for the medium"):
            names.store_state("parameters", b"new")
    assert names.load_state("parameters") is None
    assert len(writer.sent) == names.mark == names.writes.high_water == WRITES_MAX
    assert names.writes.dropped == 2
    writer.outcomes.append(WriteOutcome(mark=1))
    names.poll()
    names.store_state("parameters", b"new")
    assert names.load_state("parameters") == b"new", "there is room again"


def test_what_one_request_was_refused_another_under_way_may_still_make_durable(names, writer):
    names.store_counter("iv", 10)
    names.store_counter("iv", 20)
    writer.outcomes.append(WriteOutcome(mark=1, names_refused=["iv"]))
    names.poll()
    assert (names.load_counter("iv"), names.durable_counter("iv")) == (20, 0)
    writer.outcomes.append(WriteOutcome(mark=2))
    names.poll()
    assert (names.load_counter("iv"), names.durable_counter("iv")) == (20, 20)
