"""Random programs run on the virtual loop and on asyncio's own: the traces must be one.

The oracle is CPython's selector loop with a selector that jumps the clock. Deadlines are kept
distinct, because at equal ones the oracle's order is the accident that the virtual loop removes.
"""

import asyncio
import selectors

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.simloop import SimLoop


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, owner):
        super().__init__()
        self._owner = owner

    def select(self, timeout=None):
        if timeout:
            self._owner.jumped_s += timeout
        return super().select(0)


class _OracleLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.jumped_s = 0.0
        super().__init__(_JumpingSelector(self))
        self._clock_resolution = 1e-9

    def time(self):
        return self.jumped_s


TASKS, EVENTS = 5, 3
OPS = st.one_of(
    st.tuples(st.just("sleep"), st.integers(1, 50)),
    st.tuples(st.just("yield"), st.just(0)),
    st.tuples(st.just("cancel"), st.integers(0, TASKS - 1)),
    st.tuples(st.just("set"), st.integers(0, EVENTS - 1)),
    st.tuples(st.just("wait"), st.integers(0, EVENTS - 1)),
    st.tuples(st.just("put"), st.integers(0, 9)),
    st.tuples(st.just("get"), st.just(0)),
    st.tuples(st.just("soon"), st.integers(0, 9)),
    st.tuples(st.just("later"), st.integers(1, 50)),
    st.tuples(st.just("limit"), st.integers(1, 20)),
    st.tuples(st.just("fail"), st.just(0)),
)


class _Program:
    """One run of a program; `trace` is what happened, with the time in milliseconds."""

    def __init__(self, loop, scripts):
        self.loop, self.scripts, self.trace = loop, scripts, []
        self.deadlines = 0

    def note(self, *what):
        self.trace.append((round(self.loop.time() * 1e3, 3), *what))

    def distinct_s(self, whole_ms):
        """Whole milliseconds plus a fraction nobody else has."""
        self.deadlines += 1
        return whole_ms * 1e-3 + self.deadlines * 1e-6 * 1.37

    async def op(self, me, kind, value):  # noqa: C901 - the table of operations
        if kind == "sleep":
            await asyncio.sleep(self.distinct_s(value))
        elif kind == "yield":
            await asyncio.sleep(0)
        elif kind == "cancel":
            self.note(me, "cancelled", value, self.tasks[value].cancel())
        elif kind == "set":
            self.events[value].set()
        elif kind == "wait":
            await self.events[value].wait()
            self.events[value].clear()
        elif kind == "put":
            await self.queue.put(value)
        elif kind == "get":
            self.note(me, "got", await self.queue.get())
        elif kind == "soon":
            self.loop.call_soon(self.note, me, "soon", value)
        elif kind == "later":
            self.loop.call_later(self.distinct_s(value), self.note, me, "later")
        elif kind == "limit":
            async with asyncio.timeout(self.distinct_s(value)):
                await self.events[0].wait()
        else:
            raise ValueError("planted")

    async def script(self, me, ops):
        try:
            for kind, value in ops:
                await self.op(me, kind, value)
                self.note(me, kind, value)
        except (TimeoutError, ValueError) as error:
            self.note(me, type(error).__name__)
        except asyncio.CancelledError:
            self.note(me, "ended by cancel")
            raise

    async def main(self):
        self.events = [asyncio.Event() for _ in range(EVENTS)]
        self.queue = asyncio.Queue(2)
        self.tasks = [
            asyncio.ensure_future(self.script(me, ops)) for me, ops in enumerate(self.scripts)
        ]
        await asyncio.sleep(1.0)
        for task in self.tasks:
            task.cancel()
        ended = await asyncio.gather(*self.tasks, return_exceptions=True)
        self.note("ends", [type(end).__name__ for end in ended])


def _trace(loop, scripts):
    program = _Program(loop, scripts)
    try:
        loop.run_until_complete(program.main())
    finally:
        loop.close()
    return program.trace


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(OPS, max_size=8), min_size=TASKS, max_size=TASKS))
def test_any_program_leaves_the_trace_it_leaves_on_asyncio(scripts):
    assert _trace(SimLoop(), scripts) == _trace(_OracleLoop(), scripts)
