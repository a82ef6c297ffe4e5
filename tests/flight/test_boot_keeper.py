"""The record follows the run: beats, good flight, reset by command, last word."""

from dataclasses import replace
from math import nan

import pytest

from flight.base.channels import Latest
from flight.boot_keeper import RESET_DELAY_NS, BootKeeper, BootPorts, BootStart, Instant, begin
from flight.boot_record import (
    BEAT_NS,
    GOOD_FLIGHT_NS,
    LOOP_STARTS,
    Ended,
    Found,
    Resumed,
    following,
)
from flight.node_status import NodeStatus
from flight.reset_cause import Cause, ResetLog
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.telemetry.event_log import EventLog

S = 1_000_000_000
T0 = 1_000 * S
FIRST = following(None, power_up=b"power-up", watched=False)


class Kept:
    """A keeper with everything it talks to."""

    def __init__(self, record=FIRST, before=None, damaged=0):
        self.offered, self.last, self.told, self.resets = [], [], [], 0
        self.failed, self.trusted = 0, True
        self.status, self.channels = Latest(), ChannelValues()
        ports = BootPorts(
            offer=self.offered.append, finish=self.last.append, failed=lambda: self.failed,
            utc_trusted=lambda: self.trusted, reset=self._reset,
        )  # fmt: skip
        self.start = BootStart(
            before=before, damaged=damaged, record=record, resumed=Resumed(0, ""), ports=ports
        )
        self.keeper = BootKeeper(
            self.start, status=self.status, channels=self.channels,
            events=EventLog(64, self.told.append), now_ns=T0,
        )  # fmt: skip

    def _reset(self):
        self.resets += 1

    def show(self, mode, utc_s, now_ns):
        self.status.set(NodeStatus(now_ns, utc_s, mode, 0, ThrottleReason.NONE, True, 0.5), now_ns)

    def names(self):
        return [event.name for event in self.told]


@pytest.fixture
def kept():
    return Kept()


def test_a_beat_is_offered_each_period_with_mode_time_and_utc(kept):
    kept.show(Mode.COMPUTE, 1.5e9, T0 + BEAT_NS - S)
    for second in range(1, 2 * BEAT_NS // S + 1):
        kept.keeper.step(T0 + second * S)
    assert len(kept.offered) == 2
    beat = kept.offered[0]
    assert (beat.mode, beat.mission_ns) == (Mode.COMPUTE, T0 + BEAT_NS)
    assert (beat.utc_ns, beat.utc_trusted) == (1_500_000_000 * S + S, True)
    assert [each.sequence for each in kept.offered] == [2, 3]


@pytest.mark.parametrize("utc_s", [None, nan])
def test_utc_that_is_not_known_is_not_trusted(kept, utc_s):
    if utc_s is not None:
        kept.show(Mode.IDLE, utc_s, T0)
    kept.keeper.step(T0 + BEAT_NS)
    assert (kept.offered[0].utc_ns, kept.offered[0].utc_trusted) == (0, False)


def test_a_good_flight_ends_the_row_and_says_so():
    kept = Kept(replace(FIRST, unplanned=2))
    kept.keeper.step(T0 + GOOD_FLIGHT_NS - S)
    assert kept.keeper.record.unplanned == 2
    kept.keeper.step(T0 + GOOD_FLIGHT_NS)
    assert kept.offered[-1].unplanned == 0
    assert kept.names() == ["BOOT_LOOP_CLEARED"]
    kept.keeper.step(T0 + GOOD_FLIGHT_NS + S)
    assert kept.names() == ["BOOT_LOOP_CLEARED"]


def test_so_does_a_command_once():
    kept = Kept(replace(FIRST, unplanned=LOOP_STARTS))
    kept.keeper.forgive(T0, "command")
    kept.keeper.forgive(T0, "command")
    assert kept.names() == ["BOOT_LOOP_CLEARED"]
    assert kept.channels.get("reset.unplanned_in_a_row") == 0


def test_an_ordered_reset_leaves_time_for_its_answer(kept):
    kept.keeper.order_reset(T0)
    kept.keeper.step(T0 + RESET_DELAY_NS - 1)
    assert kept.resets == 0
    kept.keeper.step(T0 + RESET_DELAY_NS)
    kept.keeper.step(T0 + RESET_DELAY_NS + S)
    assert kept.resets == 1
    assert kept.names() == ["RESET_ORDERED"]


def test_the_last_word_carries_how_it_ended_and_when(kept):
    kept.show(Mode.IDLE, nan, T0)
    kept.keeper.end(Ended.COMMANDED, T0 + 5 * S)
    (last,) = kept.last
    assert (last.ended, last.mode, last.mission_ns) == (Ended.COMMANDED, Mode.IDLE, T0 + 5 * S)


def test_a_beat_that_could_not_be_written_is_told_once_and_counted(kept):
    kept.failed = 2
    kept.keeper.step(T0 + S)
    kept.keeper.step(T0 + 2 * S)
    assert kept.names() == ["BOOT_BEAT_FAILED"]
    assert kept.channels.get("reset.record_failures") == 2


def test_a_start_tells_cause_counts_and_the_newest_starts():
    before = replace(FIRST, mode=Mode.SAFE, mission_ns=9 * S)
    kept = Kept(replace(FIRST, unplanned=LOOP_STARTS), before, damaged=1)
    log = ResetLog()
    for boot, cause in enumerate((Cause.POWER_CUT, Cause.SOFTWARE, Cause.OVERHEAT), 1):
        log.note(cause, boot, before)
    kept.keeper.tell(Cause.OVERHEAT, log, log_whole=False, now_ns=T0)
    get = kept.channels.get
    assert (get("reset.power_cut"), get("reset.software"), get("reset.other")) == (1, 1, 1)
    assert (get("reset.planned"), get("reset.unplanned_in_a_row")) == (0, LOOP_STARTS)
    assert kept.names() == [*["BOOT_RECORD_DAMAGED"] * 2, *["RESET_ENTRY"] * 3, "BOOT_LOOP"]
    assert kept.told[2].text == "start 1: power_cut, unplanned, last seen in SAFE at 9 s"


def test_a_new_run_is_on_the_record_before_it_has_done_anything():
    record, resumed = begin(
        Found(FIRST, 0), Instant(mono_ns=T0, utc_ns=5, utc_trusted=True), power_up=b"another1",
        watched=True,
    )  # fmt: skip
    assert (record.boots, record.unplanned, record.ended) == (2, 1, Ended.RUNNING)
    assert record.mission_ns == T0 + resumed.offset_ns
    assert record.watched


def test_time_that_a_bench_grants_is_mission_time():
    now = Instant(mono_ns=T0, utc_ns=5, utc_trusted=True)
    record, resumed = begin(Found(FIRST, 0), now, power_up=b"another1", granted=True)
    assert (resumed.offset_ns, record.mission_ns) == (0, T0)


def test_the_board_s_word_counts_where_the_machine_was_reset(kept):
    assert kept.start.cause(Cause.WATCHDOG) is Cause.WATCHDOG
