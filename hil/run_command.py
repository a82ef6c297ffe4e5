"""`lumenode run` and `lumenode scenarios`: fly a scenario, judge it, write its report."""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console

from flight.config import ConfigError
from flight.one_line_parser import OneLineParser
from flight.telemetry.dictionary import MODE_LABELS, PAT_LABELS
from hil.console_output import ProgressLine, print_summary
from hil.expectations import judge
from hil.product_gallery import annotate
from hil.report import write_report
from hil.run_folder import RunFolder
from hil.run_inputs import INPUT_ERRORS, check_inputs
from hil.run_summary import build_summary, report_data
from hil.scenario import (
    DEFAULT,
    as_flown,
    load_scenario,
    shipped_names,
    with_overrides,
)
from hil.sim_target import SimTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP_S = 20.0
"""Mission time between two looks at the progress line."""
EXIT_GOOD, EXIT_FAILED, EXIT_USAGE, EXIT_BENCH, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
REPORT_NAME = "report.html"


def main_run(argv: list[str]) -> int:
    """Exit code: 0 all expectations hold, 1 one failed, 2 usage, 3 the bench broke, 130."""
    arguments = _parser().parse_args(argv)
    try:
        scenario = with_overrides(load_scenario(arguments.scenario), seed=arguments.seed)
        check_inputs(scenario, arguments.scenario)
        folder = RunFolder.claim(arguments.out or Path(f"runs/{scenario.name}"))
        target = SimTarget(scenario, folder.path)
    except INPUT_ERRORS as error:
        sys.stderr.write(f"lumenode run: {error}\n")
        return EXIT_USAGE
    console = Console(stderr=arguments.json)
    try:
        with _terminable():
            summary = _fly(target, folder, console, silent=arguments.json, speed=arguments.speed)
    except KeyboardInterrupt:
        sys.stderr.write(f"lumenode run: interrupted; {folder.path} is incomplete\n")
        return EXIT_INTERRUPTED
    except ConfigError as error:
        sys.stderr.write(f"lumenode run: {error}\n")
        return EXIT_USAGE
    except Exception as error:
        sys.stderr.write(f"lumenode run: the bench broke: {type(error).__name__}: {error}\n")
        if arguments.debug:
            raise
        return EXIT_BENCH
    if arguments.json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        print_summary(summary, folder.path, console)
    return EXIT_GOOD if summary["verdict"] == "pass" else EXIT_FAILED


def main_scenarios(argv: list[str]) -> int:
    """Lists what is shipped, one line each."""
    parser = OneLineParser(
        prog="lumenode scenarios",
        description="List the shipped scenarios.",
        epilog="example: lumenode scenarios --json",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    arguments = parser.parse_args(argv)
    listed = [(name, load_scenario(name)) for name in shipped_names()]
    if arguments.json:
        rows = [
            {"name": name, "title": s.title, "duration_s": s.duration_s, "seed": s.seed}
            for name, s in listed
        ]
        sys.stdout.write(json.dumps(rows) + "\n")
        return EXIT_GOOD
    width = max(len(name) for name, _ in listed)
    for name, scenario in listed:
        hours = scenario.duration_s / 3600.0
        sys.stdout.write(f"{name:<{width}}  {hours:5.1f} h  {scenario.title}\n")
    return EXIT_GOOD


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode run",
        description="Fly a scenario on the bench, judge its expectations, write its report.",
        epilog="example: lumenode run first-flight --seed 7 --out runs/seven",
    )
    parser.add_argument(
        "scenario", nargs="?", default=DEFAULT, help=f"shipped name or TOML file ({DEFAULT})"
    )
    parser.add_argument(
        "--target", default="sim", choices=["sim"], help="where the node runs (sim)"
    )
    parser.add_argument("--seed", type=_seed, help="instead of the scenario's own")
    parser.add_argument(
        "--speed", type=_speed, default=None, help="max, or a multiple of real time such as 60"
    )
    parser.add_argument("--out", type=_folder, help="folder for results (runs/NAME)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a broken bench")
    return parser


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is 0 to 2^63-1")
    return int(text)


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("an empty name is no folder")
    return Path(text)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is max, or 0.1 to 1e6")
    return value


@contextmanager
def _terminable() -> Iterator[None]:
    """Whoever stops a run from outside (SIGTERM) sees it end as from the keyboard."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fly(
    target: SimTarget, folder: RunFolder, console: Console, *, silent: bool, speed: float | None
) -> dict[str, Any]:
    """Flies to the end, then judges and writes everything."""
    scenario = target.scenario
    wall0_s, cpu0_s = time.monotonic(), time.process_time()
    folder.write_text("scenario.toml", as_flown(scenario))
    fly_through(target, console, silent=silent, speed=speed)
    summary = build_summary(
        target, wall_s=time.monotonic() - wall0_s, cpu_s=time.process_time() - cpu0_s
    )
    judged = [judge(expectation, target.world.recorder, summary) for expectation in scenario.expect]
    summary["expectations"] = [msgspec.to_builtins(each) for each in judged]
    summary["verdict"] = "pass" if all(each.verdict == "pass" for each in judged) else "fail"
    _write(target, folder, summary)
    return summary


def fly_through(
    target: SimTarget, console: Console, *, silent: bool, speed: float | None = None
) -> None:
    """Flies from start to end behind one live line; `speed` holds it back to real time's."""
    wall0_s, cpu0_s = time.monotonic(), time.process_time()
    duration_s = target.scenario.duration_s
    gc.collect()
    gc.freeze()
    with ProgressLine(console, silent=silent) as progress:
        target.start()
        t_s = 0.0
        while t_s < duration_s:
            t_s = min(t_s + STEP_S, duration_s)
            target.advance(t_s)
            _pace(t_s, speed, wall0_s)
            _show(progress, target, t_s, cpu0_s)
    target.finish()


def _write(target: SimTarget, folder: RunFolder, summary: dict[str, Any]) -> None:
    target.world.recorder.write(folder.path)
    annotate(folder.path / "products", target.world.camera.shown, target.world.link.logs)
    folder.write_text("report_data.json", json.dumps(report_data(target)) + "\n")
    folder.write_text("summary.json", json.dumps(summary, indent=1) + "\n")
    write_report(folder.path)
    folder.complete()


def _pace(t_s: float, speed: float | None, wall0_s: float) -> None:
    """Holds the run back to a multiple of real time."""
    if speed is not None:
        ahead_s = t_s / speed - (time.monotonic() - wall0_s)
        if ahead_s > 0.0:
            time.sleep(ahead_s)


def _show(progress: ProgressLine, target: SimTarget, t_s: float, cpu0_s: float) -> None:
    mode, state = target.value("mode.current"), target.value("link.pat_state")
    queue, cpu_s = target.value("queue.products"), time.process_time() - cpu0_s
    progress.update(
        t_s,
        target.scenario.duration_s,
        MODE_LABELS[int(mode)] if mode == mode else "OFF",  # noqa: PLR0124  NaN while it is down
        target.value("power.soc_estimate"),
        target.value("thermal.die_c"),
        None if queue != queue else int(queue),  # noqa: PLR0124
        PAT_LABELS[int(state)] if state == state else "-",  # noqa: PLR0124
        t_s / cpu_s if cpu_s > 0.0 else None,
    )
