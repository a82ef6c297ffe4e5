"""Whatever reaches out of the simulation raises, and names who reached."""

import asyncio
import contextlib
import logging
import random
import secrets
import socket
import threading
import time
import types
import uuid

import numpy as np
import pytest

from hil.simloop import SimLoop
from hil.simloop_life import SimulationFailure
from hil.simloop_traps import (
    TRAPPED_FUNCTIONS,
    TRAPPED_LOOP_METHODS,
    SimulationTrap,
    trapped_nondeterminism,
)


def _module(name, source):
    """A module of that name which is nowhere imported from."""
    module = types.ModuleType(name)
    exec(compile(source, f"{name.replace('.', '/')}.py", "exec"), module.__dict__)
    return module


CALLS = """
import time, random, os, secrets, uuid, threading
from concurrent.futures import ThreadPoolExecutor
def clock(): return time.time()
def mono(): return time.monotonic_ns()
def perf(): return time.perf_counter()
def nap(): time.sleep(0)
def draw(): return random.random()
def shuffle(): random.shuffle([1, 2])
def noise(): return os.urandom(4)
def secret(): return secrets.token_hex(4)
def ident(): return uuid.uuid4()
def thread(): threading.Thread(target=int).start()
def pool():
    with ThreadPoolExecutor(1) as pool: pool.submit(int)
def seeded(): return random.Random(7).random()
"""
REACHES = tuple("clock mono perf nap draw shuffle noise secret ident thread pool".split())  # noqa: SIM905


@pytest.mark.parametrize("method", TRAPPED_LOOP_METHODS)
def test_every_door_of_the_loop_is_trapped(method):
    loop = SimLoop()
    with pytest.raises(SimulationTrap, match=rf"{method}.*test_simloop_traps"):
        getattr(loop, method)(1, 2)
    loop.close()


def test_no_door_of_an_event_loop_is_left_out():
    implemented = {name for klass in SimLoop.__mro__[:-2] for name in vars(klass)}
    doors = {name for name in vars(asyncio.AbstractEventLoop) if not name.startswith("_")}
    assert doors - implemented == set()


@pytest.mark.parametrize(
    "reach",
    [
        lambda loop: asyncio.to_thread(int),
        lambda loop: asyncio.create_subprocess_exec("true"),
        lambda loop: asyncio.open_connection("127.0.0.1", 9),
        lambda loop: loop.sock_recv(socket.socket, 1),
    ],
)
def test_a_task_that_swallows_the_trap_still_fails_the_run(reach):
    loop = SimLoop()

    async def careless():
        with contextlib.suppress(RuntimeError):
            await reach(loop)
        await loop.at(5)

    with pytest.raises(SimulationFailure, match="not allowed in simulation"):
        loop.run_until_complete(careless())
    loop.cancel_all()
    loop.close()


def test_another_thread_cannot_schedule_and_its_attempt_fails_the_run():
    loop = SimLoop()
    caught = []

    def intrude():
        try:
            loop.call_soon_threadsafe(int)
        except SimulationTrap as trap:
            caught.append(str(trap))

    def start():
        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()

    loop.call_at_ns(5, start)
    with pytest.raises(SimulationFailure, match="another thread"):
        loop.run_until_ns(10)
    assert len(caught) == 1
    assert "test_simloop_traps" in caught[0]
    loop.close()


@pytest.mark.parametrize("name", REACHES)
@pytest.mark.parametrize("package", ["flight.planted", "hil.planted"])
def test_guarded_packages_cannot_reach_out(name, package):
    planted = _module(package, CALLS)
    with trapped_nondeterminism(), pytest.raises(SimulationTrap, match=rf"{package} \(.*\.py:\d+"):
        getattr(planted, name)()


def test_a_trap_in_flight_fails_the_running_loop_even_if_swallowed():
    planted = _module(
        "flight.planted",
        "import time\ndef f():\n    try: time.time()\n    except Exception: pass\n",
    )
    loop = SimLoop()
    loop.call_at_ns(5, planted.f)
    with trapped_nondeterminism(), pytest.raises(SimulationFailure, match=r"time\.time"):
        loop.run_until_ns(10)
    loop.close()


@pytest.mark.parametrize("name", [*REACHES, "seeded"])
def test_everybody_else_goes_on(name):
    with trapped_nondeterminism():
        getattr(_module("library.planted", CALLS), name)()


def test_libraries_called_from_guarded_code_keep_working():
    planted = _module(
        "flight.planted",
        "import logging, sqlite3, uuid\nimport numpy as np\n"
        "def f():\n"
        "    logging.getLogger('planted').warning('x')\n"
        "    db = sqlite3.connect(':memory:')\n"
        "    row = db.execute('select random(), ?', (uuid.UUID(int=5).hex,)).fetchone()\n"
        "    db.close()\n"
        "    return row[1], float(np.random.default_rng(7).random())\n",
    )
    logging.getLogger("planted").addHandler(logging.NullHandler())
    with trapped_nondeterminism():
        assert planted.f() == (uuid.UUID(int=5).hex, float(np.random.default_rng(7).random()))


def test_everything_is_put_back_even_after_a_failure_and_nested():
    before = [
        getattr(module, name)
        for module, names in TRAPPED_FUNCTIONS
        for name in names
        if hasattr(module, name)
    ]
    start = threading.Thread.start
    with pytest.raises(ValueError, match="planted"), trapped_nondeterminism():  # noqa: PT012
        with trapped_nondeterminism():
            assert time.time is not before[0]
        raise ValueError("planted")
    after = [
        getattr(module, name)
        for module, names in TRAPPED_FUNCTIONS
        for name in names
        if hasattr(module, name)
    ]
    assert after == before
    assert threading.Thread.start is start


def test_the_list_covers_every_drawing_function_of_random_and_secrets():
    drawing = {
        name
        for name in random.__all__
        if getattr(getattr(random, name), "__self__", None) is random._inst
    } - {"getstate", "setstate"}
    listed = {module: set(names) for module, names in TRAPPED_FUNCTIONS}
    assert drawing - listed[random] == set()
    assert {n for n in secrets.__all__ if n not in {"SystemRandom", "compare_digest"}} == listed[
        secrets
    ]
