"""What the governor costs and what it earns: ms a plan, next to HiGHS, and its share of the bound.

    python benchmarks/governor.py [--seeds 11-12] [--families hot_eol ...] [--duration 86400]
    python benchmarks/governor.py --causes [--seeds 11-12] ...
    python benchmarks/governor.py --loop [--families worst_eclipse] [--seeds 11-11]
    python benchmarks/governor.py --judge DIR [--kept DIR] [--seeds 11-20] [--baselines ipa ...]

The plan's programme is solved by the node's own interior point and, written down a second time for
HiGHS, as one bound of the same length. Durations depend on whatever else the machine does: both
solvers run in turn. With --causes the gap to the bound is split (hil/score/day_causes.py).
With --loop: how long a turn of the node's loop waits beside a plan, on the spot and on a thread.
With --judge an independent referee makes, bounds, drives and checks the days (its folder holds
dve.py), and its baselines, tuned, stand beside. Exit code 1 when a plan took longer than it may
(p99 over 50 ms), a limit was passed, or a baseline earned more on any day.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

# The folder of this file holds a program named like a package of the product.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.governor_parts.judged_days import BASELINES, judged, ranked  # noqa: E402
from benchmarks.governor_parts.loop_wait import loop_waits  # noqa: E402
from benchmarks.governor_parts.timed_governor import TimedGovernor  # noqa: E402
from hil.score.case_format import public_part  # noqa: E402
from hil.score.day_causes import causes_of  # noqa: E402
from hil.score.day_families import FAMILIES, make_day  # noqa: E402
from hil.score.day_truth import day_truth  # noqa: E402
from hil.score.scored_day import fly, score_of  # noqa: E402
from hil.score.value_bound import value_bound  # noqa: E402

PLAN_MS_MAX = 50.0


def measured(family, seed, duration_s, found):
    """Flies one day and tells; its causes go to `found` where that is a list."""
    day = make_day(family, seed, duration_s)
    governor = TimedGovernor(public_part(day))
    start_s = time.process_time()
    score = score_of("planner", fly(day, governor, day_truth(day)), day)
    day_s = time.process_time() - start_s
    start_s = time.process_time()
    bound = value_bound(day)
    highs_ms = 1e3 * (time.process_time() - start_s)
    ms = governor.plan_ms
    p99 = ranked(ms, 0.99)
    print(
        f"{family:<14}{seed:>4}  of bound {score.net / bound if bound > 0.0 else 1.0:7.4f}  "
        f"violation {sum(score.violation_s.values())} s  plan ms p50 {ranked(ms, 0.5):6.1f} "
        f"p99 {p99:6.1f}  plans {len(ms)}  CPU s: plans {sum(ms) / 1e3:5.1f} "
        f"day with its replay {day_s:5.1f}  HiGHS on the day ms {highs_ms:7.0f} "
        f"({highs_ms / ranked(ms, 0.5):.0f} x)",
        flush=True,
    )
    if found is not None and bound > 0.0:
        found.append((family, causes_of(day, score.net, bound)))
    return score.clean and p99 <= PLAN_MS_MAX


def split(found):
    """A row a family: medians of the gap and of its shares."""
    names = list(found[0][1])
    lines = ["", "gap to the bound by cause, medians of the seeds, in per cent of the bound"]
    lines.append(
        f"{'family':<14}{'gap':>7}" + "".join(f"{name.split(',')[0]:>20}" for name in names)
    )
    for family in dict.fromkeys(family for family, _ in found):
        mine = [causes for name, causes in found if name == family]
        gap = statistics.median(sum(causes.values()) for causes in mine)
        shares = [statistics.median(causes[name] for causes in mine) for name in names]
        lines.append(
            f"{family:<14}{100 * gap:>7.2f}" + "".join(f"{100 * s:>20.2f}" for s in shares)
        )
    return "\n".join(lines)


def told_waits(family, seed, duration_s):
    """A row a way of planning."""
    waits = loop_waits(make_day(family, seed, duration_s))
    for what, ms in (("no plan", waits.none_ms), ("on the spot", waits.spot_ms),
                     ("on a thread", waits.thread_ms)):  # fmt: skip
        print(
            f"{family:<14}{seed:>4}  longest wait of a turn of the loop, {what:<12} ms "
            f"p50 {ranked(ms, 0.5):6.2f}  p99 {ranked(ms, 0.99):6.2f}  most {ms[-1]:6.2f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="11-11", help="A-B")
    parser.add_argument("--families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--duration", type=int, default=86_400)
    parser.add_argument("--causes", action="store_true", help="split the gap to the bound")
    parser.add_argument("--loop", action="store_true", help="how long the loop waits for a plan")
    parser.add_argument("--judge", type=Path, metavar="DIR", help="folder of a referee")
    parser.add_argument("--kept", type=Path, default=Path("runs/referee"), metavar="DIR")
    parser.add_argument("--baselines", nargs="*", choices=BASELINES, default=list(BASELINES))
    arguments = parser.parse_args()
    first, last = map(int, arguments.seeds.split("-"))
    seeds = range(first, last + 1)
    if arguments.judge is not None:
        kept = judged(
            arguments.judge, arguments.kept, arguments.families, seeds, arguments.baselines
        )
        return 0 if kept else 1
    if arguments.loop:
        for seed in seeds:
            for family in arguments.families:
                told_waits(family, seed, arguments.duration)
        return 0
    found = [] if arguments.causes else None
    kept = [
        measured(family, seed, arguments.duration, found)
        for seed in seeds
        for family in arguments.families
    ]
    if found:
        print(split(found))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
