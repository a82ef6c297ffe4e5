import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.restart_policy import (
    Ending,
    Restart,
    RestartBudget,
    RestartIntensity,
    wants_restart,
)


def test_the_table_of_restart_types_is_otp_s():
    assert {(r, e): wants_restart(r, e) for r in Restart for e in Ending} == {
        (Restart.PERMANENT, Ending.RETURNED): True,
        (Restart.PERMANENT, Ending.FAILED): True,
        (Restart.TRANSIENT, Ending.RETURNED): False,
        (Restart.TRANSIENT, Ending.FAILED): True,
        (Restart.TEMPORARY, Ending.RETURNED): False,
        (Restart.TEMPORARY, Ending.FAILED): False,
    }


def test_delays_double_up_to_the_cap_and_then_the_budget_is_exhausted():
    budget = RestartBudget(
        RestartIntensity(max_restarts=5, window_ns=1000, first_delay_ns=3, max_delay_ns=20)
    )
    assert [budget.request(t) for t in range(6)] == [3, 6, 12, 20, 20, None]


def test_a_good_window_restores_the_first_delay():
    budget = RestartBudget(
        RestartIntensity(max_restarts=2, window_ns=100, first_delay_ns=3, max_delay_ns=20)
    )
    assert [budget.request(0), budget.request(1), budget.request(99)] == [3, 6, None]
    assert budget.request(101) == 3


@settings(deadline=None, max_examples=200)
@given(
    st.integers(0, 5),
    st.integers(1, 50),
    st.lists(st.integers(0, 30), max_size=60),
)
def test_no_window_ever_holds_more_restarts_than_allowed(max_restarts, window_ns, gaps):
    budget = RestartBudget(
        RestartIntensity(
            max_restarts=max_restarts, window_ns=window_ns, first_delay_ns=1, max_delay_ns=8
        )
    )
    now_ns, granted = 0, []
    for gap in gaps:
        now_ns += gap
        if budget.request(now_ns) is not None:
            granted.append(now_ns)
    for end in granted:
        assert sum(end - window_ns < t <= end for t in granted) <= max_restarts


def test_nonsense_is_refused():
    for bad in ({"max_restarts": -1}, {"first_delay_ns": 0}, {"window_ns": 0}, {"max_delay_ns": 1}):
        with pytest.raises(AssertionError):
            RestartIntensity(**bad)
