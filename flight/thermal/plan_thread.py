"""The planner's solver on a thread, for a node whose time is real.

Only the call into C runs there, and it lets the interpreter go: the loop is not kept waiting for
the milliseconds, or on a small board tens of milliseconds, that a plan takes. A thread for each
plan, which is one a minute, so that nothing has to be ended when the node ends.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class PlanThread:
    """`Beside` of the plan service.

    Attributes:
        busy: a run is under way; whoever waited for it may have gone.
    """

    def __init__(self) -> None:
        self.busy = False

    async def run(self, work: Callable[[], int]) -> int:
        """What `work` returns; raises what it raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()
        self.busy = True

        def tell(answer: int, error: Exception | None) -> None:
            self.busy = False
            if done.cancelled():
                return
            if error is None:
                done.set_result(answer)
            else:
                done.set_exception(error)

        def solve() -> None:
            answer, failed = 0, None
            try:
                answer = work()
            except Exception as error:  # noqa: BLE001  it is raised where somebody waits for it
                failed = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, answer, failed)

        threading.Thread(target=solve, name="planner", daemon=True).start()
        return await done
