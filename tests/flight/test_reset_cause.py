"""One cause a start, out of record, power-up and the board's word."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.boot_record import Ended, following
from flight.reset_cause import LOG_ENTRIES, Cause, Evidence, ResetLog, judge
from flight.telemetry.channel_table import RESET_LABELS
from flight.telemetry.definitions import Mode
from hal.sample import ResetCause

HERE, ELSEWHERE = b"power-up", b"another1"
RAN = following(None, power_up=HERE, watched=False)


def cause(record=RAN, power_up=HERE, board=None, **more):
    return judge(Evidence(record=record, power_up=power_up, board=board, **more))


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"record": replace(RAN, ended=Ended.COMMANDED)}, Cause.COMMANDED),
        ({"record": replace(RAN, ended=Ended.ORDERED)}, Cause.STOPPED),
        ({"record": replace(RAN, ended=Ended.ORDERED), "power_up": ELSEWHERE}, Cause.STOPPED),
        ({}, Cause.SOFTWARE),
        ({"record": replace(RAN, ended=Ended.FATAL)}, Cause.SOFTWARE),
        ({"record": replace(RAN, watched=True), "aborted": True}, Cause.WATCHDOG),
        ({"power_up": ELSEWHERE, "board": Cause.WATCHDOG}, Cause.WATCHDOG),
        ({"power_up": ELSEWHERE}, Cause.POWER_CUT),
        ({"power_up": ELSEWHERE, "board": Cause.UNKNOWN}, Cause.POWER_CUT),
        ({"power_up": ELSEWHERE, "board": Cause.UNDER_VOLTAGE}, Cause.UNDER_VOLTAGE),
    ],
)
def test_every_end_has_its_own_cause(evidence, expected):
    assert cause(**evidence) is expected


def test_an_abort_that_no_watchdog_could_send_is_the_software_s_own():
    assert cause(aborted=True) is Cause.SOFTWARE


def test_what_the_watchdog_s_register_says_of_an_earlier_power_up_is_not_believed_again():
    assert cause(board=Cause.WATCHDOG) is Cause.SOFTWARE


def test_without_a_record_the_board_s_word_is_all_there_is():
    assert cause(record=None, board=Cause.POWER_CUT) is Cause.POWER_CUT
    assert cause(record=None) is Cause.UNKNOWN


def test_the_numbers_are_those_of_the_hardware_layer():
    for each in ResetCause:
        assert Cause(each).name == each.name
    assert [label.upper() for label in RESET_LABELS] == [each.name for each in Cause]


def test_the_log_keeps_the_newest_and_counts_all():
    log = ResetLog()
    for boot in range(1, 51):
        log.note(Cause.SOFTWARE if boot % 2 else Cause.POWER_CUT, boot, RAN)
    assert [entry.boot for entry in log.entries] == list(range(51 - LOG_ENTRIES, 51))
    assert (log.counts[Cause.SOFTWARE], log.counts[Cause.POWER_CUT]) == (25, 25)


def test_an_entry_says_when_and_in_which_mode_the_run_before_was_last_seen():
    before = replace(RAN, ended=Ended.ORDERED, mode=Mode.DOWNLINK, mission_ns=77)
    entry = ResetLog().note(Cause.STOPPED, 4, before)
    assert (entry.boot, entry.planned, Mode(entry.mode)) == (4, True, Mode.DOWNLINK)
    assert entry.mission_ns == 77
    assert not ResetLog().note(Cause.UNKNOWN, 1, None).planned


@given(st.lists(st.sampled_from(Cause), max_size=60))
def test_a_log_comes_back_from_its_bytes(causes):
    log = ResetLog()
    for boot, each in enumerate(causes):
        log.note(each, boot, RAN)
    assert ResetLog.load(log.blob()) == (log, True)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_log_begin_a_new_one_and_are_told(blob):
    log, whole = ResetLog.load(blob)
    assert whole or log == ResetLog()


def test_a_first_start_has_an_empty_log_and_no_damage():
    assert ResetLog.load(None) == (ResetLog(), True)
