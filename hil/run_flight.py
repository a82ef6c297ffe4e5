"""A run from its target's first second to its report, for every command that flies one."""

from __future__ import annotations

import gc
import json
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from flight.config import ConfigError
from flight.telemetry.dictionary import MODE_LABELS, PAT_LABELS
from hil.bench_link.port_serial import PortError
from hil.console_output import ProgressLine, print_summary
from hil.expectations import judge
from hil.product_gallery import annotate
from hil.report import write_report
from hil.run_summary import build_summary, report_data
from hil.scenario import as_flown
from hil.stream_link import BenchError
from hil.umbilical import OtherDictionaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

    from hil.run_folder import RunFolder
    from hil.target import Target

EXIT_GOOD, EXIT_FAILED, EXIT_USAGE, EXIT_BENCH, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
REPORT_NAME = "report.html"


def run_target(  # noqa: PLR0913  what the command line says, each named
    command: str,
    target: Target,
    folder: RunFolder,
    console: Console,
    *,
    as_json: bool,
    speed: float | None = None,
    debug: bool = False,
    show: Callable[[dict[str, Any], Path, Console], None] = print_summary,
) -> int:
    """Flies, judges, writes, prints; the exit code. Whatever happens, the target is closed.

    0 all expectations hold, 1 one failed, 2 usage, 3 the bench broke or the run says nothing, 130.
    """
    try:
        with _terminable():
            summary = _fly(target, folder, console, silent=as_json, speed=speed)
    except KeyboardInterrupt:
        sys.stderr.write(f"lumenode {command}: interrupted; {folder.path} is incomplete\n")
        return EXIT_INTERRUPTED
    except (ConfigError, PortError) as error:
        sys.stderr.write(f"lumenode {command}: {error}\n")
        return EXIT_USAGE
    except (BenchError, OtherDictionaryError) as error:
        sys.stderr.write(f"lumenode {command}: {error}\n")
        return EXIT_BENCH
    except Exception as error:
        sys.stderr.write(f"lumenode {command}: the bench broke: {type(error).__name__}: {error}\n")
        if debug:
            raise
        return EXIT_BENCH
    finally:
        target.close()
    if as_json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        show(summary, folder.path, console)
    if target.invalid is not None:
        sys.stderr.write(f"lumenode {command}: the run says nothing: {target.invalid}\n")
        return EXIT_BENCH
    return EXIT_GOOD if summary["verdict"] == "pass" else EXIT_FAILED


@contextmanager
def _terminable() -> Iterator[None]:
    """Whoever stops a run from outside (SIGTERM) sees it end as from the keyboard."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fly(
    target: Target, folder: RunFolder, console: Console, *, silent: bool, speed: float | None
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
    good = all(each.verdict == "pass" for each in judged)
    summary["verdict"] = "invalid" if target.invalid else "pass" if good else "fail"
    _write(target, folder, summary)
    return summary


def fly_through(
    target: Target, console: Console, *, silent: bool, speed: float | None = None
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
            t_s = min(t_s + target.look_s, duration_s)
            target.advance(t_s)
            _pace(target, t_s, speed, wall0_s)
            _show(progress, target, t_s, cpu0_s)
    target.finish()


def _write(target: Target, folder: RunFolder, summary: dict[str, Any]) -> None:
    target.world.recorder.write(folder.path)
    annotate(folder.path / "products", target.shown, target.world.link.logs)
    folder.write_text("report_data.json", json.dumps(report_data(target)) + "\n")
    folder.write_text("summary.json", json.dumps(summary, indent=1) + "\n")
    write_report(folder.path)
    folder.complete()


def _pace(target: Target, t_s: float, speed: float | None, wall0_s: float) -> None:
    """Holds the run back to a multiple of real time."""
    if speed is not None:
        ahead_s = t_s / speed - (time.monotonic() - wall0_s)
        if ahead_s > 0.0:
            target.pause(ahead_s)


def _show(progress: ProgressLine, target: Target, t_s: float, cpu0_s: float) -> None:
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
