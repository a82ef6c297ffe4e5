"""What the governor costs and what it earns: ms a plan, next to HiGHS, and its share of the bound.

    python benchmarks/governor.py [--seeds 11-12] [--families hot_eol ...] [--duration 86400]

The plan's programme is solved by the node's own interior point and, written down a second time for
HiGHS, as one bound of the same length. Durations depend on whatever else the machine does: both
solvers run in turn. Exit code 1 when a plan took longer than it may (p99 over 50 ms) or a limit was
passed.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from hil.score.case_format import public_part  # noqa: E402
from hil.score.day_causes import causes_of  # noqa: E402
from hil.score.day_families import FAMILIES, make_day  # noqa: E402
from hil.score.day_truth import day_truth  # noqa: E402
from hil.score.dve_governor import DveGovernor  # noqa: E402
from hil.score.scored_day import fly, score_of  # noqa: E402
from hil.score.value_bound import value_bound  # noqa: E402

PLAN_MS_MAX = 50.0


class TimedPlanner:
    """Around a planner: how long each plan took, CPU milliseconds."""

    def __init__(self, planner):
        self._planner = planner
        self.ms = []
        self.iterations = []

    def plan(self, *arguments):
        start_s = time.process_time()
        plan = self._planner.plan(*arguments)
        self.ms.append(1e3 * (time.process_time() - start_s))
        if plan is not None:
            self.iterations.append(plan.iterations)
        return plan


def ranked(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measured(family, seed, duration_s):
    day = make_day(family, seed, duration_s)
    governor = DveGovernor(public_part(day))
    governor.keeper.planner = timed = TimedPlanner(governor.keeper.planner)
    start_s = time.process_time()
    score = score_of("planner", fly(day, governor, day_truth(day)), day)
    day_s = time.process_time() - start_s
    start_s = time.process_time()
    bound = value_bound(day)
    highs_ms = 1e3 * (time.process_time() - start_s)
    p99 = ranked(timed.ms, 0.99)
    print(
        f"{family:<14}{seed:>4}  of bound {score.net / bound if bound > 0.0 else 1.0:7.4f}  "
        f"violation {sum(score.violation_s.values())} s  plan ms p50 {ranked(timed.ms, 0.5):6.1f} "
        f"p99 {p99:6.1f}  plans {len(timed.ms)}  CPU s: plans {sum(timed.ms) / 1e3:5.1f} "
        f"day with its replay {day_s:5.1f}  HiGHS on the day ms {highs_ms:7.0f} "
        f"({highs_ms / ranked(timed.ms, 0.5):.0f} x)",
        flush=True,
    )
    if bound > 0.0:
        for cause, share in causes_of(day, score.net, bound).items():
            print(f"{'':<20}{cause:<32}{share:8.4f}", flush=True)
    return score.clean and p99 <= PLAN_MS_MAX


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="11-11", help="A-B")
    parser.add_argument("--families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--duration", type=int, default=86_400)
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split("-"))
    kept = [
        measured(family, seed, arguments.duration)
        for seed in range(first, last + 1)
        for family in arguments.families
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
