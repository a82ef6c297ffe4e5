"""`lumenode init`: a commented configuration for this machine, and what it needs to fly.

Says what it found and what it chose. Never overwrites a configuration unless told to, and keys and
data never.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flight.board_config import BoardSection, load_fly_config
from flight.board_survey import MEASURED_PROFILE, SurveyError, survey
from flight.broker_command import MISSING, is_installed
from flight.config import ConfigError, convert
from flight.config_text import BoardChoice, config_text
from flight.fly_command import DEFAULT_CONFIG
from flight.keys import Half, KeyFileError, generate, save_halves
from flight.one_line_parser import OneLineParser

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_GOOD, EXIT_USAGE = 0, 2


def main_init(argv: Sequence[str]) -> int:
    """Exit code: 0 written, 2 refused in one line."""
    options = _parser().parse_args(argv)
    folder = Path(options.folder).expanduser()
    try:
        answer = _init(folder, options.hal, force=options.force, mqtt=options.mqtt)
    except (ConfigError, KeyFileError, SurveyError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename or folder}: {error.strerror}")
    if options.json:
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        sys.stdout.write(_told(answer))
    return EXIT_GOOD


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode init",
        description="Write a commented configuration for this machine: hardware layer, frames, "
        "board profile, data folder and its cap, link keys. MQTT stays off but with --mqtt.",
        epilog="example: lumenode init /etc/lumenode && lumenode fly --config "
        "/etc/lumenode/lumenode.toml --for 60",
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", default=".", help="(here)")
    parser.add_argument(
        "--hal",
        default="",
        metavar="NAME",
        help="sim, linux, or link:DEV for a bench on a serial line; default: linux where it is "
        "built in, else sim",
    )
    parser.add_argument(
        "--mqtt",
        action="store_true",
        help="the node brings a broker along, for `lumenode watch` and `send` on this machine",
    )
    parser.add_argument("--force", action="store_true", help="overwrite DIR/lumenode.toml")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    return parser


def _init(folder: Path, hal: str, *, force: bool, mqtt: bool) -> dict[str, Any]:
    path = folder / DEFAULT_CONFIG
    if path.exists() and not force:
        raise ConfigError(f"{path} exists: --force writes it anew (keys and data are kept)")
    if hal:
        convert({"hal": hal}, BoardSection, "--hal")
    if mqtt and not is_installed():
        raise ConfigError(f"--mqtt: {MISSING}")
    choice = replace(survey(folder, hal=hal), mqtt=mqtt)
    folder.mkdir(parents=True, exist_ok=True)
    _write(path, config_text(choice))
    # What was written must fly: read the way `lumenode fly` reads it.
    config = load_fly_config(path)
    if choice.frames == "folder":
        Path(config.frames.path).mkdir(exist_ok=True)
    keys = Path(config.board.keys)
    made = not (keys / Half.NODE.file_name).exists()
    if made:
        save_halves(generate(), keys)
    return _answer(path, choice, keys_made=made)


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _answer(path: Path, choice: BoardChoice, *, keys_made: bool) -> dict[str, Any]:
    return {
        "config": str(path),
        "board": choice.board,
        "hal": choice.hal,
        "frames": choice.frames,
        "profile": choice.profile,
        "profile_measured": choice.profile == MEASURED_PROFILE,
        "profile_worth": choice.profile_why,
        "sensors_absent": list(choice.absent),
        "cap_bytes": choice.cap_bytes,
        "folder_bytes": choice.folder_bytes,
        "keys": "made" if keys_made else "kept",
        "mqtt": choice.mqtt,
        "notes": list(choice.notes),
    }


def _told(answer: dict[str, Any]) -> str:
    """The answer for people: what was found, what to do next."""
    config, folder = answer["config"], Path(answer["config"]).parent
    absent = ", ".join(answer["sensors_absent"]) or "none"
    lines = [
        f"board     {answer['board'] or 'unknown: neither device tree nor DMI names it'}",
        f"hal       {answer['hal']}",
        f"profile   {answer['profile']}: {answer['profile_worth']}",
        f"absent    {absent}",
        f"frames    {answer['frames']}",
        f"data      {folder / 'data'}, up to {answer['folder_bytes'] // 1_000_000} MB",
        f"keys      {answer['keys']} in {folder / 'keys'}",
        f"mqtt      {'a broker of its own on this machine' if answer['mqtt'] else 'off'}",
        f"written   {config}",
        *answer["notes"],
        "next:",
    ]
    if answer["frames"] == "folder":
        lines.append("  lumenode fetch-data        (sample imagery; then init again with --force)")
    if answer["hal"] == "linux" and not answer["profile_measured"]:
        lines.append(f"  lumenode models profile --profile-out {folder / MEASURED_PROFILE}")
    lines += [
        f"  lumenode fly --config {config} --for 10",
        f"  move {folder / 'keys' / Half.GROUND.file_name} to the ground; it does not belong here",
    ]
    return "\n".join(lines) + "\n"


def _refuse(reason: str) -> int:
    sys.stderr.write(f"lumenode init: {reason}\n")
    return EXIT_USAGE
