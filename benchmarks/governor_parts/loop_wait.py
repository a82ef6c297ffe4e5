"""How long a plan keeps the node's loop waiting: made on the spot, and with its solver on a thread.

A ticker on the loop wants its turn every two milliseconds. Both ways take turns, plan by plan, so
that whatever else the machine does hits both; the plans are those of a whole day ahead.
"""

import asyncio
import time
from typing import NamedTuple

from flight.thermal.guarded_plant import GuardedPlant
from flight.thermal.plan_keeper import PlanKeeper
from flight.thermal.plan_solver_native import on_the_spot
from flight.thermal.plan_thread import PlanThread
from flight.thermal.planner import PlanState
from hil.score.dve_case import forecast, node_model

EVERY_S = 0.002
AROUND_S = 0.02
"""The ticker's turns from so long before a plan to so long after it count."""


class Waits(NamedTuple):
    """Milliseconds: the longest wait of a turn beside each plan, sorted."""

    spot_ms: list[float]
    thread_ms: list[float]
    none_ms: list[float]


async def _ticking(late_s):
    """Notes how late each turn comes."""
    due_s = time.monotonic()
    while True:
        due_s += EVERY_S
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        late_s.append(time.monotonic() - due_s)
        due_s = max(due_s, time.monotonic() - EVERY_S)


async def _planned(keeper, now_s, state, beside):
    if beside is None:
        on_the_spot(keeper.replanning(now_s, state))
        return
    steps = keeper.replanning(now_s, state)
    work = next(steps)
    while True:
        answer = await beside.run(work)
        try:
            work = steps.send(answer)
        except StopIteration:
            return


async def _waits(day, plans):
    model, beside = node_model(day), PlanThread()
    keeper = PlanKeeper(GuardedPlant(model, forecast(day)))
    kinds = range(len(model.classes))
    start_k = [node["start_k"] for node in day["thermal"]["nodes"]]
    found = Waits([], [], [])
    for number in range(plans):
        now_s = 60.0 * number
        state = PlanState(
            0.9 * model.battery.energy_max_j, start_k, [50.0 for _ in kinds],
            [[0.0 for _ in kinds] for _ in range(model.variant_count)],
        )  # fmt: skip
        for name, where in (("none", None), ("spot", None), ("thread", beside)):
            late_s = []
            ticking = asyncio.ensure_future(_ticking(late_s))
            await asyncio.sleep(AROUND_S)
            if name != "none":
                await _planned(keeper, now_s, state, where)
            await asyncio.sleep(AROUND_S)
            ticking.cancel()
            getattr(found, f"{name}_ms").append(1e3 * max(late_s))
    return Waits(*map(sorted, found))


def loop_waits(day, plans=60):
    """Of so many plans made each way."""
    return asyncio.run(_waits(day, plans))
