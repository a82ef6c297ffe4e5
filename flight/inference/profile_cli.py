"""`lumenode models profile`: measures the board at hand and writes the profile that `fly` takes."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flight.board_config import BoardSection, load_fly_config
from flight.board_devices import open_devices
from flight.board_survey import UNKNOWN_PROFILE, board_model, shipped_for
from flight.config import ConfigError, convert, load_profile
from flight.data_folder import hold_folder
from flight.inference.board_profiler import Answer, BoardProfiler
from flight.inference.job import InferenceError
from flight.inference.tile_cache import default_cache_dir
from flight.thermal.profile_text import profile_text
from hal.native_devices import backend_names
from hal.sample import HalError

if TYPE_CHECKING:
    from flight.inference.model_registry import ModelRegistry
    from flight.one_line_parser import OneLineParser
    from flight.thermal.board_profile import BoardProfile
    from hal.linux_config import LinuxConfig

SECONDS_DEFAULT = 5.0
SECONDS_MAX = 3_600.0


class ProfileError(Exception):
    """The board cannot be measured as asked; one line."""


def add_action(actions: argparse._SubParsersAction[OneLineParser], common: OneLineParser) -> None:
    """The action with its options."""
    parser = actions.add_parser(
        "profile",
        parents=[common],
        help="ms and J per tile of each variant at each level of this board",
        description="Measure this board in the worker process that flies; levels are set through "
        "the hardware layer and put back. Without a power sensor it says so.",
        epilog="example: lumenode models profile --seconds 10 --profile-out board-profile.toml",
    )
    parser.add_argument("--profile-out", type=Path, metavar="FILE.toml", help="write it there")
    parser.add_argument(
        "--seconds", type=_seconds, default=SECONDS_DEFAULT, metavar="S",
        help="of each variant at each level (%(default)g)",
    )  # fmt: skip
    parser.add_argument("--model", default="cloud_unet", help="model (default: %(default)s)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a node's: board and profile")
    parser.add_argument("--hal", default="", metavar="NAME", help="default: linux, else sim")
    parser.add_argument(
        "--base", default="", metavar="PROFILE",
        help="whose levels are measured; default: the one shipped for this board",
    )  # fmt: skip


def profile(registry: ModelRegistry, options: argparse.Namespace) -> Answer:
    """Measures; raises ProfileError in one line, ModelError."""
    try:
        board, base, linux = _chosen(options)
        models = [
            registry.load(options.model, variant)
            for variant in sorted(registry.manifest(options.model).variants)
        ]
        # Without watts: what the hardware layer then shows of power comes from sensors alone.
        claim = _claimed(board)
        devices = open_devices(board, without_watts(base), linux=linux)
    except (ConfigError, HalError) as error:
        raise ProfileError(str(error)) from None
    try:
        profiler = BoardProfiler(
            base,
            models,
            devices,
            trusted=board.hal == "linux",
            seconds=options.seconds,
            board=board_model(),
            provider=board.provider,
            threads=board.threads,
            tell=lambda line: _tell(line, quiet=options.json),
        )
        answer = asyncio.run(profiler.measure())
    except (HalError, InferenceError) as error:
        raise ProfileError(str(error)) from None
    finally:
        devices.close()
        if claim is not None:
            os.close(claim)
    if options.profile_out is not None:
        _write(options.profile_out, profile_text(answer.profile, options.profile_out.name))
    return answer


def told(answer: Answer, out: Path | None) -> tuple[dict[str, object], list[str]]:
    """The answer for programs and for people."""
    profile = answer.profile
    shown = {**msgspec.to_builtins(profile), "notes": list(answer.notes)}
    lines = []
    for level in profile.levels:
        measured = level.measured
        assert measured is not None, "every level of an answer was measured"
        for variant in measured.p95_ms:
            joules = measured.j_per_tile.get(variant)
            energy = "J not measured" if joules is None else f"{joules:.4g} J"
            lines.append(
                f"{level.name:<12} {variant:<6} {level.ms_per_tile[variant]:8.2f} ms median  "
                f"{measured.p95_ms[variant]:8.2f} ms p95  {energy}  "
                f"({measured.frames[variant]} tiles)"
            )
    lines += [*answer.notes, f"power: {profile.power}"]
    if out is not None:
        lines.append(f"written: {out}")
    return shown, lines


def without_watts(base: BoardProfile) -> BoardProfile:
    """The same levels, nothing said about what they draw."""
    levels = (msgspec.structs.replace(each, idle_w=None, active_w=None) for each in base.levels)
    return msgspec.structs.replace(base, levels=tuple(levels))


def _claimed(board: BoardSection) -> int | None:
    """Nobody flies on this board meanwhile: the data folder, where settings are written down."""
    return hold_folder(Path(board.data)) if board.hal == "linux" else None


def _chosen(
    options: argparse.Namespace,
) -> tuple[BoardSection, BoardProfile, LinuxConfig | None]:
    hal = options.hal or ("linux" if "linux" in backend_names() else "sim")
    board, name = BoardSection(data=str(default_cache_dir())), options.base
    linux = None
    if options.config is not None:
        config = load_fly_config(options.config)
        board, name = config.board, name or config.inference.profile
        hal, linux = options.hal or board.hal, config.linux
    convert({"hal": hal}, BoardSection, "--hal")
    board = msgspec.structs.replace(board, hal=hal)
    if hal != "linux":
        # No clock is capped there: one level, as the machine is, whatever was asked for.
        name = UNKNOWN_PROFILE
    return board, load_profile(name or shipped_for(board_model())), linux


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{text}: allowed is more than 0, up to {SECONDS_MAX:g}")
    return seconds


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    new = path.with_name(path.name + ".new")
    try:
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}") from None


def _tell(line: str, *, quiet: bool) -> None:
    if not quiet:
        sys.stderr.write(line + "\n")
