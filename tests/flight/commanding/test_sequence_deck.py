"""What is under way outlives any reset: no step is done twice, no sequence is forgotten."""

import contextlib

import pytest
from fuzz_times import examples
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sequences import Node, PowerCutError, S, after, at, sequence, stored

from flight.commanding.dispatcher import Source
from flight.commanding.sequence_deck import OPERATOR_RUNS_MAX, REFRESH_NS, RUNS_MAX
from flight.wire.telecommand import CommandReason

R = CommandReason


def test_places_are_bounded_and_two_are_for_responses_alone():
    node = Node(*[sequence(after(9), name=f"plan-{n}") for n in range(RUNS_MAX + 2)])
    given = [node.start(f"plan-{n}") for n in range(OPERATOR_RUNS_MAX + 1)]
    assert given == [R.NONE] * OPERATOR_RUNS_MAX + [R.BUSY]
    assert node.start("plan-0", source=Source.RESPONSE) is R.BUSY
    responses = [
        node.start(f"plan-{n}", source=Source.RESPONSE)
        for n in range(OPERATOR_RUNS_MAX, RUNS_MAX + 1)
    ]
    assert responses == [R.NONE, R.NONE, R.BUSY]


def test_a_start_that_cannot_be_kept_is_refused_and_leaves_nothing():
    node = Node(sequence(after(1)))
    node.flash.fails = True
    assert node.start() is R.NOT_DURABLE
    assert node.deck.runs == {}
    assert node.told == []


def test_what_does_not_run_cannot_be_held_stepped_resumed_or_aborted():
    deck = Node(sequence()).deck
    assert deck.hold("plan", 0) is R.NOT_FOUND
    assert deck.resume("plan", 0) is R.NOT_FOUND
    assert deck.ask_step("plan", 1) is R.NOT_FOUND
    assert deck.abort("plan", R.ABORTED, 0) is R.NOT_FOUND


def test_after_a_reset_it_goes_on_at_the_next_step_with_what_was_left_under_its_identity():
    node = Node(sequence(after(5, 1), after(100, 2), after(5, 3)))
    node.start(ticket=7)
    node.cycle(5 + 50)
    node.reset(off_s=1_000)
    assert node.adopted == [7]
    assert node.last("SEQUENCE_STARTED") == "sequence plan goes on after the reset, step 2 of 3"
    cut_s = node.now_ns // S
    node.cycle(200)
    (_, second), (_, third) = node.done[1:]
    left_s = second - cut_s
    assert 50 <= left_s <= 50 + REFRESH_NS // S, "the time without power does not count"
    assert third == second + 5
    assert node.answers == [(7, "NONE")]


def test_an_instant_follows_utc_over_a_reset():
    node = Node(sequence(after(1, 1), at(500, 2)))
    node.start()
    node.cycle(10)
    node.reset(off_s=300)
    node.cycle(400)
    assert node.done == [(1, 1), (2, 500)]


def test_a_held_one_is_held_after_the_reset():
    node = Node(sequence(after(5, 1)))
    node.start()
    node.deck.hold("plan", 0)
    node.reset()
    node.cycle(50)
    assert node.done == []
    node.deck.resume("plan", node.now_ns)
    node.cycle(5)
    assert node.done == [(1, 55)]


@pytest.mark.parametrize(("moment", "done"), [("cut_before", [1, 3]), ("cut_after", [1, 2, 3])])
def test_a_reset_at_a_step_never_repeats_it_and_tells_that_it_is_in_doubt(moment, done):
    node = Node(sequence(after(1, 1), after(1, 2), after(1, 3)))
    node.start(ticket=7)
    setattr(node, moment, 2)
    with pytest.raises(PowerCutError):
        node.cycle(5)
    node.cut_before = node.cut_after = None
    node.reset()
    node.cycle(5)
    assert node.numbers() == done
    assert node.last("SEQUENCE_STEP_MISSED") == (
        "sequence plan step 2 was begun before the reset and is not repeated"
    )
    assert node.channels.get("sequence.doubtful_total") == 1
    assert node.answers == [(7, "NONE")]


def test_control_a_count_kept_after_the_step_would_repeat_it():
    node = Node(sequence(after(1, 1), after(1, 2)))
    node.start()
    before = dict(node.flash.words)
    node.cycle()
    node.flash.words = before
    node.reset()
    node.cycle(2)
    assert node.numbers() == [1, 1, 2][: len(node.done)]
    assert node.numbers().count(1) == 2


