"""What a killed process said is there for the next one, and only for that one."""

import signal
import subprocess
import sys

import pytest

from flight.board_boot import LAST_WORDS, LastWords

RUN = (
    "import os, sys\nfrom pathlib import Path\nfrom flight.board_boot import LastWords\n"
    "words = LastWords(Path(sys.argv[1]))\nprint(words.aborted, flush=True)\n"
    "number = int(sys.argv[2])\nos.kill(os.getpid(), number) if number else words.close()\n"
)


def run(folder, number=0):
    command = [sys.executable, "-c", RUN, str(folder), str(int(number))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.stdout.strip() == "True", -ended.returncode


@pytest.mark.parametrize(
    ("number", "aborted"),
    [(signal.SIGABRT, True), (signal.SIGSEGV, False), (signal.SIGKILL, False), (0, False)],
)
def test_only_an_abort_is_told_as_one(tmp_path, number, aborted):
    assert run(tmp_path, number) == (False, number)
    assert run(tmp_path) == (aborted, 0)
    assert run(tmp_path) == (False, 0), "once"


def test_the_stack_of_a_killed_run_is_kept_for_people(tmp_path):
    run(tmp_path, signal.SIGABRT)
    run(tmp_path)
    assert 'File "<string>"' in (tmp_path / LAST_WORDS).with_suffix(".before").read_text()


def test_an_end_in_order_says_nothing(tmp_path):
    words = LastWords(tmp_path)
    words.close()
    words.close()
    assert (tmp_path / LAST_WORDS).read_bytes() == b""
