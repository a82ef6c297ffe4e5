"""Sequences run: each step at its time, durable before it is done, aborted by the first failure."""

import pytest
from sequences import EPOCH_S, Node, S, after, at, sequence

from flight.commanding.dispatcher import Source
from flight.commanding.sequence import Step
from flight.commanding.sequencer import STEPS_PER_CYCLE
from flight.telemetry.command_table import NoOp
from flight.telemetry.definitions import Mode
from flight.wire.telecommand import CommandReason

R = CommandReason


def test_steps_are_done_at_the_first_cycle_at_or_after_their_time_and_the_operator_hears_the_end():
    node = Node(sequence(after(2, 1), after(0, 2), after(1.5, 3)))
    assert node.start(ticket=7) is R.NONE
    node.cycle(3)
    assert node.done == [(1, 2), (2, 2)]
    node.cycle(1)
    assert node.done == [(1, 2), (2, 2), (3, 4)]
    assert node.answers == [(7, "NONE")]
    assert node.names() == [
        "SEQUENCE_STARTED", *["SEQUENCE_STEP"] * 3, "SEQUENCE_ENDED",
    ]  # fmt: skip
    assert node.last("SEQUENCE_STARTED") == "sequence plan started by command, step 1 of 3"
    assert node.last("SEQUENCE_STEP") == "sequence plan step 3: DELETE_PRODUCT completed"
    assert node.last("SEQUENCE_ENDED") == "sequence plan ended: 3 steps done, 0 skipped"
    shown = node.channels.get
    assert [shown(f"sequence.{n}_total") for n in ("started", "completed", "steps")] == [1, 1, 3]
    assert shown("sequence.running") == 0


def test_a_step_that_fails_aborts_the_sequence_and_says_which_and_why():
    node = Node(sequence(after(0, 1), after(0, 2), after(0, 3)))
    node.refuse = {2}
    node.start(ticket=7)
    node.cycle()
    assert node.numbers() == [1]
    assert node.answers == [(7, "ABORTED")]
    assert node.last("SEQUENCE_STEP") == "sequence plan step 2: DELETE_PRODUCT failed: not_found"
    assert node.last("SEQUENCE_ABORTED") == "sequence plan aborted at step 2: not_found"
    assert node.channels.get("sequence.aborted_total") == 1
    node.reset()
    node.cycle()
    assert node.numbers() == [1]


def test_a_sequence_not_made_for_safe_ends_when_the_node_goes_there_and_a_response_goes_on():
    node = Node(
        sequence(after(5, 1)), sequence(after(5, 2), name="response", in_safe=True)
    )  # fmt: skip
    node.start(ticket=7)
    assert node.sequencer.start_response("response", node.now_ns)
    node.cycle()
    node.mode = Mode.SAFE
    node.cycle(5)
    assert node.numbers() == [2]
    assert node.answers == [(7, "WRONG_MODE")]
    assert node.last("SEQUENCE_ABORTED") == "sequence plan aborted at step 1: wrong_mode"


def test_nothing_is_done_and_nothing_aborted_before_the_mode_is_known():
    node = Node(sequence(after(1, 1)))
    node.start()
    node.mode = Mode.BOOT
    node.cycle(3)
    assert node.numbers() == []
    node.mode = Mode.IDLE
    node.cycle()
    assert node.numbers() == [1]


@pytest.mark.parametrize("step_s", [3_600, -3_600])
def test_a_step_of_utc_by_an_hour_mid_sequence_delays_hold_and_instants_follow(step_s):
    node = Node(sequence(after(10, 1), after(10, 2), at(5_000, 3), after(10, 4)))
    node.start()
    node.cycle(15)
    node.utc_s += step_s
    node.cycle(10_000)
    due = 5_000 - step_s
    assert node.done == [(1, 10), (2, 20), (3, due), (4, due + 10)]


def test_an_instant_leapt_over_by_more_than_allowed_is_skipped_counted_and_told():
    node = Node(sequence(after(1, 1), at(600, 2), at(4_000, 3), late_s=60))
    node.start()
    node.cycle(5)
    node.utc_s += 3_600
    node.cycle(400)
    assert node.numbers() == [1, 3]
    assert node.channels.get("sequence.skipped_total") == 1
    assert node.last("SEQUENCE_STEP_MISSED") == (
        "sequence plan step 2 skipped: its instant passed more than 60 s ago"
    )
    assert node.last("SEQUENCE_ENDED") == "sequence plan ended: 2 steps done, 1 skipped"


def test_instants_wait_for_utc_to_be_known():
    node = Node(sequence(at(2, 1)))
    node.utc_s = float("nan")
    node.start()
    node.cycle(10)
    assert node.numbers() == []
    node.utc_s = float(EPOCH_S)
    node.cycle(2)
    assert node.numbers() == [1]


