import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.fdir.recovery_row import (
    Action,
    Activity,
    Arming,
    Arrangement,
    Recovery,
    Retry,
    RowState,
)
from flight.fdir.recovery_table import SETTLE_NS, RecoveryTable

ROWS = (
    Recovery(
        name="hot_die", condition="die.red", actions=(Action.SHED_PAYLOAD,), precedence=20
    ),
    Recovery(
        name="flat_battery",
        condition="soc.red",
        actions=(Action.LASER_OFF, Action.ENTER_SAFE),
        precedence=10,
        arming=Arming.BY_COMMAND,
    ),
)  # fmt: skip


def fired(table, conditions, now_ns=0):
    return [response.name for response in table.update(conditions, now_ns)]


def test_the_most_urgent_response_comes_first_whatever_the_order_of_the_table():
    both = {"die.red", "soc.red"}
    assert fired(RecoveryTable(ROWS), both) == ["flat_battery", "hot_die"]
    assert fired(RecoveryTable(ROWS[::-1]), both) == ["flat_battery", "hot_die"]


def test_a_response_fires_once_while_its_condition_holds():
    table = RecoveryTable(ROWS)
    assert [fired(table, {"die.red"}) for _ in range(4)] == [["hot_die"], [], [], []]


def test_a_row_armed_when_clear_fires_again_for_the_next_occurrence():
    table = RecoveryTable(ROWS)
    assert [fired(table, c) for c in ({"die.red"}, (), {"die.red"})] == [
        ["hot_die"],
        [],
        ["hot_die"],
    ]


def test_a_row_armed_by_command_stays_spent_until_the_ground_says_so():
    table = RecoveryTable(ROWS)
    assert [fired(table, c) for c in ({"soc.red"}, (), {"soc.red"})] == [["flat_battery"], [], []]
    assert table.arm("flat_battery") is Arrangement.DONE
    assert fired(table, {"soc.red"}) == ["flat_battery"]


def test_the_same_rule_in_shadow_counts_then_active_acts_once():
    table = RecoveryTable(ROWS)
    table.set_activity("flat_battery", Activity.SHADOW)
    assert [fired(table, {"soc.red"}) for _ in range(3)] == [[], [], []]
    assert table.standing() == ()
    assert table.set_activity("flat_battery", Activity.ACTIVE) is Arrangement.DONE
    assert [fired(table, {"soc.red"}) for _ in range(3)] == [["flat_battery"], [], []]
    status = {row.name: (row.fired, row.shadow_fired) for row in table.status()}
    assert status == {"flat_battery": (1, 1), "hot_die": (0, 0)}


def test_a_disabled_row_neither_acts_nor_counts():
    table = RecoveryTable(ROWS)
    table.set_activity("hot_die", Activity.DISABLED)
    assert fired(table, {"die.red"}) == []
    assert [(row.fired, row.shadow_fired) for row in table.status()] == [(0, 0), (0, 0)]


def test_standing_actions_last_as_long_as_the_condition_and_not_as_the_response():
    table = RecoveryTable(ROWS)
    for _ in range(3):
        table.update({"soc.red", "die.red"}, 0)
        assert table.standing() == (Action.SHED_PAYLOAD, Action.LASER_OFF, Action.ENTER_SAFE)
    table.update(set(), 0)
    assert table.standing() == ()


def test_a_response_names_its_cause_and_its_time():
    (response,) = RecoveryTable(ROWS).update({"soc.red"}, 77)
    assert (response.condition, response.at_ns) == ("soc.red", 77)
    assert response.actions == (Action.LASER_OFF, Action.ENTER_SAFE)


def test_commands_about_a_row_that_is_not_there_are_answered_so():
    table = RecoveryTable(ROWS)
    assert table.arm("x") is Arrangement.UNKNOWN_ROW
    assert table.set_activity("x", Activity.SHADOW) is Arrangement.UNKNOWN_ROW


@pytest.mark.parametrize(
    "rows",
    [
        (ROWS[0], ROWS[0]),
        (ROWS[0], Recovery(name="b", condition="c", actions=(Action.LASER_OFF,), precedence=20)),
        (Recovery(name="b", condition="c", actions=(), precedence=1),),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(rows):
    with pytest.raises(AssertionError):
        RecoveryTable(rows)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([(), ("die.red",), ("soc.red",), ("die.red", "soc.red")])))
