"""The nets under the simulation: whatever would make two runs differ raises here.

Hop: none; this file belongs to the bench's ground rules. Net one is the import and call lint of
`tests/architecture`. Net two is `TrappedLoop`: the event-loop methods that reach for threads,
sockets, processes or signals raise `SimulationTrap` with the caller's place. Net three is
`trapped_nondeterminism()`: clocks, generators of randomness and thread starts raise when a module
of `flight` or `hil` calls them, while libraries (sqlite3, logging, numpy, rich) keep working.

What net three cannot see: `datetime.now()` and `random.Random()` live on C types that cannot be
patched, and a name bound before the net was spread (`from time import monotonic`) is out of its
reach. Net one bans those in source.
"""

import asyncio
import os
import random
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any, Final

GUARDED_PACKAGES: Final = ("flight", "hil")

TRAPPED_LOOP_METHODS: Final = (
    "run_in_executor",
    "set_default_executor",
    "getaddrinfo",
    "getnameinfo",
    "create_connection",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "create_datagram_endpoint",
    "connect_accepted_socket",
    "start_tls",
    "sendfile",
    "sock_sendfile",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendto",
    "sock_connect",
    "sock_accept",
    "connect_read_pipe",
    "connect_write_pipe",
    "subprocess_shell",
    "subprocess_exec",
    "add_reader",
    "remove_reader",
    "add_writer",
    "remove_writer",
    "add_signal_handler",
    "remove_signal_handler",
)

TRAPPED_FUNCTIONS: Final[tuple[tuple[ModuleType, tuple[str, ...]], ...]] = (
    (
        time,
        (
            "time",
            "time_ns",
            "monotonic",
            "monotonic_ns",
            "perf_counter",
            "perf_counter_ns",
            "process_time",
            "process_time_ns",
            "thread_time",
            "thread_time_ns",
            "clock_gettime",
            "clock_gettime_ns",
            "localtime",
            "sleep",
        ),
    ),
    (
        random,
        (
            "random",
            "uniform",
            "triangular",
            "randint",
            "randrange",
            "getrandbits",
            "randbytes",
            "choice",
            "choices",
            "sample",
            "shuffle",
            "seed",
            "gauss",
            "normalvariate",
            "lognormvariate",
            "expovariate",
            "betavariate",
            "binomialvariate",  # from Python 3.12 on
            "gammavariate",
            "paretovariate",
            "weibullvariate",
            "vonmisesvariate",
        ),
    ),
    (os, ("urandom", "getrandom")),
    (
        secrets,
        ("token_bytes", "token_hex", "token_urlsafe", "randbelow", "randbits", "choice"),
    ),
    (uuid, ("uuid1", "uuid4")),
)

# A thread is trapped on behalf of whoever asked for it, also through these.
_THREAD_STARTERS: Final = ("threading", "concurrent", "multiprocessing", "asyncio")


class SimulationTrap(RuntimeError):  # noqa: N818 - the word of the trade
    """Something reached outside the simulation (a thread, a socket, a clock, randomness)."""


def _is_of(module: str, packages: tuple[str, ...]) -> bool:
    return module.partition(".")[0] in packages


def _place(frame: FrameType | None) -> str:
    if frame is None:
        return "an unknown place"
    module = frame.f_globals.get("__name__", "?")
    return f"{module} ({frame.f_code.co_filename}:{frame.f_lineno})"


def _caller_outside(packages: tuple[str, ...], frame: FrameType | None) -> FrameType | None:
    """The nearest frame whose module belongs to none of the packages."""
    while frame is not None and _is_of(str(frame.f_globals.get("__name__", "")), packages):
        frame = frame.f_back
    return frame


def _caller_outside_loop() -> FrameType | None:
    """Skip this file, the loop's own file and asyncio: the rest is whoever asked."""
    own = ("hil.simloop", "hil.simloop_traps")
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to name a caller
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module not in own and not _is_of(module, ("asyncio",)):
            return frame
        frame = frame.f_back
    return None


def spring(what: str, frame: FrameType | None) -> SimulationTrap:
    """Make the trap's error and fail the running simulation, even if the caller swallows it."""
    trap = SimulationTrap(f"{what} is not allowed in simulation; called from {_place(frame)}")
    loop = asyncio._get_running_loop()  # noqa: SLF001 - get_running_loop raises where none runs
    if isinstance(loop, TrappedLoop):
        loop.call_exception_handler({"message": str(trap), "exception": trap})
    return trap


class TrappedLoop(asyncio.AbstractEventLoop):
    """Base of the virtual loop: every door to the outside world raises `SimulationTrap`."""


def _trapped_method(name: str) -> Callable[..., Any]:
    def trapped(_self: TrappedLoop, *_args: object, **_kwargs: object) -> Any:
        raise spring(f"loop.{name}()", _caller_outside_loop())

    trapped.__name__ = name
    trapped.__doc__ = f"Raise SimulationTrap: {name} leaves the simulation."
    return trapped


for _name in TRAPPED_LOOP_METHODS:
    setattr(TrappedLoop, _name, _trapped_method(_name))


def _trapped_function(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def trapped(*args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)  # noqa: SLF001
        if _is_of(str(frame.f_globals.get("__name__", "")), GUARDED_PACKAGES):
            raise spring(f"{name}()", frame)
        return original(*args, **kwargs)

    return trapped


def _trapped_thread_start(original: Callable[..., Any]) -> Callable[..., Any]:
    def trapped(thread: threading.Thread) -> None:
        frame = _caller_outside(_THREAD_STARTERS, sys._getframe(1))  # noqa: SLF001
        module = "" if frame is None else str(frame.f_globals.get("__name__", ""))
        if _is_of(module, GUARDED_PACKAGES):
            raise spring(f"starting thread {thread.name!r}", frame)
        original(thread)

    return trapped


@contextmanager
def trapped_nondeterminism() -> Iterator[None]:
    """Spread net three for the length of the block; everything is put back on the way out.

    Raises (from the trapped call):
        SimulationTrap: a module of `flight` or `hil` read a clock, drew randomness, or started
            a thread. The running `SimLoop`, if any, fails too, so a broad `except` hides nothing.
    """
    saved: list[tuple[Any, str, Any]] = []
    try:
        for module, names in TRAPPED_FUNCTIONS:
            for name in names:
                original = getattr(module, name, None)
                if original is None:
                    continue
                saved.append((module, name, original))
                setattr(module, name, _trapped_function(f"{module.__name__}.{name}", original))
        start = threading.Thread.start
        saved.append((threading.Thread, "start", start))
        setattr(threading.Thread, "start", _trapped_thread_start(start))  # noqa: B010 - mypy
        yield
    finally:
        for owner, name, original in reversed(saved):
            setattr(owner, name, original)
