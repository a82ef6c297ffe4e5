"""A run's governor against what none could exceed, and against others on the same scenario.

Far end of the bench's third flow: it reads what a run left and writes `governor.json` beside it.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight.config import ConfigError
from hil.run_summary import build_summary
from hil.score.bench_governors import forms
from hil.score.flown_day import flown_day
from hil.score.kept_limits import kept_limits
from hil.score.run_losses import Cause, pictures_lost
from hil.score.run_split import split
from hil.score.value_bound import NO_RULES, Limit, value_bound
from hil.sim_target import SimTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hil.scenario import Scenario
    from hil.score.flown_day import FlownDay
    from hil.score.kept_limits import Kept

FORMAT_VERSION = 1
NAME = "governor.json"
OWN = ("guard", "planner")
RULES = "targets and backlog of the node"
TELLING = ("value_delivered", "violation_s_thermal", "violation_s_soc", "temp_die_c_max", "soc_min")
"""What is kept of each governor's summary."""


def score_run(folder: Path, scenario: Scenario) -> dict[str, Any]:
    """What the run delivered, the bound, the gap by cause, and what each limit costs the bound.

    Raises:
        ConfigError: the folder holds no finished run, or one that delivered no picture.
        BoundUnavailableError: SciPy is not there.
    """
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        telemetry = _telemetry(folder / "telemetry.npz")
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{folder}: no finished run: {error}") from None
    day, kept = flown_day(folder, scenario), kept_limits(scenario, telemetry)
    bound, free = (_bound(day, day.case, kept=rules) for rules in (kept, NO_RULES))
    delivered = float(summary["value_delivered"])
    flights = split(day, kept, delivered, bound)
    return {
        "version": FORMAT_VERSION,
        "scenario": summary["scenario"],
        "seed": summary["seed"],
        "log_hash": summary["log_hash"],
        "governor": scenario.node.inference.governor,
        **{key: summary[key] for key in TELLING},
        "value_all": day.value_all + day.value_beside,
        "value_bound": bound,
        "value_bound_free": free,
        "share": delivered / bound if bound else None,
        "kept": {f"{name} (°C)": limit_c for name, limit_c in kept.work_c.items()},
        "lost": _lost(day, summary, telemetry),
        "split": flights.causes,
        "split_above_s": flights.above_s,
        "bound_costs": {RULES: free - bound} | _costs(day, kept, bound),
        "others": [],
    }


def compared(
    scenario: Scenario, told: Callable[[str], None] = lambda _line: None
) -> list[dict[str, Any]]:
    """The scenario flown by the node's two governors and by the kernel's, each in its best form."""
    rows = [
        _flown(_led_by(scenario, name), None, {"governor": name, "own": True, "form": ""}, told)
        for name in OWN
    ]
    for name, makers in forms().items():
        flown = [
            _flown(scenario, make, {"governor": name, "own": False, "form": form}, told)
            for form, make in makers.items()
        ]
        rows.append(max(flown, key=lambda row: (clean(row), row["value_delivered"])))
    return rows


def clean(row: Mapping[str, Any]) -> bool:
    """No second outside a limit."""
    return not row["violation_s_thermal"] and not row["violation_s_soc"]


def _flown(
    scenario: Scenario, make: Any, who: dict[str, Any], told: Callable[[str], None]
) -> dict[str, Any]:
    start_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lumenode-score-") as scratch:
        target = SimTarget(scenario, Path(scratch), make)
        try:
            target.start()
            target.advance(scenario.duration_s)
            target.finish()
            summary = build_summary(target, wall_s=0.0, cpu_s=0.0)
        finally:
            target.close()
    row = {**who, **{key: summary[key] for key in TELLING}}
    name = " ".join(each for each in (row["governor"], row["form"]) if each)
    spent_s = time.monotonic() - start_s
    told(f"{name}: {row['value_delivered']:.1f} delivered, flown in {spent_s:.0f} s")
    return row


def _led_by(scenario: Scenario, governor: str) -> Scenario:
    node = scenario.node
    inference = msgspec.structs.replace(node.inference, governor=governor)
    return msgspec.structs.replace(
        scenario, node=msgspec.structs.replace(node, inference=inference)
    )


def _bound(
    day: FlownDay, case: Mapping[str, Any], lifted: frozenset[Limit] = frozenset(),
    kept: Kept = NO_RULES,
) -> float:  # fmt: skip
    """Of the programme, or what all pictures are worth: no governor exceeds either."""
    return min(value_bound(case, lifted, kept), day.value_all) + day.value_beside


def _costs(day: FlownDay, kept: Kept, bound: float) -> dict[str, float]:
    """How much higher the bound is with one limit lifted, or with nothing going wrong."""
    costs = {
        limit.value: _bound(day, day.case, frozenset({limit}), kept) - bound for limit in Limit
    }
    truth, told = day.case["truth"], day.case["forecast"]
    calm = {
        **truth, "sun_fraction": told["sun_fraction"],
        "environment_heat_w": told["environment_heat_w"], "link_windows": told["link_windows"],
    }  # fmt: skip
    calm_bound = _bound(day, {**day.case, "truth": calm}, kept=kept)
    costs["events that nobody foresaw"] = calm_bound - bound
    return costs


def _lost(
    day: FlownDay, summary: Mapping[str, Any], telemetry: Mapping[str, Any]
) -> dict[str, float]:
    """Value by cause: pictures that were not computed, and what is still on board.

    Each picture counts as a mean one; the last cause takes what is left of all that there was.
    """
    shown = sum(map(sum, day.case["truth"]["arrivals"].values()))
    each = day.value_all / shown if shown else 0.0
    lost = {c.value: n * each for c, n in pictures_lost(telemetry, shown).items()}
    lost[Cause.LINK.value] += float(summary["value_created"]) - float(summary["value_delivered"])
    missing = day.value_all + day.value_beside - float(summary["value_delivered"])
    lost[Cause.OTHER.value] += missing - sum(lost.values())
    return lost


def _telemetry(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as kept:
        return {name: kept[name].astype(np.float64) for name in kept.files}
