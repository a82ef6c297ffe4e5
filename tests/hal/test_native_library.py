"""No call into C holds the interpreter's lock: whatever a device does to a call, Python goes on."""

import ctypes
import re
import runpy
import sys
import threading
from pathlib import Path

import pytest

from hal.native_library import lib

ROOT = Path(__file__).resolve().parents[2]
# cffi's wrapper of one C function, from its head to the brace that ends it.
WRAPPER = re.compile(r"^_cffi_f_(\w+)\(PyObject \*self.*?^}$", re.MULTILINE | re.DOTALL)
RELEASED = r"Py_BEGIN_ALLOW_THREADS.*?\b{name}\(.*?Py_END_ALLOW_THREADS"


@pytest.fixture(scope="module")
def wrappers(tmp_path_factory):
    """C text of every wrapper, from the declarations that the extension was built of."""
    path = tmp_path_factory.mktemp("glue") / "native.c"
    runpy.run_path(str(ROOT / "hal" / "build.py"))["make_ffi"]().emit_c_code(str(path))
    text = path.read_text(encoding="utf-8")
    return {match[1]: match[0] for match in WRAPPER.finditer(text)}


def test_every_function_of_the_extension_is_called_with_the_lock_given_back(wrappers):
    functions = {name for name in dir(lib) if callable(getattr(lib, name))}
    assert {"hal_open", "hal_snapshot", "hal_close", "tick_source_stop"} <= functions
    assert set(wrappers) == functions
    for name, text in wrappers.items():
        assert re.search(RELEASED.format(name=name), text, re.DOTALL), name


def test_no_c_code_calls_back_into_python(wrappers):
    assert all("_cffi_call_python" not in text for text in wrappers.values())
    source = (ROOT / "hal" / "build.py").read_text(encoding="utf-8")
    assert 'extern "Python' not in source


def runs_meanwhile(call):
    """Whether another thread of Python ran during `call`, which is made to give nothing up."""
    go, ran = threading.Event(), threading.Event()

    def wait_and_run():
        go.wait()
        ran.set()

    other = threading.Thread(target=wait_and_run)
    other.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(3600.0)  # the interpreter itself asks nobody for the lock
    try:
        go.set()
        call()
        return ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        other.join()


def test_python_goes_on_while_a_call_stands_in_c():
    assert runs_meanwhile(lambda: lib.tick_sleep_until(lib.tick_monotonic_ns() + 200_000_000))


def test_a_call_that_held_the_lock_would_be_found():
    assert not runs_meanwhile(lambda: ctypes.PyDLL(None).usleep(200_000))
