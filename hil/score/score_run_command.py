"""`lumenode score governor --run DIR`: a flown scenario's governor, and its page in the report.

Writes `governor.json` into the folder and the report anew. With --compare the scenario is flown
again by the node's two governors and by the kernel's.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from flight.config import ConfigError
from hil.report import ReportError, write_report
from hil.run_flight import EXIT_FAILED, EXIT_GOOD, EXIT_USAGE
from hil.run_inputs import INPUT_ERRORS, check_inputs
from hil.scenario import load_scenario
from hil.score.run_score import NAME, clean, compared, score_run
from hil.score.value_bound import BoundUnavailableError

if TYPE_CHECKING:
    import argparse

OF_A_DAY = ("case", "family", "save_case", "out", "causes", "no_bound")
"""Arguments that say something about another kind of day."""


def main_score_run(arguments: argparse.Namespace) -> int:
    """Exit code: 0 no limit was passed by the node's own governors, 1 one was, 2 usage."""
    folder = arguments.run
    try:
        for name in OF_A_DAY:
            if getattr(arguments, name):
                raise ConfigError(f"--{name.replace('_', '-')}: not with --run")
        source = str(folder / "scenario.toml")
        scenario = load_scenario(source)
        check_inputs(scenario, source)
        result = score_run(folder, scenario)
        if arguments.compare:
            result["others"] = compared(scenario, _tell)
        (folder / NAME).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        write_report(folder)
    except (*INPUT_ERRORS, BoundUnavailableError, ReportError) as error:
        sys.stderr.write(f"lumenode score: {error}\n")
        return EXIT_USAGE
    except OSError as error:
        sys.stderr.write(f"lumenode score: {folder}: not writable: {error.strerror}\n")
        return EXIT_USAGE
    sys.stdout.write(json.dumps(result) + "\n" if arguments.json else told_run(result) + "\n")
    own = [row for row in result["others"] if row["own"]]
    return EXIT_GOOD if all(map(clean, (result, *own))) else EXIT_FAILED


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def told_run(result: dict[str, Any]) -> str:
    """The result in lines for people."""
    bound = result["value_bound"]
    name, delivered = f"{result['scenario']}, seed {result['seed']}", result["value_delivered"]
    share = f"{100.0 * result['share']:.1f} %"
    rules = ", ".join(f"{where} {limit:.1f}" for where, limit in result["kept"].items())
    lines = [
        f"{name}: {delivered:.1f} delivered of {bound:.1f} that no governor can exceed ({share})",
        f"of those that compute nothing above {rules}" if rules else "whatever they keep",
        "value that the run did not deliver, by cause:",
    ]
    lines += [f"  {cause:<32}{value:>10.1f}" for cause, value in result["lost"].items()]
    beyond = result["value_all"] - bound
    lines += [
        f"  {'of that nobody could have had':<32}{beyond:>10.1f}",
        "the gap to the bound, by the day flown again by a planner that knows ever more:",
    ]
    lines += [f"  {cause:<56}{value:>10.1f}" for cause, value in result["split"].items()]
    if result["split_above_s"]:
        lines.append(f"  not proven: {result['split_above_s']} s of it computed above a limit")
    lines.append("what each limit costs the bound itself:")
    lines += [f"  {limit:<32}{value:>10.1f}" for limit, value in result["bound_costs"].items()]
    if result["others"]:
        lines.append(f"{'governor':<18}{'delivered':>10}{'of bound':>10}{'violation':>11}  form")
    for row in result["others"]:
        seconds = row["violation_s_thermal"] + row["violation_s_soc"]
        share = row["value_delivered"] / (bound if row["own"] else result["value_bound_free"])
        lines.append(
            f"{row['governor']:<18}{row['value_delivered']:>10.1f}{100.0 * share:>8.1f} %"
            f"{seconds:>9.0f} s  {row['form']}".rstrip()
        )
    return "\n".join(lines)
