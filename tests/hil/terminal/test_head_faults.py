"""Faults of an emulated terminal as its command line names them."""

import pytest

from hil.terminal.head_faults import FaultEntry, FaultKind, FaultPlan, parse_fault

S = 1_000_000_000


def test_a_fault_has_a_start_and_may_have_an_end() -> None:
    assert parse_fault("overheat@30") == FaultEntry(FaultKind.OVERHEAT, 30 * S, None)
    assert parse_fault("mount-stuck@1.5+2") == FaultEntry(
        FaultKind.MOUNT_STUCK, 3 * S // 2, 7 * S // 2
    )


@pytest.mark.parametrize(
    "text",
    ["", "melt@1", "laser", "laser@", "laser@-1", "laser@1+0", "laser@1e3", "laser@1+2000000000"],
)
def test_what_is_no_fault_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"allowed is|must lie") as caught:
        parse_fault(text)
    assert "\n" not in str(caught.value)


def test_a_plan_says_what_is_broken_now() -> None:
    plan = FaultPlan((parse_fault("laser@2"), parse_fault("silence@1+1")), start_ns=100 * S)
    assert plan.active(100 * S) == frozenset()
    assert plan.active(101 * S) == {FaultKind.SILENCE}
    assert plan.active(102 * S) == {FaultKind.LASER}
    assert plan.active(900 * S) == {FaultKind.LASER}
