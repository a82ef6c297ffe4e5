"""Part "lock" of hal.py: what another thread of Python gets done while a call stands in C.

Compared with what it gets done while this thread waits in Python, and while a call of the same
length holds the interpreter's lock, in alternating rounds and in processor time of its own.
"""

import ctypes
import statistics
import threading
import time

from hal.native_library import lib

STANDS_S = 0.05
ROUNDS = 15
LOST_PERCENT_MAX = 10.0
HELD = ctypes.PyDLL(None)


def in_c():
    lib.tick_sleep_until(lib.tick_monotonic_ns() + int(STANDS_S * 1e9))


def in_python():
    time.sleep(STANDS_S)


def lock_held():
    HELD.usleep(int(STANDS_S * 1e6))


def got_done(call, done):
    """Processor seconds that the other thread had for each second of `call`."""
    before, start = done[0], time.perf_counter()
    call()
    return (done[0] - before) / (time.perf_counter() - start)


def rows():
    """Medians: the machine's other work takes its share of all three alike."""
    done, ending = [0.0], threading.Event()

    def work():
        begun = time.thread_time()
        while not ending.is_set():
            sum(range(200))
            done[0] = time.thread_time() - begun

    other = threading.Thread(target=work)
    other.start()
    shares = {call: [] for call in (in_python, in_c, lock_held)}
    try:
        for _ in range(ROUNDS):
            for call, each in shares.items():
                each.append(100.0 * got_done(call, done))
    finally:
        ending.set()
        other.join()
    waits, stands, held = (statistics.median(each) for each in shares.values())
    yield "another thread's share while this one waits in Python", waits, "%", None
    yield "the same while this one stands in a call of the extension", stands, "%", None
    yield "  what it loses by that", waits - stands, "%", LOST_PERCENT_MAX
    yield "the same with the lock held, for scale", held, "%", None
