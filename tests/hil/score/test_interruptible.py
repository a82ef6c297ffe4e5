"""Work done aside is work done; Ctrl-C does not wait for it."""

from __future__ import annotations

import signal
import threading

import pytest

from hil.score.interruptible import interruptible


def test_what_the_work_returns_or_raises_comes_back():
    assert interruptible(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0)


def test_an_interrupt_ends_the_wait_and_not_the_work():
    go_on, ended = threading.Event(), threading.Event()

    def long():
        signal.raise_signal(signal.SIGINT)
        go_on.wait(30.0)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        interruptible(long)
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(30.0)
