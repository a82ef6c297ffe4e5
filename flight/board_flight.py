"""A flight on this machine, from an empty process to the end: loop, signals, line, node.

On a board of its own the loop goes by the machine's clock. A node whose configuration names a line
waits for the bench there, and flies as soon as that has shown it the first sensors.
"""

from __future__ import annotations

import asyncio
import gc
import selectors
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from flight.board_devices import open_link
from flight.board_node import BoardNode, settle
from flight.config import load_profile
from flight.inference.model_registry import crew_of
from flight.keys import Half, load_half

if TYPE_CHECKING:
    from flight.bench_seat import BenchSeat
    from flight.board_config import FlyConfig

LEFT_TIMEOUT_S = 0.2


def fly(config: FlyConfig, seconds: float | None = None) -> str:
    """Flies until SIGTERM, SIGINT or for `seconds`; returns what ended it.

    A selector with microsecond timers: the default one rounds every wait up to a millisecond.
    Raises what `BoardNode` and its `fly` raise.
    """
    seat = _bench_seat(config)
    loop = _loop() if seat is None else seat.make_loop()
    try:
        stop: asyncio.Future[str] = loop.create_future()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, settle, stop, number.name)
        if seat is not None:
            stop.add_done_callback(seat.let_go)
            loop.run_until_complete(seat.ready(stop))
            if stop.done():
                return stop.result()
        return _fly_on(loop, BoardNode(config, loop, seat), stop, seconds)
    finally:
        loop.close()
        if seat is not None:
            seat.devices.close()


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def _fly_on(
    loop: asyncio.AbstractEventLoop,
    board: BoardNode,
    stop: asyncio.Future[str],
    seconds: float | None,
) -> str:
    try:
        # What is there now stays: the collector need not walk it in every full round.
        gc.collect()
        gc.freeze()
        if seconds is not None:
            loop.call_later(seconds, settle, stop, "time over")
        return loop.run_until_complete(board.fly(stop))
    finally:
        if stop.done():  # by then a loop that a bench grants its time goes by itself
            end_left_tasks(loop)
        board.close()


def end_left_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """A second cancel for what the end of a flight left behind, and a moment's time.

    Otherwise the interpreter has something to say about each of them.
    """
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=LEFT_TIMEOUT_S))


def _bench_seat(config: FlyConfig) -> BenchSeat | None:
    """A line to a bench, if the configuration names one; everything else is looked at first."""
    if not config.board.hal.startswith("link:"):
        return None
    # Only then: a board of its own needs nothing of it.
    from flight.bench_seat import BenchSeat  # noqa: PLC0415

    load_half(Path(config.board.keys) / Half.NODE.file_name, Half.NODE)
    profile = load_profile(config.inference.profile)
    crew_of(config.inference)
    return BenchSeat(config, profile, open_link(config.board, profile))
