"""Real flights, ended in every way a process can be: the next one knows which it was."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from boot_files import ELSEWHERE, rewrite
from flight_process import FlightProcess, flying

from flight.board_boot import BOOT_RECORD, SLOT_STRIDE
from flight.boot_record import LOOP_STARTS, BootRecord, newest
from flight.data_folder import INDEX, SEGMENTS
from flight.downlink.file_store import FolderStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.start_up import EXPERIENCE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # real processes

S = 1_000_000_000


@pytest.fixture
def board(make_board, tmp_path):
    return make_board(tmp_path)


def booted(flight: FlightProcess) -> str:
    return flight.until("BOOTED").partition("BOOTED: ")[2]


def test_after_a_power_cut_mission_time_goes_on_and_the_flight_with_it(board, tmp_path):
    with flying(board) as flight:
        flight.until("mode BOOT to IDLE")
        flight.end(signal.SIGKILL)
    last_s = 3_000_000
    record = tmp_path / "data" / BOOT_RECORD
    rewrite(record, power_up=ELSEWHERE, mission_ns=last_s * S, utc_trusted=False)
    with flying(board) as flight:
        line = flight.until("MISSION_TIME_RESUMED")
        resumed_s = float(line.partition("goes on at ")[2].partition(" s")[0])
        assert resumed_s >= last_s
        stamp = datetime.fromisoformat(flight.until("mode BOOT to IDLE").split("Z")[0])
        assert abs((stamp - datetime.now(UTC).replace(tzinfo=None)).total_seconds()) < 600
        flight.until("mode IDLE to COMPUTE")  # the tick wakes the cycle at its new times, too
        assert flight.end() == 0
    assert not any("GUARD_TRIPPED" in line for line in flight.lines)
    after = newest_of(record)
    assert after.mission_ns >= resumed_s * S
    assert after.offset_ns % S == 0


def newest_of(record: Path) -> BootRecord:
    content = record.read_bytes()
    found = newest([content[start : start + 64] for start in (0, SLOT_STRIDE)]).record
    assert found is not None
    return found


def test_the_log_of_resets_comes_down_at_every_start_and_ends_at_twenty(board):
    with flying(board) as flight:
        booted(flight)
        flight.end(signal.SIGKILL)
    with flying(board) as flight:
        flight.until("RESET_ENTRY: start 1: power_cut, unplanned")
        flight.until("RESET_ENTRY: start 2: software, unplanned, last seen in")


def test_crashes_at_init_end_in_safe_mode_on_defaults_with_the_node_at_work(board, tmp_path):
    with flying(board) as flight:
        flight.until("mode BOOT to IDLE")
        assert flight.end() == 0
    poison(tmp_path / "data")
    for _ in range(LOOP_STARTS):
        with flying(board) as flight:
            assert flight.ended() not in {0, 2}
            assert not any("BOOTED" in line for line in flight.lines)
    with flying(board) as flight:
        assert "reset cause software" in booted(flight)
        flight.until(f"BOOT_LOOP: {LOOP_STARTS} unplanned starts in a row, the last software")
        flight.until("mode BOOT to SAFE: boot failed")
        assert flight.end() == 0, "the loop turns, and ends in order"
    with flying(board) as flight:  # an order to stop was somebody's look at it: tried once more
        assert flight.ended() not in {0, 2}


def poison(data: Path) -> None:
    """Something on the store that every start falls over."""
    store = ProductStore(FolderStore(data / SEGMENTS), data / INDEX, segment_bytes=1_048_576)
    store.recover()
    store.store_state(EXPERIENCE, b"\xc1 is no msgpack")
    store.close()


def test_a_start_that_a_person_must_mend_is_no_part_of_a_loop(board, tmp_path):
    text = board.read_text()
    tiles = tmp_path / "tiles.npz"
    hidden = tiles.rename(tmp_path / "hidden.npz")
    for _ in range(LOOP_STARTS + 1):
        with flying(board) as flight:
            assert flight.ended() == 2, flight.lines
    hidden.rename(tiles)
    board.write_text(text)
    with flying(board) as flight:
        flight.until("mode BOOT to IDLE")
