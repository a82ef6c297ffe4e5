"""Days of an independent referee, driven and checked by its own commands; none of it is imported.

The referee's folder holds `dve.py`. For each family and seed it makes the case, bounds it, drives
the governor with sensors only (`run`) and replays the trace (`check`). Its baselines get the best
of their options on the family's tuning day first, as its `table` does. What is the referee's own
(cases, bounds, baselines) is kept in a folder between calls; verdicts on the governor never are.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.governor_parts.timed_governor import PLACE

ROOT = Path(__file__).resolve().parents[2]
GOVERNOR = "benchmarks.governor_parts.timed_governor:TimedGovernor"
TUNING_SEED = 900
TARGETS = {
    "sunlit": (0.985, 0.96),
    "mid_season": (0.94, 0.90),
    "worst_eclipse": (0.88, 0.78),
    "hot_eol": (0.93, 0.90),
    "cold": (0.92, 0.86),
    "cloudy_link": (0.965, 0.93),
    "burst": (0.90, 0.75),
}
"""Median and worst share of the bound that are asked for."""
VARIANTS = {"variant": (0, 1, 2)}
BASELINES = {
    "fixed_low": VARIANTS,
    "fixed_mid": VARIANTS,
    "race_to_idle": VARIANTS,
    "step_wise": VARIANTS | {"margin": (3.5, 5.0)},
    "ipa": VARIANTS | {"p_sust": (8.0, 12.0, 15.0, 20.0, 25.0)},
    "greedy": {"threshold": (0.1, 0.5), "full": (0.9, 0.97)},
    "backlog": {"short": (300.0, 1000.0, 3000.0), "threshold": (0.0, 0.1)},
}
"""The referee's policies, and what its `table` tries of their options."""


@dataclass(frozen=True)
class JudgedDay:
    """One day: ratios to the referee's bound, seconds outside limits, CPU ms of each plan."""

    family: str
    seed: int
    ratio: float
    best: tuple[str, float]
    violation_s: int
    problems: list
    plan_ms: list

    @property
    def kept(self):
        return not self.problems and self.ratio >= self.best[1]


