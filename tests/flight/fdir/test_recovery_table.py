import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.fdir.recovery_table import (
    Action,
    Activity,
    Arming,
    Arrangement,
    Recovery,
    RecoveryTable,
)

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
