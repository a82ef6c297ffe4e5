"""The worker's second thread: steps in turn, and no failure that nobody hears of."""

import subprocess
import sys

import pytest

from flight.inference.side_thread import SideThread

FAILING = """
from flight.inference.side_thread import SideThread
def fail():
    raise {error}
side = SideThread()
side.do(fail)
side.close()
"""


def test_steps_are_done_in_the_order_in_which_they_were_handed_over():
    side, done = SideThread(), []
    for number in range(100):
        side.do(done.append, number)
    side.close()
    assert done == list(range(100))


@pytest.mark.parametrize(("error", "code"), [("OSError", 1), ("BrokenPipeError", 0)])
def test_a_step_that_fails_ends_the_process_and_one_without_a_listener_quietly(error, code):
    ended = subprocess.run(
        [sys.executable, "-c", FAILING.format(error=error)], capture_output=True, check=False
    )
    assert ended.returncode == code
    assert (b"OSError" in ended.stderr) == (code == 1)