def test_held_stepped_and_resumed_by_hand():
    node = Node(sequence(after(5, 1), after(5, 2), after(5, 3)))
    node.start(ticket=7)
    node.cycle(3)
    assert node.deck.hold("plan", node.now_ns) is R.NONE
    assert node.deck.hold("plan", node.now_ns) is R.REFUSED
    node.cycle(100)
    assert node.channels.get("sequence.held") == 1
    assert node.deck.ask_step("plan", 8) is R.NONE
    assert node.deck.ask_step("plan", 9) is R.BUSY
    node.cycle()
    assert node.done == [(1, 104)]
    assert node.answers == [(8, "NONE")]
    node.cycle(100)
    assert node.deck.resume("plan", node.now_ns) is R.NONE
    assert node.deck.resume("plan", node.now_ns) is R.REFUSED
    assert node.deck.ask_step("plan", 9) is R.REFUSED
    node.cycle(10)
    assert node.done == [(1, 104), (2, 209), (3, 214)]
    assert node.answers == [(8, "NONE"), (7, "NONE")]


def test_a_single_step_that_fails_is_answered_with_its_reason():
    node = Node(sequence(after(5, 1)))
    node.refuse = {1}
    node.start(ticket=7)
    node.deck.hold("plan", 0)
    node.deck.ask_step("plan", 8)
    node.cycle()
    assert node.answers == [(8, "NOT_FOUND"), (7, "ABORTED")]


def test_a_burst_of_steps_is_spread_over_cycles_and_none_is_lost():
    node = Node(sequence(*[after(0, n) for n in range(1, 41)]))
    node.start()
    node.cycle()
    assert len(node.done) == STEPS_PER_CYCLE
    node.cycle(2)
    assert node.numbers() == list(range(1, 41))


def test_a_step_whose_count_cannot_be_kept_is_not_done_and_a_response_goes_on_all_the_same():
    node = Node(sequence(after(1, 1)), sequence(after(1, 2), name="response", in_safe=True))
    node.start(ticket=7)
    node.sequencer.start_response("response", 0)
    node.flash.fails = True
    node.cycle(2)
    assert node.numbers() == [2]
    assert node.answers == [(7, "NOT_DURABLE")]
    assert node.last("SEQUENCE_ABORTED") == "sequence plan aborted at step 1: not_durable"
    node.flash.fails = False
    node.cycle()
    node.reset()
    node.cycle(5)
    assert node.numbers() == [2], "what was told as aborted does not come back to life"


def test_a_response_unknown_is_false_and_one_under_way_is_true_and_not_begun_again():
    node = Node(sequence(after(5, 1), name="response"))
    assert not node.sequencer.start_response("no-such", 0)
    assert node.sequencer.start_response("response", 0)
    node.cycle(3)
    assert node.sequencer.start_response("response", node.now_ns)
    node.cycle(3)
    assert node.done == [(1, 5)]
    assert node.names().count("SEQUENCE_STARTED") == 1


def test_a_sequence_that_aborts_itself_by_a_step_is_over_and_does_nothing_more():
    node = Node(sequence(after(0, 1), Step(NoOp()), after(0, 2)))
    real = node.execute

    def execute(command, now_ns, mode, source):
        if isinstance(command, NoOp):
            node.deck.abort("plan", R.ABORTED, now_ns)
        return real(command, now_ns, mode, source)

    node.execute = execute
    node.boot()
    node.start()
    node.cycle(3)
    assert node.numbers() == [1, 0]
    assert node.channels.get("sequence.running") == 0


def test_uploads_and_what_can_be_started_are_in_telemetry():
    node = Node(sequence(name="a"), sequence(name="b"))
    node.cycle()
    assert node.channels.get("sequence.on_board") == 2
    assert node.channels.get("sequence.on_board_bytes") == 0
    assert node.start("a", source=Source.SEQUENCE) is R.NONE
    assert node.now_ns == S


def test_a_step_waits_until_its_count_is_durable_and_a_cut_before_that_has_done_nothing():
    node = Node(sequence(after(1, 1), after(0, 2)))
    node.start()
    node.flash.late = True
    node.cycle()
    assert node.numbers() == [], "counted, and not durable yet"
    node.flash.catch_up()
    node.sequencer.settle(node.now_ns)
    assert node.numbers() == [1]
    node.sequencer.settle(node.now_ns)
    assert node.numbers() == [1], "the second one is counted, and not durable yet"
    node.flash.under_way.clear()
    node.reset()
    node.flash.late = False
    node.cycle(2)
    assert node.numbers() == [1, 2], "the first one is not repeated: its count was durable"


def test_a_store_that_gives_no_answer_ends_an_operators_sequence_and_stops_no_response():
    node = Node(sequence(after(1, 1)), sequence(after(1, 2), name="response"))
    node.start(ticket=7)
    assert node.sequencer.start_response("response", node.now_ns)
    node.flash.late = True
    node.cycle(4)
    assert node.numbers() == [2]
    assert node.answers == [(7, "NOT_DURABLE")]
    assert "not_durable" in node.last("SEQUENCE_ABORTED")
