"""Edges of the terminal's own faults: told once each, and what is no fault stops nothing."""

from hypothesis import given
from hypothesis import strategies as st

from flight.downlink.terminal_health import TerminalHealth, names_of
from flight.telemetry.dictionary import EVENT_BY_NAME
from hal.terminal_registers import TermFault

ANSWERS = st.one_of(st.none(), st.integers(0, 2 * sum(TermFault)))


def test_a_healthy_terminal_tells_nothing() -> None:
    health = TerminalHealth()
    assert [health.learn(0) for _ in range(3)] == [None] * 3
    assert not health.faulty


def test_a_fault_is_told_when_it_comes_when_it_changes_and_when_it_goes() -> None:
    health = TerminalHealth()
    told = [
        health.learn(bits)
        for bits in (TermFault.MOUNT, TermFault.MOUNT, TermFault.MOUNT | TermFault.LASER, 0, 0)
    ]
    assert [edge and (edge.event, *edge.args.values()) for edge in told] == [
        ("TERMINAL_FAULT", "mount"),
        None,
        ("TERMINAL_FAULT", "laser, mount"),
        ("TERMINAL_WELL", "laser, mount"),
        None,
    ]


def test_silence_is_an_edge_and_no_fault_of_its_own() -> None:
    health = TerminalHealth()
    assert health.learn(None) is None, "one missing answer is none yet"
    edge = health.learn(None)
    assert edge is not None
    assert (edge.event, health.faults, health.faulty) == ("TERMINAL_SILENT", None, False)
    assert health.learn(None) is None
    back = health.learn(0)
    assert back is not None
    assert back.args == {"before": "silent"}


def test_a_terminal_that_missed_the_node_may_be_used_again() -> None:
    health = TerminalHealth()
    assert health.learn(TermFault.NODE_SILENT) is not None
    assert not health.faulty
    health.learn(TermFault.NODE_SILENT | TermFault.OVERHEAT)
    assert health.faulty


def test_a_bit_without_a_name_is_told_by_its_number() -> None:
    assert names_of(TermFault.LASER | 1 << 31) == "laser, 0x80000000"


def test_one_missing_answer_changes_nothing() -> None:
    health = TerminalHealth()
    assert [health.learn(bits) for bits in (None, 0, None, 0)] == [None] * 4


@given(st.lists(ANSWERS, max_size=20))
def test_an_edge_is_told_exactly_where_the_answer_changes(answers: list[int | None]) -> None:
    health = TerminalHealth()
    told: int | None = 0
    before: int | None = 0
    for answer in answers:
        edge = health.learn(answer)
        silent_once = answer is None and before is not None
        assert (edge is not None) == (answer != told and not silent_once)
        if edge is not None:
            EVENT_BY_NAME[edge.event].text.format(**edge.args)
            told = answer
        before = answer