def test_a_storm_fires_no_more_often_than_the_condition_begins(storm):
    table, before = RecoveryTable(ROWS), ()
    begins = {"die.red": 0, "soc.red": 0}
    for conditions in storm:
        for name in conditions:
            begins[name] += name not in before
        table.update(conditions, 0)
        before = conditions
    rows = {row.name: row.fired for row in table.status()}
    assert rows["hot_die"] == begins["die.red"]
    assert rows["flat_battery"] == min(1, begins["soc.red"])


S = 1_000_000_000
RESTART = Recovery(
    name="restart", condition="link.stalled", precedence=5, restart="link",
    retry=Retry(times=3, within_ns=100 * S), escalates_to="lost",
)  # fmt: skip
LOST = Recovery(
    name="lost", condition="link.faulty", precedence=6, actions=(Action.ENTER_SAFE,)
)  # fmt: skip
AGAIN = Recovery(
    name="again", condition="x", precedence=7, sequence="power_cycle",
    retry=Retry(times=2, within_ns=1_000 * S, every_ns=10 * S),
)  # fmt: skip


def state(table, name):
    return next(row.state for row in table.status() if row.name == name)


def left(table, name):
    return next(row.retries_left for row in table.status() if row.name == name)


def test_a_budget_that_is_used_up_calls_the_row_it_escalates_to():
    table = RecoveryTable((RESTART, LOST))
    told = [fired(table, {"link.stalled"} if t % 2 == 0 else (), t * S) for t in range(8)]
    assert told == [["restart"], [], ["restart"], [], ["restart"], [], ["lost"], []]
    assert table.standing() == (Action.ENTER_SAFE,)
    assert state(table, "restart") is RowState.EXHAUSTED
    assert left(table, "restart") == 0


def test_an_escalation_stands_until_the_budget_has_room_again_and_the_condition_is_over():
    table = RecoveryTable((RESTART, LOST))
    for t in range(7):
        table.update({"link.stalled"} if t % 2 == 0 else (), t * S)
    table.update((), 99 * S)
    assert table.standing() == (Action.ENTER_SAFE,)
    table.update((), 100 * S)
    table.update((), 101 * S)
    assert table.standing() == ()
    assert left(table, "restart") == 1
    table.update((), 200 * S)
    assert left(table, "restart") == 3


def test_the_ground_gives_a_new_budget_by_arming():
    table = RecoveryTable((RESTART, LOST))
    for t in range(7):
        table.update({"link.stalled"} if t % 2 == 0 else (), t * S)
    table.arm("restart")
    assert fired(table, {"link.stalled"}, 8 * S) == ["restart"]
    assert table.standing() == ()
    assert left(table, "restart") == 2


def test_a_row_in_shadow_calls_no_other_row_however_often_it_would_have_fired():
    table = RecoveryTable((RESTART, LOST))
    table.set_activity("restart", Activity.SHADOW)
    for t in range(20):
        assert fired(table, {"link.stalled"} if t % 2 == 0 else (), t * S) == []
    status = {row.name: row for row in table.status()}
    assert (status["restart"].shadow_fired, status["restart"].exhausted) == (3, False)
    assert table.standing() == ()


def test_a_row_with_a_wait_tries_again_while_its_condition_lasts_and_then_gives_up():
    table = RecoveryTable((AGAIN,))
    times = [t for t in range(100) if fired(table, {"x"}, t * S)]
    assert times == [0, 10]
    assert state(table, "again") is RowState.EXHAUSTED


def test_a_row_that_does_not_change_leaves_the_count_of_changes_alone():
    table = RecoveryTable((*ROWS, RESTART, LOST, AGAIN))
    table.set_activity("again", Activity.SHADOW)
    for t in range(60):
        table.update({"x", "die.red"}, t * S)
    before = table.changes
    for t in range(60, 200):
        table.update({"x", "die.red"}, t * S)
    assert table.changes == before


def test_a_row_ends_only_when_its_clear_condition_is_over_too():
    row = Recovery(
        name="hot", condition="t.red", clear="t.yellow", precedence=1, actions=(Action.LASER_OFF,)
    )
    table = RecoveryTable((row,))
    stood = []
    for conditions in ({"t.yellow"}, {"t.red", "t.yellow"}, {"t.yellow"}, (), {"t.yellow"}):
        table.update(conditions, 0)
        stood.append(bool(table.standing()))
    assert stood == [False, True, True, False, False]


