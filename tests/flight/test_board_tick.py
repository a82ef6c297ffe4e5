"""The tick that drives a board's cycle: fakes for its decisions, the real one for its parts."""

import asyncio
import contextlib
import os
import selectors
from pathlib import Path
from types import SimpleNamespace

import pytest

from flight.base.rate_group import RateGroup, RateGroupRunner
from flight.board_config import BoardSection
from flight.board_tick import TickClock, enter_flight, open_board_tick
from hal.guard import GuardState
from hal.native_devices import NativeDevices
from hal.sample import HalConfig, HalError, HalErrorKind

MS = 1_000_000


@pytest.fixture
def loop():
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    yield loop
    loop.close()


class FakeSource:
    """A tick that comes when the test says so."""

    def __init__(self):
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self.started, self.stopped, self.due_ns, self._count = 0, 0, 0, 0
        self.period_ns = 100 * MS

    def start(self):
        self.started += 1

    def stop(self):
        self.stopped += 1

    def fileno(self):
        return self._read

    def tick(self, due_ns, count=1):
        self.due_ns, self._count = due_ns, self._count + count
        os.write(self._write, b".")

    def take(self):
        os.read(self._read, 100)
        count, self._count = self._count, 0
        return count, self.due_ns

    def close(self):
        os.close(self._read)
        os.close(self._write)


class Room:
    def __init__(self, loop):
        self.loop, self.source, self.signs = loop, FakeSource(), 0
        self.clock = TickClock(loop, self.source, self.sign)

    def sign(self):
        self.signs += 1

    def turn(self):
        """Let everything that is ready run."""

        async def rest():
            for _ in range(5):
                await asyncio.sleep(0)

        self.loop.run_until_complete(rest())


@pytest.fixture
def room(loop):
    room = Room(loop)
    yield room
    room.clock.close()
    room.source.close()


def test_a_wait_ends_with_the_first_tick_at_or_after_its_time(room):
    waiting = room.loop.create_task(room.clock.sleep_until(1000))
    room.turn()
    for due_ns in (800, 900, 999):
        room.source.tick(due_ns)
        room.turn()
        assert not waiting.done()
    room.source.tick(1000)
    room.turn()
    assert waiting.done()


def test_the_tick_starts_with_the_first_wait_and_only_once(room):
    assert room.source.started == 0
    for due_ns in (1000, 2000):
        waiting = room.loop.create_task(room.clock.sleep_until(due_ns))
        room.turn()
        room.source.tick(due_ns)
        room.turn()
        assert waiting.done()
    assert room.source.started == 1


def test_each_tick_that_finds_the_groups_waiting_is_a_sign_of_life_and_no_other_is(room):
    waiting = room.loop.create_task(room.clock.sleep_until(1000))
    room.turn()
    for due_ns in range(100, 1001, 100):
        room.source.tick(due_ns)
        room.turn()
    assert waiting.done()
    assert room.signs == 10
    for due_ns in range(1100, 2001, 100):  # the groups do not come back
        room.source.tick(due_ns)
        room.turn()
    assert room.signs == 10


def test_several_ticks_at_once_are_one_sign_of_life(room):
    room.loop.create_task(room.clock.sleep_until(10_000))
    room.turn()
    room.source.tick(900, count=7)
    room.turn()
    assert room.signs == 1
    room.source.tick(10_000)
    room.turn()


def test_groups_that_were_cancelled_give_no_sign_of_life(room):
    waiting = room.loop.create_task(room.clock.sleep_until(1000))
    room.turn()
    waiting.cancel()
    room.turn()
    room.source.tick(1000)
    room.turn()
    assert room.signs == 0


def test_a_closed_clock_ends_the_tick_and_hears_nothing_more(room):
    room.loop.create_task(room.clock.sleep_until(1000))
    room.turn()
    room.clock.close()
    room.clock.close()
    room.source.tick(1000)
    room.turn()
    assert (room.signs, room.source.stopped) == (0, 2)
    for task in asyncio.all_tasks(room.loop):
        task.cancel()
    room.turn()


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@contextlib.contextmanager
def opened_tick(loop, **board):
    section = BoardSection(**board)
    with contextlib.ExitStack() as opened:
        devices = NativeDevices("sim", HalConfig(max_frame_bytes=100), shared=True)
        opened.callback(devices.close)
        yield open_board_tick(section, devices, loop, opened), devices


