"""A node on a bench: time by grants or by its own clock, the bench's date, and the power's end."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass

import pytest

from flight.base.clock import LoopClock
from flight.base.granted_loop import GrantedLoop
from flight.bench_seat import BenchSeat
from flight.board_config import BoardSection, FlyConfig
from flight.composition.surroundings import Surroundings
from flight.config import ConfigError, load_profile
from flight.inference.held_engine import HeldEngine
from flight.inference.worker_process import WorkerEngine
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.dictionary import EVENT_BY_NAME
from flight.telemetry.event_log import Event
from hal.fake_devices import FakeBench, FakeDevices
from hal.link_devices import LinkPhase, LinkState

S = 1_000_000_000
UTC_NS = 1_782_000_000 * S
WAITING = LinkState(LinkPhase.WAITING, "", 0, 0)
UP = LinkState(LinkPhase.UP, "", 1, 0)


class PowerLostError(Exception):
    pass


def lose_power():
    raise PowerLostError


class Devices(FakeDevices):
    """A line whose far end a test plays."""

    def __init__(self):
        super().__init__()
        self.read_fd, self.write_fd = os.pipe()
        self.now = WAITING
        self.grants, self.records, self.done_count = [], [], 0

    def news(self, state, *grants):
        self.now = state
        self.grants += grants
        os.write(self.write_fd, b"!")

    def wake_fd(self):
        return self.read_fd

    def state(self):
        os.set_blocking(self.read_fd, False)
        with contextlib.suppress(BlockingIOError):
            os.read(self.read_fd, 100)
        return self.now

    def take_grant(self):
        return self.grants.pop(0) if self.grants else None

    def done(self):
        self.done_count += 1
        if self.grants:
            os.write(self.write_fd, b"!")

    def tell(self, record):
        self.records.append(record)
        return True


@dataclass
class Seated:
    seat: BenchSeat
    devices: Devices
    loop: asyncio.AbstractEventLoop

    def ready(self):
        stop = self.loop.create_future()
        self.loop.run_until_complete(self.seat.ready(stop))


@pytest.fixture
def seated():
    made = []

    def make(mode="lock-step"):
        devices = Devices()
        config = FlyConfig(board=BoardSection(hal="link:/dev/ttyX", link_mode=mode))
        seat = BenchSeat(config, load_profile(config.inference.profile), devices, lose_power)
        made.append(Seated(seat, devices, seat.make_loop()))
        return made[-1]

    yield make
    for each in made:
        for task in asyncio.all_tasks(each.loop):
            task.cancel()
        each.devices.now = UP
        each.seat.let_go()
        each.loop.run_until_complete(asyncio.sleep(0))
        each.loop.close()
        os.close(each.devices.read_fd)
        os.close(each.devices.write_fd)


def test_in_lock_step_the_first_grant_is_the_begin_and_its_time_the_nodes(seated, capfd):
    node = seated()
    node.devices.news(UP, (7 * S, 8 * S - 1))
    node.ready()
    assert isinstance(node.loop, GrantedLoop)
    assert node.loop.time_ns() == 7 * S
    assert capfd.readouterr().err == "lumenode fly: waiting for a bench at /dev/ttyX\n"


def test_in_free_run_it_waits_until_the_bench_has_shown_the_date(seated):
    node = seated("free-run")
    bench = FakeBench(node.devices)
    node.loop.call_later(0.01, lambda: node.devices.news(UP))
    node.loop.call_later(0.02, lambda: bench.write_sensors(utc_ns=UTC_NS))
    node.ready()
    correlation = node.seat.correlation(5 * S)
    assert correlation.utc_ns(6 * S) == UTC_NS + S


@pytest.mark.parametrize("mode", ["lock-step", "free-run"])
def test_whoever_stops_a_node_that_waits_for_a_bench_is_heard(seated, mode):
    node = seated(mode)
    stop = node.loop.create_future()
    node.loop.call_soon(stop.set_result, "SIGTERM")
    node.loop.run_until_complete(node.seat.ready(stop))


@pytest.mark.parametrize("mode", ["lock-step", "free-run"])
def test_a_bench_that_does_not_fit_is_one_line(seated, mode):
    node = seated(mode)
    node.devices.news(LinkState(LinkPhase.REFUSED, "HAL version", 0, 0))
    with pytest.raises(
        ConfigError, match="link:/dev/ttyX': the bench there has another HAL version"
    ):
        node.ready()


@pytest.mark.parametrize("mode", ["lock-step", "free-run"])
def test_a_power_cut_ends_everything_at_once_and_starts_the_process_anew(seated, mode):
    node = seated(mode)
    engine, tick = Closed(), Closed()
    node.seat._engine, node.seat._tick = engine, tick
    node.devices.news(LinkState(LinkPhase.RESET, "", 1, 3))
    look = node.ready if mode == "lock-step" else node.seat._look
    with pytest.raises(PowerLostError):
        look()
    assert engine.closed
    assert tick.closed, "a process that begins anew keeps its children: the guard's must have ended"


class Closed:
    closed = False

    def close(self):
        self.closed = True


def test_another_mission_on_the_same_line_starts_the_node_anew(seated):
    node = seated()
    node.devices.news(UP, (7 * S, 8 * S - 1), (0, S - 1))

    async def fly_on():
        await node.loop.begun()
        await LoopClock(node.loop).sleep_until(20 * S)

    with pytest.raises(PowerLostError):
        node.loop.run_until_complete(fly_on())


def test_a_second_that_is_granted_twice_is_none_the_longer(seated):
    node = seated()
    node.devices.news(UP, (0, S - 1), (0, S - 1), (S, 2 * S - 1))
    woken = []

    async def fly_on():
        await node.loop.begun()
        clock = LoopClock(node.loop)
        for second in (S // 2, S):
            await clock.sleep_until(second)
            woken.append(node.loop.time_ns())

    node.loop.run_until_complete(fly_on())
    assert (woken, node.devices.done_count) == ([S // 2, S], 2)


def test_answers_are_held_to_the_modelled_time_where_time_is_granted(seated):
    kinds = {"lock-step": HeldEngine, "free-run": WorkerEngine}
    for mode, kind in kinds.items():
        node = seated(mode)
        assert isinstance(node.seat.engine([], LoopClock(node.loop)), kind)


def surroundings(node, listener):
    names = ("engine", "frames", "store", "keys", "config", "profile")
    return Surroundings(
        clock=LoopClock(node.loop),
        utc_s=0.0,
        devices=node.devices,
        measure_host=lambda _values: None,
        listener=listener,
        **dict.fromkeys(names),
    )


@pytest.mark.parametrize("mode", ["lock-step", "free-run"])
def test_the_node_tells_its_bench_every_event_and_in_lock_step_nothing_of_this_machine(
    seated, mode
):
    node, heard = seated(mode), []
    around = node.seat.dressed(surroundings(node, heard.append))
    assert (around.measure_host is None) == (mode == "lock-step")
    event = Event(EVENT_BY_NAME["SHUTDOWN"].event_id, 5, {"reason": "test"})
    around.listener(event)
    assert (heard, len(node.devices.records)) == ([event], 1)
    (spec,) = around.companions(Composed())
    assert spec.name == "umbilical"
    assert spec.factory().name == "umbilical"


class Composed:
    channels = ChannelValues()
