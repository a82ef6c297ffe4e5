"""Long work of a library that hears no interrupt, done so that Ctrl-C still ends the command."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
LOOK_S = 0.2
"""The signal may go to any thread; this one has to run to hear of it."""


def interruptible(work: Callable[[], T]) -> T:
    """What `work` returns or raises.

    A KeyboardInterrupt ends the wait at once; the thread ends with the process, so this is only
    for work that leaves nothing behind.
    """
    done: list[T] = []
    failed: list[Exception] = []

    def attempt() -> None:
        try:
            done.append(work())
        except Exception as error:  # noqa: BLE001  it is raised where it is waited for
            failed.append(error)

    thread = Thread(target=attempt, name="interruptible", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOK_S)
    if failed:
        raise failed[0]
    return done[0]
