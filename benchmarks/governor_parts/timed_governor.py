"""The class that a referee drives, with a clock around its planner: what a plan costs on this CPU.

Decisions are those of `DveGovernor`. The times go to the file that LUMENODE_PLAN_TIMES names when
the process ends.
"""

import atexit
import json
import os
import time
from pathlib import Path

from hil.score.dve_governor import DveGovernor

PLACE = "LUMENODE_PLAN_TIMES"


class TimedPlanner:
    """Around a planner: how long each plan took, CPU milliseconds."""

    def __init__(self, planner):
        self._planner = planner
        self.ms = []

    def planning(self, *arguments):
        start_s = time.process_time()
        plan = yield from self._planner.planning(*arguments)
        self.ms.append(1e3 * (time.process_time() - start_s))
        return plan


class TimedGovernor(DveGovernor):
    """Named to the referee in place of its parent."""

    def __init__(self, public_case):
        super().__init__(public_case)
        self.keeper.planner = timed = TimedPlanner(self.keeper.planner)
        self.plan_ms = timed.ms
        if PLACE in os.environ:
            atexit.register(
                lambda: Path(os.environ[PLACE]).write_text(json.dumps(timed.ms), encoding="utf-8")
            )
