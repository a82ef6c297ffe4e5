"""`lumenode score downlink`: the downlink stack flown against a case, and its ledger.

The harness withholds the channel from the stack; what it delivered is worked out afterwards. With
SciPy (the extra `score`) the figures are shares of what no sender could exceed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight.config import ConfigError
from flight.one_line_parser import OneLineParser
from hil.argument_values import whole
from hil.run_flight import EXIT_GOOD, EXIT_USAGE
from hil.score.downlink_bound import bounds
from hil.score.downlink_case import load_case
from hil.score.downlink_families import FAMILIES, make_case
from hil.score.downlink_figures import figures
from hil.score.downlink_harness import POLICIES, DownlinkHarness
from hil.score.out_file import check_out, write_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hil.score.downlink_case import Case


def main_score_downlink(argv: Sequence[str]) -> int:
    """Exit code: 0 flown, 2 no usable case or no place for the ledger, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        check_out(arguments.out)
        made = arguments.case is None
        case = make_case(arguments.family, arguments.seed) if made else load_case(arguments.case)
        ledger: dict[str, Any] = DownlinkHarness(case, arguments.policy).fly()
        write_out(arguments.out, lambda file: np.savez_compressed(file, **ledger))
        result = scored(case, ledger, with_bound=not arguments.no_bound)
    except ConfigError as error:
        sys.stderr.write(f"lumenode score: {error}\n")
        return EXIT_USAGE
    sys.stdout.write((json.dumps(result) if arguments.json else told(result)) + "\n")
    return EXIT_GOOD


def _parser() -> OneLineParser:
    policies = "; ".join(f"{name}: {text}" for name, text in POLICIES.items())
    parser = OneLineParser(
        prog="lumenode score",
        description="Fly the downlink stack against a case and write its ledger.",
        epilog="example: lumenode score downlink --case case7 --out ledger.npz",
    )
    parser.add_argument("subject", choices=["downlink"], help="what is scored")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--case", type=Path, metavar="DIR", help="a case (laser-downlink-case 1)")
    source.add_argument("--family", choices=list(FAMILIES), help="or one made from a family")
    parser.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=1, metavar="N", help="of the family (1)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the ledger, .npz, version 1"
    )
    parser.add_argument("--policy", choices=list(POLICIES), default="planned", help=policies)
    parser.add_argument("--no-bound", action="store_true", help="leave the upper bounds out")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def scored(case: Case, ledger: dict[str, Any], *, with_bound: bool) -> dict[str, Any]:
    """The flight's figures, with the bounds where these are wanted."""
    flown = figures(case, ledger)
    result: dict[str, Any] = msgspec.to_builtins(flown)
    if with_bound:
        most = bounds(case)
        result |= {
            "value_bound": most.value,
            "byte_bound": most.bytes,
            "eta_V": flown.value_on_time / most.value if most.value else 1.0,
            "eta_E": flown.bytes_useful / most.bytes if most.bytes else 1.0,
        }
    return result


def told(result: dict[str, Any]) -> str:
    """The figures for a reader."""
    lines = []
    if "eta_V" in result:
        lines.append(
            f"of what is possible: value {result['eta_V']:.4f}, bytes {result['eta_E']:.4f}"
        )
    lines += [
        f"value on time   {result['value_on_time']:.1f} of {result['value_offered']:.1f} offered",
        (
            f"value missed    late {result['late_value']:.1f}, "
            f"unfinished {result['unfinished_value']:.1f}, unsent {result['unsent_value']:.1f}"
        ),
        (
            f"frames          {result['frames']} sent, {result['frames_good']} arrived, "
            f"{result['idle_good_slots']} good slots idle"
        ),
        (
            f"bytes           {result['bytes_useful']} useful, "
            f"{result['unfinished_bytes']} of unfinished products, "
            f"{result['payload_lost_to_headers']} headers and gaps, "
            f"{result['repeated_bytes']} repeated"
        ),
    ]
    return "\n".join(lines)
