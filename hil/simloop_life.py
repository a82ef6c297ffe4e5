"""Beginning and end of things in the virtual loop: futures, tasks, failures, orderly shutdown.

Hop: none; the part of the bench's loop that does not tell time. Tasks and asynchronous generators
are kept in creation order, because asyncio's own sets are ordered by memory address.
"""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

from hil.simloop_handles import TimerOwner
from hil.simloop_traps import TrappedLoop

T = TypeVar("T")
ExceptionHandler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


class SimulationFailure(RuntimeError):  # noqa: N818 - the word of the trade
    """A callback or task failed with nobody to hear it; the cause is chained."""


class SimulationDeadlock(SimulationFailure):
    """Nothing is ready, no timer is set, and the awaited future is not done."""


class SimulationLivelock(SimulationFailure):
    """More callbacks at one virtual instant than the bound: time no longer advances."""


class LoopLife(TrappedLoop, TimerOwner):
    """Futures, tasks, the failure that ends a run, and closing; `SimLoop` adds time."""

    def __init__(self) -> None:
        self._running = False
        self._closed = False
        self._debug = False
        self._failure: SimulationFailure | None = None
        self._exception_handler: ExceptionHandler | None = None
        self._task_factory: Any = None
        self._tasks_made = 0
        self._tasks: weakref.WeakValueDictionary[int, asyncio.Task[Any]]
        self._tasks = weakref.WeakValueDictionary()
        self._asyncgens_made = 0
        self._asyncgens: weakref.WeakValueDictionary[int, AsyncGenerator[Any, Any]]
        self._asyncgens = weakref.WeakValueDictionary()

    # Futures and tasks.

    def create_future(self) -> asyncio.Future[Any]:
        """The C-accelerated future."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: object = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        """The C-accelerated task; unnamed ones are named by this loop's own counter."""
        self._check_closed()
        self._tasks_made += 1
        label = f"sim-task-{self._tasks_made}" if name is None else str(name)
        task: asyncio.Task[T]
        if self._task_factory is not None:
            task = self._task_factory(self, coro, context=context, **options)
            task.set_name(label)
        else:
            task = asyncio.Task(coro, loop=self, name=label, context=context, **options)
        self._tasks[self._tasks_made] = task
        return task

    def set_task_factory(self, factory: Any) -> None:
        """As in asyncio; None restores `asyncio.Task`."""
        self._task_factory = factory

    def get_task_factory(self) -> Any:
        """As in asyncio."""
        return self._task_factory

    # Failures.

    def set_exception_handler(self, handler: ExceptionHandler | None) -> None:
        """Hear failures instead of failing the run; None restores failing the run."""
        self._exception_handler = handler

    def get_exception_handler(self) -> ExceptionHandler | None:
        """As in asyncio."""
        return self._exception_handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep the first failure; the run raises it before its next batch of callbacks."""
        if self._failure is None:
            self._failure = SimulationFailure(str(context.get("message", "unnamed failure")))
            self._failure.__cause__ = context.get("exception")

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Asyncio's reporting point: callbacks, tasks nobody awaited, traps."""
        if self._exception_handler is None:
            self.default_exception_handler(context)
        else:
            self._exception_handler(self, context)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    # The end.

    def is_running(self) -> bool:
        """As in asyncio."""
        return self._running

    def is_closed(self) -> bool:
        """As in asyncio."""
        return self._closed

    def get_debug(self) -> bool:
        """As in asyncio; debug only adds source traces to futures and tasks."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:  # noqa: FBT001 - asyncio's signature
        """As in asyncio."""
        self._debug = enabled

    def cancel_all(self) -> None:
        """Cancel every task that is not done, the youngest first, run them out, end generators.

        Raises:
            SimulationFailure: something failed with nobody to hear it.
        """
        pending = [task for _, task in sorted(self._tasks.items(), reverse=True) if not task.done()]
        for task in pending:
            task.cancel()
        self.run_until_complete(_settled(pending))
        self.run_until_complete(self.shutdown_asyncgens())

    async def shutdown_asyncgens(self) -> None:
        """Close the asynchronous generators still open, the youngest first."""
        for _, generator in sorted(self._asyncgens.items(), reverse=True):
            await generator.aclose()

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """There is no executor; here so that `asyncio.Runner` can end a run."""

    def close(self) -> None:
        """Forget what is scheduled. `cancel_all` first, if tasks are to end in order."""
        if self._running:
            raise RuntimeError("cannot close a running event loop")
        self._closed = True

    def _check_closed(self) -> None:
        if self._closed:
            raise RuntimeError("event loop is closed")

    def _asyncgen_started(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens_made += 1
        self._asyncgens[self._asyncgens_made] = generator

    def _asyncgen_dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.create_task(generator.aclose())


async def _settled(tasks: list[asyncio.Task[Any]]) -> None:
    """Wait for each; what they raised was theirs to report (a task unheard fails the run)."""
    for task in tasks:
        try:
            await task
        except asyncio.CancelledError:
            continue