def test_a_row_says_in_one_word_how_it_is():
    table, seen = RecoveryTable(ROWS), []
    for conditions in ((), {"soc.red"}, ()):
        table.update(conditions, 0)
        seen.append(state(table, "flat_battery"))
    table.set_activity("flat_battery", Activity.SHADOW)
    table.arm("flat_battery")
    for conditions in ((), {"soc.red"}):
        table.update(conditions, 0)
        seen.append(state(table, "flat_battery"))
    table.set_activity("flat_battery", Activity.DISABLED)
    seen.append(state(table, "flat_battery"))
    assert seen == [
        RowState.ARMED, RowState.STANDS, RowState.SPENT, RowState.SHADOW,
        RowState.SHADOW_HOLDS, RowState.DISABLED,
    ]  # fmt: skip


def test_what_was_spent_or_set_before_a_reset_is_so_afterwards():
    table = RecoveryTable(ROWS)
    table.update({"soc.red"}, 0)
    table.set_activity("hot_die", Activity.SHADOW)
    after = RecoveryTable(ROWS)
    after.restore(table.memory() | {"gone": ("active", False, 1, 0)}, 0)
    assert fired(after, {"soc.red", "die.red"}, SETTLE_NS) == []
    status = {row.name: (row.fired, row.shadow_fired, row.activity) for row in after.status()}
    assert status == {
        "flat_battery": (1, 0, Activity.ACTIVE), "hot_die": (0, 1, Activity.SHADOW),
    }  # fmt: skip


def test_a_condition_that_outlasts_a_reset_does_not_fire_its_row_again():
    table = RecoveryTable(ROWS)
    table.update({"die.red"}, 0)
    after = RecoveryTable(ROWS)
    after.restore(table.memory(), 0)
    assert [fired(after, (), t * S) for t in range(3)] == [[], [], []]
    assert fired(after, {"die.red"}, 3 * S) == []
    after.update((), SETTLE_NS)
    assert fired(after, {"die.red"}, SETTLE_NS + S) == ["hot_die"]


def test_a_table_as_it_was_made_has_nothing_to_remember():
    assert RecoveryTable(ROWS).memory() == {}


def test_another_retry_or_sequence_takes_the_place_of_a_row_and_nothing_else_of_it():
    table = RecoveryTable((RESTART, LOST))
    table.update({"link.stalled"}, 0)
    once = Recovery(
        name="restart", condition="link.stalled", precedence=5, restart="link",
        retry=Retry(times=1, within_ns=100 * S), escalates_to="lost",
    )  # fmt: skip
    table.replace(once)
    table.update((), S)
    assert fired(table, {"link.stalled"}, 2 * S) == ["lost"]
    with pytest.raises(KeyError):
        table.replace(ROWS[0])


@pytest.mark.parametrize(
    "rows",
    [
        (RESTART,),
        (Recovery(name="a", condition="c", precedence=1, restart="s", escalates_to="a",
                  retry=Retry(times=1, within_ns=1)),),
        (Recovery(name="a", condition="c", precedence=1, restart="s", escalates_to="lost"), LOST),
    ],
)  # fmt: skip
def test_an_escalation_that_leads_nowhere_is_refused(rows):
    with pytest.raises(AssertionError):
        RecoveryTable(rows)


@pytest.mark.parametrize(("times", "within", "every"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_a_budget_without_a_bound_is_refused(times, within, every):
    with pytest.raises(AssertionError):
        Retry(times=times, within_ns=within, every_ns=every)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=120))
def test_no_window_ever_holds_more_firings_than_the_budget(steps):
    table, t, firings = RecoveryTable((RESTART, LOST, AGAIN)), 0, {"restart": [], "again": []}
    for gap, holds in steps:
        t += gap
        for name in fired(table, {"link.stalled", "x"} if holds else (), t * S):
            if name in firings:
                firings[name].append(t)
    for name, times, within in (("restart", 3, 100), ("again", 2, 1_000)):
        for first in firings[name]:
            assert sum(first <= other < first + within for other in firings[name]) <= times
