"""The inference worker's second thread: what can be done while its network runs, in turn.

Handing a step over costs the first thread a fraction of a microsecond; it never waits for one.
"""

from __future__ import annotations

import os
import threading
import traceback
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Step = tuple["Callable[..., object]", tuple[object, ...]]


class SideThread:
    """Steps in the order in which they were handed over.

    A step that fails would leave the flight process waiting for its answer: the whole worker ends.
    """

    def __init__(self) -> None:
        self._steps: SimpleQueue[Step | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)
        self._thread.start()

    def do(self, step: Callable[..., object], *what: object) -> None:
        """Hands one over."""
        self._steps.put((step, what))

    def close(self) -> None:
        """Returns when all that was handed over is done."""
        self._steps.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (each := self._steps.get()) is not None:
            step, what = each
            try:
                step(*what)
            except BrokenPipeError:
                os._exit(0)  # whoever flew has gone, and wants no answer any more
            except BaseException:  # noqa: BLE001  whatever it was
                traceback.print_exc()
                os._exit(1)