def test_rate_groups_step_on_the_grid_of_the_real_tick(loop):
    with opened_tick(loop, tick_hz=500, guard_ticks=100_000) as (tick, _):
        seen = []
        done = loop.create_future()

        def step(now_ns):
            seen.append(now_ns)
            if len(seen) == 5:
                done.set_result(None)

        member = SimpleNamespace(name="m", step=step)
        group = RateGroup("g", 4 * MS, [member])
        serving = loop.create_task(RateGroupRunner(tick.clock, [group]).serve())
        loop.run_until_complete(done)
        serving.cancel()
        loop.run_until_complete(asyncio.gather(serving, return_exceptions=True))
        assert all(t % (4 * MS) == 0 for t in seen)
        assert seen == sorted(set(seen))
        assert tick.guard.status().check_ins > 0
        assert tick.source.status().taken > 0


def test_a_loop_that_is_blocked_is_found_out_and_finds_the_node_safe(loop):
    with opened_tick(loop, tick_hz=500, guard_ticks=10) as (tick, devices):
        waiting = loop.create_task(tick.clock.sleep_until(tick.clock.now_ns() + 4 * MS))
        loop.run_until_complete(waiting)
        tick.guard.arm()
        assert devices.set_payload_level(3) == 3
        while not tick.guard.status().safe:
            pass  # the loop does not turn: nobody takes a tick, nobody checks in
        assert tick.guard.status().silent_ticks == 10
        frame = devices.snapshot()
        assert (frame.payload_level, frame.laser_on) == (0, 0)
        with pytest.raises(HalError, match="INHIBITED"):
            devices.set_payload_level(1)


def test_everything_is_given_back(loop):
    before = open_files()
    with opened_tick(loop) as (tick, _):
        assert tick.guard.supervisor_runs()
        assert tick.guard.status().state is GuardState.DISARMED
        assert (tick.unguarded, tick.refused) == ([], [])
        loop.create_task(tick.clock.sleep_until(0))
        loop.run_until_complete(asyncio.sleep(0))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    assert open_files() == before


def test_a_tick_that_is_closed_leaves_no_process_behind(loop):
    with contextlib.ExitStack() as opened:
        devices = NativeDevices("sim", shared=True)
        opened.callback(devices.close)
        tick = open_board_tick(BoardSection(guard_ticks=5), devices, loop, opened)
        process = Path(f"/proc/{tick.guard._supervisor.pid}")
        assert process.exists()
        tick.guard.arm()
        tick.close()
        assert devices.set_payload_level(3) == 3, "nobody has tripped, nobody can any more"
        assert not process.exists(), "ended, and reaped"
        tick.close()


def test_a_supervisor_that_does_not_start_is_told_and_the_thread_watches_alone(loop, monkeypatch):
    def refuse(_self):
        raise HalError("guard.supervisor", -HalErrorKind.PERM)

    monkeypatch.setattr("hal.guard.Guard.start_supervisor", refuse)
    with opened_tick(loop) as (tick, _):
        assert tick.unguarded == ["supervisor not started: PERM"]
        assert tick.guard is not None


def test_hardware_that_cannot_be_made_safe_from_outside_flies_and_says_so(loop, monkeypatch):
    def refuse(_self, _guard, _memory):
        raise HalError("sim.guard", -HalErrorKind.UNSUPPORTED)

    monkeypatch.setattr("hal.native_devices.NativeDevices.attach_guard", refuse)
    with opened_tick(loop) as (tick, _):
        assert tick.guard is None
        assert tick.unguarded == ["backend sim cannot be made safe from outside"]


def test_any_other_trouble_with_the_guard_is_an_error(loop, monkeypatch):
    def refuse(_self, _guard, _memory):
        raise HalError("sim.guard", -HalErrorKind.IO)

    monkeypatch.setattr("hal.native_devices.NativeDevices.attach_guard", refuse)
    with pytest.raises(HalError, match="IO"), opened_tick(loop):
        pass


def test_a_board_that_asks_for_nothing_gets_nothing():
    assert enter_flight(BoardSection(), None) == (0, 0, ())


@pytest.mark.parametrize(("now_ms", "first_ms"), [(0, 200), (1, 200), (99, 200), (100, 300)])
@pytest.mark.parametrize("ahead_s", [0, 86_400])
def test_the_first_step_is_due_with_a_tick_that_the_start_cannot_miss(
    loop, now_ms, first_ms, ahead_s
):
    clock = TickClock(loop, FakeSource(), lambda: None, ahead_s * 1000 * MS)
    clock.now_ns = lambda: now_ms * MS + clock.offset_ns
    assert clock.first_due_ns() - clock.offset_ns == first_ms * MS