def test_what_ran_and_is_no_longer_on_board_is_aborted_and_its_operator_told():
    node = Node(sequence(after(5, 1)))
    node.start(ticket=7)
    node.shipped = (sequence(after(6, 1)),)
    node.reset()
    assert node.adopted == [7]
    node.cycle(10)
    assert node.done == []
    assert node.answers == [(7, "ABORTED")]
    assert "not on board any more" in node.last("SEQUENCE_ABORTED")


def test_words_that_cannot_be_read_start_nothing_and_are_told():
    node = Node(sequence(after(5, 1)))
    node.flash.words["runs"] = b"\xc1\x00"
    node.reset()
    node.cycle(10)
    assert (node.done, node.adopted) == ([], [])
    assert node.names() == ["SEQUENCE_ABORTED"]


def test_the_rest_of_a_delay_is_kept_every_ten_seconds_and_not_more_often():
    node = Node(sequence(after(1_000, 1)))
    node.start()
    writes = node.flash.writes
    node.cycle(100)
    assert 9 <= node.flash.writes - writes <= 11
    node.deck.hold("plan", node.now_ns)
    writes = node.flash.writes
    node.cycle(100)
    assert node.flash.writes == writes


class Resets(RuleBasedStateMachine):
    """Starts, holds, steps, clock steps, lost writes and power cuts in any order."""

    NAMES = ("a", "b")

    @initialize(
        plans=st.lists(
            st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=5),
            min_size=2, max_size=2,
        )
    )  # fmt: skip
    def compose(self, plans):
        self.shipped = []
        number = 0
        for name, plan in zip(self.NAMES, plans, strict=True):
            steps, instant = [], 0
            for seconds, absolute in plan:
                number += 1
                instant += seconds * 5
                steps.append(at(instant, number) if absolute else after(seconds, number))
            self.shipped.append(sequence(*steps, name=name, late_s=86_400))
        self.node = Node(*self.shipped)
        self.runs = dict.fromkeys(self.NAMES, 0)
        self.tickets, self.answered_or_lost = 0, 0

    @rule(name=st.sampled_from(NAMES))
    def start(self, name):
        self.tickets += 1
        given = self.node.deck.start(
            stored(next(s for s in self.shipped if s.name == name)),
            Source.SEQUENCE, self.tickets, self.node.now_ns,
        )  # fmt: skip
        assert given in {R.NONE, R.BUSY, R.NOT_DURABLE}
        self.runs[name] += given is R.NONE

    @rule(name=st.sampled_from(NAMES), what=st.sampled_from(["hold", "resume", "abort"]))
    def command(self, name, what):
        deck, now_ns = self.node.deck, self.node.now_ns
        if what == "abort":
            deck.abort(name, R.ABORTED, now_ns)
        else:
            getattr(deck, what)(name, now_ns)

    @rule(name=st.sampled_from(NAMES))
    def one_step(self, name):
        self.node.deck.ask_step(name, 0)

    @rule(count=st.integers(1, 12))
    def time(self, count):
        self.node.cycle(count)

    @rule(by_s=st.sampled_from([-3_600, 3_600]))
    def utc_steps(self, by_s):
        self.node.utc_s += by_s

    @rule(fails=st.booleans())
    def store(self, fails):
        self.node.flash.fails = fails

    @rule(off_s=st.integers(0, 50))
    def power_cut(self, off_s):
        under_way = set(self.node.deck.runs)
        kept = not self.node.deck.dirty
        self.node.reset(off_s)
        if kept:
            assert set(self.node.deck.runs) == under_way, "none is lost, none comes back to life"

    @rule(number=st.integers(1, 10), after_it=st.booleans())
    def power_cut_at_a_step(self, number, after_it):
        setattr(self.node, "cut_after" if after_it else "cut_before", number)
        with contextlib.suppress(PowerCutError):
            self.node.cycle(6)
        self.node.cut_before = self.node.cut_after = None
        self.node.reset(0)

    @invariant()
    def every_step_is_done_at_most_once_a_run_and_in_order(self):
        if not hasattr(self, "node"):
            return
        for each in self.shipped:
            numbers = [step.command.product_id for step in each.steps]
            done = [n for n in self.node.numbers() if n in numbers]
            for number in numbers:
                assert done.count(number) <= self.runs[each.name]
            if self.runs[each.name] == 1:
                assert done == sorted(done)


TestResets = Resets.TestCase
TestResets.settings = settings(deadline=None, max_examples=examples(60), stateful_step_count=40)
