"""The board itself as hardware layer: its section, the levels of its profile, its journal.

What a level sets on a board outlives the process. So it is written down beside the node's data
first, and put back: at the end of a flight, by the next start, by `lumenode restore`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flight.base.clock import LoopClock
from flight.config import ConfigError
from hal.linux_config import LEVELS_MAX, LinuxLevel
from hal.linux_devices import LinuxDevices
from hal.sample import HalConfig

if TYPE_CHECKING:
    from flight.board_config import BoardSection
    from flight.thermal.board_profile import BoardProfile, Level
    from hal.board_reading import BoardReading
    from hal.linux_config import LinuxConfig
    from hal.terminal_values import SerialTerminal

JOURNAL = "board-journal"
"""In the data folder: settings of the board as they were found."""
LOOK_AGAIN_NS = 50_000_000
_MW_PER_W, _NS_PER_S = 1000, 1_000_000_000


def journal_path(data: str) -> Path:
    """Where the journal of a node with this data folder lies."""
    return Path(data) / JOURNAL


def open_linux(
    board: BoardSection,
    profile: BoardProfile,
    linux: LinuxConfig,
    terminal: SerialTerminal | None = None,
    *,
    looking: bool,
) -> LinuxDevices:
    """The board's devices; with `looking` nothing can be set, and a flight is not disturbed.

    Raises:
        ConfigError: the profile has more levels than a board can have.
        HalError: the hardware cannot be opened.
    """
    if profile.top > LEVELS_MAX:
        raise ConfigError(
            f"board profile {profile.name}: {profile.top} levels; allowed: up to {LEVELS_MAX}"
        )
    return LinuxDevices(
        linux.looking() if looking else linux,
        HalConfig(payload_level_max=profile.top),
        levels=[_level(each) for each in profile.levels],
        off=_off(profile, linux),
        journal="" if looking else str(journal_path(board.data)),
        notify_socket=os.environ.get("NOTIFY_SOCKET", ""),
        shared=True,
        terminal=terminal,
    )


async def settled(devices: LinuxDevices, patience_s: float = 2.0) -> BoardReading:
    """What the board tells once every sensor has been read, or `patience_s` later."""
    clock = LoopClock()
    until_ns = clock.now_ns() + round(patience_s * _NS_PER_S)
    reading = devices.read_board()
    while not reading.settled() and clock.now_ns() < until_ns:
        await clock.sleep_until(clock.now_ns() + LOOK_AGAIN_NS)
        reading = devices.read_board()
    return reading


def _off(profile: BoardProfile, linux: LinuxConfig) -> LinuxLevel:
    """Level 0: a board without a switch for its payload rests at its lowest clock."""
    if linux.lines.payload is not None:
        return LinuxLevel()
    rest_mw = _level(profile.levels[0]).idle_mw
    return LinuxLevel(idle_mw=rest_mw, active_mw=rest_mw)


def _level(level: Level) -> LinuxLevel:
    return LinuxLevel(
        power_mode=level.power_mode,
        cpu_khz_max=level.cpu_khz_max,
        gpu_khz_max=level.gpu_khz_max,
        idle_mw=round((level.idle_w or 0.0) * _MW_PER_W),
        active_mw=round((level.active_w or 0.0) * _MW_PER_W),
    )
