"""`lumenode replay DIR`: flies a recorded run again and compares it with what was recorded.

Event by event, telemetry row by row, then the hash over everything (frames and debug events
included). The first divergence in mission time is named, with what was recorded and what came now.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flight.config import ConfigError
from flight.one_line_parser import OneLineParser
from hil.bench_link.layout import Mode
from hil.line_targets import pty_target
from hil.recorded_run import RecordedRun, Replay, compare
from hil.run_flight import EXIT_BENCH, EXIT_FAILED, EXIT_GOOD, EXIT_USAGE, fly_through
from hil.run_inputs import INPUT_ERRORS, check_inputs
from hil.scenario import load_scenario
from hil.sim_target import SimTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hil.scenario import Scenario
    from hil.target import Target


def main_replay(argv: Sequence[str]) -> int:
    """Exit code: 0 the same, 1 different, 2 nothing to replay, 3 the bench broke, 130."""
    arguments = _parser().parse_args(argv)
    folder = Path(arguments.folder)
    try:
        recorded = RecordedRun.read(folder)
        scenario = load_scenario(str(folder / "scenario.toml"))
        check_inputs(scenario, str(folder / "scenario.toml"))
        make_target = _maker(recorded, folder)
    except INPUT_ERRORS as error:
        sys.stderr.write(f"lumenode replay: {error}\n")
        return EXIT_USAGE
    try:
        with tempfile.TemporaryDirectory(prefix="lumenode-replay-") as scratch:
            target = make_target(scenario, Path(scratch))
            with contextlib.closing(target):
                fly_through(target, Console(stderr=True), silent=arguments.json)
            world = target.world
            replay = compare(recorded, world.recorder, world.models.sha256, world.scene_digest)
    except Exception as error:
        sys.stderr.write(f"lumenode replay: the bench broke: {type(error).__name__}: {error}\n")
        if arguments.debug:
            raise
        return EXIT_BENCH
    sys.stdout.write(json.dumps(_plain(replay)) + "\n" if arguments.json else _told(replay))
    return EXIT_GOOD if replay.same else EXIT_FAILED


def _maker(recorded: RecordedRun, folder: Path) -> Callable[[Scenario, Path], Target]:
    """What makes the target the run was flown on; ConfigError where that cannot be done again."""
    name, line = recorded.summary.get("target"), recorded.summary.get("bench_link")
    if name == "sim":
        return SimTarget
    if name == "pty" and line is not None and line.get("mode") == "lock_step":
        return partial(pty_target, mode=Mode.LOCK_STEP)
    raise ConfigError(
        f"{folder / 'summary.json'}: target = {name!r}: a run by the wall's clock or on hardware "
        "cannot be flown again alike; allowed: sim, and pty in lock-step"
    )


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode replay",
        description="Fly a recorded run again and compare it event by event and row by row.",
        epilog="example: lumenode replay runs/first-flight",
    )
    parser.add_argument("folder", metavar="DIR", help="what `lumenode run` left")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a broken bench")
    return parser


def _plain(replay: Replay) -> dict[str, Any]:
    first = replay.divergence
    return {
        "same": replay.same,
        "events": replay.events,
        "rows": replay.rows,
        "log_hash_recorded": replay.hash_recorded,
        "log_hash_now": replay.hash_now,
        "changed_since": list(replay.changed_since),
        "divergence": None
        if first is None
        else {
            "t_s": first.t_s,
            "what": first.what,
            "recorded": first.recorded,
            "now": first.now,
        },
    }


def _told(replay: Replay) -> str:
    if replay.same:
        return (
            f"the same: {replay.events} events, {replay.rows} rows of telemetry, "
            f"log hash {replay.hash_now}\n"
        )
    lines = [f"different: log hash recorded {replay.hash_recorded}, now {replay.hash_now}"]
    lines += [f"changed since the recording: {each}" for each in replay.changed_since]
    first = replay.divergence
    assert first is not None
    when = "" if first.t_s is None else f" at {first.t_s:.6f} s"
    lines += [
        f"first divergence{when}: {first.what}",
        f"  recorded  {first.recorded}",
        f"  now       {first.now}",
    ]
    return "\n".join(lines) + "\n"
