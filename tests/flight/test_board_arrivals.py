"""The rest between two turns of the contact loop: frames are heard in it, and failures are told."""

import asyncio
import contextlib
import os

import pytest

from flight.base.clock import LoopClock
from flight.board_arrivals import FrameArrivals
from flight.board_parts import frame_arrivals

S = 1_000_000_000
NEVER_NS = 1_000_000 * S


class Terminal:
    """The end that signals."""

    def __init__(self):
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)

    def receive_fd(self):
        return self.fd

    def frame(self):
        os.eventfd_write(self.fd, 1)


@pytest.fixture
def terminal():
    terminal = Terminal()
    yield terminal
    os.close(terminal.fd)


def waited(terminal, body):
    """Runs `body(arrivals)` on a real loop."""

    async def run():
        loop = asyncio.get_running_loop()
        arrivals = FrameArrivals(loop, LoopClock(loop), terminal.fd)
        try:
            return await body(arrivals)
        finally:
            arrivals.close()
            arrivals.close()

    return asyncio.run(run())


def test_every_frame_is_heard_in_the_wait_and_the_wait_goes_on_until_it_is_told_to_end(terminal):
    heard = []

    def hear():
        heard.append(len(heard))
        if len(heard) < 3:
            terminal.frame()
        return len(heard) < 3

    terminal.frame()
    waited(terminal, lambda arrivals: arrivals.wait_until(NEVER_NS, hear))
    assert heard == [0, 1, 2]


def test_a_wait_whose_time_is_past_ends_without_anything_having_come(terminal):
    waited(terminal, lambda arrivals: arrivals.wait_until(0, lambda: pytest.fail("nothing came")))


def test_a_wait_that_hears_nothing_never_ends_before_its_time(terminal):
    async def body(arrivals):
        clock = LoopClock()
        for number in range(50):
            t_ns = clock.now_ns() + 100_000 * number
            await arrivals.wait_until(t_ns, lambda: True)
            assert clock.now_ns() >= t_ns

    waited(terminal, body)


def test_what_comes_while_nobody_waits_is_heard_when_the_next_wait_begins(terminal):
    async def body(arrivals):
        arrivals.wake()
        terminal.frame()
        await asyncio.sleep(0.01)
        heard = []
        await arrivals.wait_until(NEVER_NS, lambda: bool(heard.append(1)))
        return heard

    assert waited(terminal, body) == [1]


def test_whoever_is_heard_may_ask_to_be_heard_again_without_being_called_inside_himself(terminal):
    async def body(arrivals):
        depth, heard = [0], []

        def hear():
            depth[0] += 1
            heard.append(depth[0])
            if len(heard) < 3:
                arrivals.wake()
            depth[0] -= 1
            return len(heard) < 3

        terminal.frame()
        await arrivals.wait_until(NEVER_NS, hear)
        return heard

    assert waited(terminal, body) == [1, 1, 1]


def test_a_failure_while_hearing_is_the_waiter_s(terminal):
    def hear():
        raise ValueError("broken")

    terminal.frame()
    with pytest.raises(ValueError, match="broken"):
        waited(terminal, lambda arrivals: arrivals.wait_until(NEVER_NS, hear))


def test_a_wait_that_is_cancelled_is_over_and_the_next_one_hears(terminal):
    async def body(arrivals):
        first = asyncio.ensure_future(arrivals.wait_until(NEVER_NS, lambda: True))
        await asyncio.sleep(0)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        terminal.frame()
        await arrivals.wait_until(NEVER_NS, lambda: False)

    waited(terminal, body)


def test_a_terminal_that_has_to_be_asked_has_no_arrivals(terminal):
    terminal.receive_fd = lambda: None
    with contextlib.ExitStack() as opened:
        assert frame_arrivals(terminal, None, None, opened) is None
