"""Part "snapshot" of hal.py: 25 sensors in one call, in C and through cffi.

In processor time of the calling thread: what else the machine does meanwhile is not counted.
"""

import statistics
import time

import c_loops

from hal.native_devices import NativeDevices
from hal.native_library import ffi, lib
from hal.sim_bench import SimBench

CALLS = 100_000
ROUNDS = 9
ADDED_NS_MAX = 1000.0


def per_call_ns(call):
    start_ns = time.thread_time_ns()
    for _ in range(CALLS):
        call()
    return (time.thread_time_ns() - start_ns) / CALLS


def rows():
    """Medians of alternating rounds."""
    devices = NativeDevices("sim")
    SimBench(devices)  # its time, so that no clock is read
    handle, frame, snapshot = devices.handle, ffi.new("struct hal_frame *"), lib.hal_snapshot

    def nothing():
        return None

    def cffi_call():
        return snapshot(handle, frame)

    in_c, in_cffi, typed, empty = [], [], [], []
    for _ in range(ROUNDS):
        in_c += [ns / CALLS for ns in c_loops.run("snapshot", CALLS)]
        in_cffi.append(per_call_ns(cffi_call))
        typed.append(per_call_ns(devices.snapshot))
        empty.append(per_call_ns(nothing))
    c_ns, cffi_ns, typed_ns, empty_ns = map(statistics.median, (in_c, in_cffi, typed, empty))
    yield "hal_snapshot() in C", c_ns, "ns", None
    yield "the same through cffi", cffi_ns, "ns", None
    yield "  what cffi adds", cffi_ns - c_ns, "ns", ADDED_NS_MAX
    yield "an empty Python function, for scale", empty_ns, "ns", None
    yield "NativeDevices.snapshot(), typed and in fields", typed_ns, "ns", None
    yield "  what Python adds to C in all", typed_ns - c_ns, "ns", ADDED_NS_MAX
