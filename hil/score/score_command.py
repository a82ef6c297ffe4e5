"""`lumenode score governor`: a day flown by the governor, against what no governor can exceed.

The day is a file or made from a family and a seed. Exit code 0 says that no limit was passed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flight.config import ConfigError
from flight.one_line_parser import OneLineParser
from hil.argument_values import whole
from hil.run_flight import EXIT_FAILED, EXIT_GOOD, EXIT_USAGE
from hil.score.case_format import case_id, public_part, read_case
from hil.score.day_causes import causes_of, limits_of
from hil.score.day_families import DAY_S, FAMILIES, make_day
from hil.score.day_truth import day_truth
from hil.score.out_file import check_out, write_out
from hil.score.policies import POLICIES
from hil.score.scored_day import best_of, fly, replay_of, score_of
from hil.score.trace_file import TraceRecorder
from hil.score.value_bound import BoundUnavailableError, value_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hil.score.scored_day import DayScore

PLANNER = "planner"


def main_score(argv: Sequence[str]) -> int:
    """Exit code: 0 no limit was passed, 1 one was, 2 usage, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    if arguments.run is not None:
        from hil.score.score_run_command import main_score_run  # noqa: PLC0415  the whole bench

        return main_score_run(arguments)
    try:
        case = _case(arguments)
        result = _scored(case, arguments)
    except (ConfigError, BoundUnavailableError) as error:
        sys.stderr.write(f"lumenode score: {error}\n")
        return EXIT_USAGE
    except (ArithmeticError, ValueError) as error:
        if arguments.case is None:
            raise
        sys.stderr.write(f"lumenode score: {arguments.case}: no day to compute ({error})\n")
        return EXIT_USAGE
    sys.stdout.write(json.dumps(result) + "\n" if arguments.json else told(result) + "\n")
    return EXIT_GOOD if all(row["clean"] for row in result["scores"]) else EXIT_FAILED


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode score",
        description="Fly a governor through a day and say how much of the possible it delivered.",
        epilog="example: lumenode score governor --family hot_eol --seed 11 --compare --causes",
    )
    parser.add_argument("subject", choices=["governor"], help="what is scored")
    parser.add_argument("--case", type=Path, metavar="FILE", help="a day as a file (dve-case 1)")
    parser.add_argument("--family", choices=sorted(FAMILIES), help="or one made from a family")
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help="or a flown scenario: what `lumenode run` left"
    )
    parser.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=1, metavar="N", help="of the family's day (1)"
    )
    parser.add_argument(
        "--duration", type=_minutes, default=DAY_S, metavar="S", help=f"of that day ({DAY_S})"
    )
    parser.add_argument("--save-case", type=Path, metavar="FILE", help="write that day")
    parser.add_argument(
        "--policy", choices=sorted(POLICIES), default=PLANNER,
        help=f"governor to fly ({PLANNER}); with several forms, the best on the day",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="trace of the flight (dve-trace 1)"
    )
    parser.add_argument("--compare", action="store_true", help="fly the other governors as well")
    parser.add_argument("--causes", action="store_true", help="say what the gap is due to")
    parser.add_argument("--no-bound", action="store_true", help="leave the upper bound out")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 3600 <= int(text) <= 10 * DAY_S):
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is 3600 to {10 * DAY_S}")
    if int(text) % 60:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed are whole minutes")
    return int(text)


def _case(arguments: argparse.Namespace) -> dict[str, Any]:
    if (arguments.case is None) == (arguments.family is None):
        raise ConfigError("say --case FILE or --family NAME, and only one of them")
    if arguments.case is not None and arguments.save_case is not None:
        raise ConfigError("--save-case: not with --case")
    if arguments.causes and arguments.no_bound:
        raise ConfigError("--causes: not with --no-bound")
    if arguments.out is not None:
        check_out(arguments.out)
    if arguments.case is not None:
        return read_case(arguments.case)
    case = make_day(arguments.family, arguments.seed, arguments.duration)
    if arguments.save_case is not None:
        text = json.dumps(case) + "\n"
        write_out(arguments.save_case, lambda file: file.write(text.encode()))
    return case


def _scored(case: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    bound = None if arguments.no_bound else value_bound(case)
    scores = [_flown(case, arguments)]
    if arguments.compare:
        scores += [best_of(case, name) for name in POLICIES if name != arguments.policy]
    split = bound if arguments.causes and bound and bound > 0.0 else None
    return {
        "version": 1,
        "case": case.get("name", ""),
        "case_id": case_id(case),
        "duration_s": case["duration_s"],
        "upper_bound": bound,
        "scores": [_row(score, bound) for score in scores],
        "causes": causes_of(case, scores[0].net, split) if split else None,
        "limits": limits_of(case, split) if split else None,
    }


def _flown(case: dict[str, Any], arguments: argparse.Namespace) -> DayScore:
    """The governor that was asked for, with a trace when that was asked for, too."""
    forms = POLICIES[arguments.policy](public_part(case))
    if arguments.out is None or len(forms) > 1:
        best = best_of(case, arguments.policy)
        if arguments.out is None:
            return best
        forms = [POLICIES[arguments.policy](public_part(case))[best.variant or 0]]
    truth = day_truth(case)
    replay = replay_of(case, truth)
    recorder = TraceRecorder(case, replay)
    fly(case, forms[0], truth, recorder.take, replay)
    write_out(arguments.out, lambda file: recorder.save(file, replay))
    return score_of(arguments.policy, replay, case)


def _row(score: DayScore, bound: float | None) -> dict[str, Any]:
    ratio = score.net / bound if bound else None
    return {**asdict(score), "net": score.net, "clean": score.clean, "ratio": ratio}


def told(result: dict[str, Any]) -> str:
    """The result in lines for people."""
    bound, lines = result["upper_bound"], []
    name = result["case"] or result["case_id"][:12]
    lines.append(f"{name}: {result['duration_s'] / 3600.0:g} h")
    if bound is not None:
        lines.append(f"no governor can exceed {bound:.1f}")
    lines.append(f"{'governor':<16}{'net value':>12}{'of bound':>10}{'violation':>11}  lost frames")
    for row in result["scores"]:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.4f}"
        seconds = f"{sum(row['violation_s'].values())} s"
        lines.append(
            f"{row['policy']:<16}{row['net']:>12.1f}{ratio:>10}{seconds:>11}  {row['lost_frames']}"
        )
    for what, title in (
        ("causes", "the gap to the bound, in shares of it:"),
        ("limits", "what each limit costs the bound itself:"),
    ):
        if result[what] is not None:
            lines.append(title)
            lines += [f"  {cause:<28}{share:>8.4f}" for cause, share in result[what].items()]
    return "\n".join(lines)