class Referee:
    """Calls of one referee; `kept` is the folder of what is its own."""

    def __init__(self, folder, kept, policies):
        self._program = Path(folder).resolve() / "dve.py"
        self._kept = Path(kept)
        self._kept.mkdir(parents=True, exist_ok=True)
        self.policies = policies

    def day(self, family, seed):
        """The governor's verdict on one day, beside the best baseline's ratio."""
        case, bound = self._case(family, seed), self._bound(family, seed)
        with tempfile.TemporaryDirectory(dir=self._kept) as scratch:
            trace, times = Path(scratch) / "trace.npz", Path(scratch) / "times.json"
            self._call("run", case, "--governor", GOVERNOR, "-o", trace, **{PLACE: str(times)})
            verdict = self._call("check", case, trace, "--bound", bound, good=(0, 1))
            plan_ms = json.loads(times.read_text(encoding="utf-8"))
        seconds = verdict["violations"]
        outside_s = seconds["charge_below_floor_s"] + seconds["discharge_power_s"]
        return JudgedDay(
            family, seed, verdict["ratio"], self._best(family, seed, verdict["upper_bound"]),
            outside_s + sum(seconds["temperature_s"].values()), verdict["problems"], plan_ms,
        )  # fmt: skip

    def _best(self, family, seed, upper):
        """The tuned baseline that earns most on this very day, and its ratio."""
        found = [
            (self._baseline(family, seed, policy, self._tuned(family, policy)), policy)
            for policy in self.policies
        ]
        net, policy = max(found, default=(0.0, "none"))
        return policy, net / upper

    def _tuned(self, family, policy):
        grid = BASELINES[policy]
        options = [dict(zip(grid, row, strict=True)) for row in itertools.product(*grid.values())]
        return max(options, key=lambda o: self._baseline(family, TUNING_SEED, policy, o))

    def _baseline(self, family, seed, policy, options):
        """Net value of a policy; -inf for one that passes a limit."""
        name = "-".join([policy, *(f"{k}{v}" for k, v in options.items())])
        return self._once(
            f"{family}-{seed}-{name}.json", lambda: self._flown(family, seed, policy, options)
        )["net_value"]

    def _flown(self, family, seed, policy, options):
        case = self._case(family, seed)
        pairs = [word for k, v in options.items() for word in ("--set", f"{k}={v}")]
        with tempfile.TemporaryDirectory(dir=self._kept) as scratch:
            trace = Path(scratch) / "trace.npz"
            told = self._call("baseline", case, "--policy", policy, *pairs, "-o", trace)
            if not self._call("check", case, trace, good=(0, 1))["valid"]:
                told["net_value"] = float("-inf")
        return told

    def _bound(self, family, seed):
        name = f"{family}-{seed}.bound.json"
        self._once(name, lambda: self._call("bound", self._case(family, seed)))
        return self._kept / name

    def _case(self, family, seed):
        case = self._kept / f"{family}-{seed}.json"
        if not case.exists():
            self._call("case", "--family", family, "--seed", seed, "-o", case)
        return case

    def _once(self, name, make):
        place = self._kept / name
        if not place.exists():
            place.write_text(json.dumps(make()), encoding="utf-8")
        return json.loads(place.read_text(encoding="utf-8"))

    def _call(self, *words, good=(0,), **environment):
        """What a command printed as JSON (nothing: empty)."""
        done = subprocess.run(
            [sys.executable, str(self._program), *map(str, words)],
            cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in good:
            raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else {}


def ranked(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def told(day):
    policy, ratio = day.best
    return (
        f"{day.family:<14}{day.seed:>4}  {day.ratio:.4f}  best baseline {policy:<13}{ratio:.4f} "
        f"{day.ratio - ratio:+.4f}  violation {day.violation_s} s  "
        f"plan CPU ms p50 {ranked(day.plan_ms, 0.5):.1f} p99 {ranked(day.plan_ms, 0.99):.1f}"
        f"  {'' if day.kept else 'NOT KEPT'} {'; '.join(day.problems)}".rstrip()
    )


def summed_up(days):
    """A row a family: median / worst beside what is asked, and what must never be."""
    head = "family         seeds  median / worst     asked          baseline       least above  "
    lines = ["", head + "violation s  plan CPU ms p50 / p99"]
    for family in dict.fromkeys(day.family for day in days):
        mine = [day for day in days if day.family == family]
        ratios, bases = [day.ratio for day in mine], [day.best[1] for day in mine]
        asked = TARGETS.get(family, (0.0, 0.0))
        kept = statistics.median(ratios) >= asked[0] and min(ratios) >= asked[1]
        above = min(day.ratio - day.best[1] for day in mine)
        ms = [each for day in mine for each in day.plan_ms]
        lines.append(
            f"{family:<14}{len(mine):>6}  {statistics.median(ratios):.4f} / {min(ratios):.4f}  "
            f"{asked[0]:.3f} / {asked[1]:.3f}  {statistics.median(bases):.3f} / {min(bases):.3f}"
            f"  {above:>+11.4f}  {sum(day.violation_s for day in mine):>11}"
            f"  {ranked(ms, 0.5):>9.1f} / {ranked(ms, 0.99):.1f}  {'kept' if kept else 'NOT KEPT'}"
        )
    return "\n".join(lines)


def judged(folder, kept, families, seeds, policies):
    """Days seed by seed over all families, each told as it is done; whether all were kept."""
    referee = Referee(folder, kept, policies)
    days = []
    for seed in seeds:
        for family in families:
            days.append(referee.day(family, seed))
            print(told(days[-1]), flush=True)
    print(summed_up(days))
    return all(day.kept for day in days)
