"""What machine this is and what suits it: the questions behind `lumenode init`.

Reads, opens the hardware layer for a moment, and changes nothing. Every answer is a choice that
the user can overrule in the file that comes of it.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flight.base.clock import LoopClock
from flight.board_config import BoardSection
from flight.board_devices import open_devices
from flight.config import ConfigError, load_profile, shipped_profiles
from flight.config_text import SEGMENT_BYTES, BoardChoice
from flight.data_folder import INDEX_BYTES, STORE_SPARE, folder_cap_bytes
from flight.inference.tile_cache import default_tiles_path
from flight.io.absent_sensors import absent_in
from flight.link_config import StoreConfig
from flight.thermal.board_profile import fits_board
from hal.native_devices import backend_names
from hal.sample import HalError

if TYPE_CHECKING:
    from flight.io.absent_sensors import SensorName
    from flight.thermal.board_profile import BoardProfile
    from hal.protocols import NodeDevices

MEASURED_PROFILE = "board-profile.toml"
"""What `lumenode models profile` writes beside the configuration."""
FRAMES_FOLDER = "frames"
MODEL_FILES = (
    "proc/device-tree/model",
    "sys/firmware/devicetree/base/model",
    "sys/class/dmi/id/product_name",
)
SIMULATED_PROFILE = "orin-nano-modelled"
UNKNOWN_PROFILE = "generic-pc"
SETTLE_S, SETTLE_STEP_S = 2.0, 0.1
"""A board's sampler has read every sensor by then; it looks again this often."""
CAP_BYTES_LEAST = 2 * SEGMENT_BYTES
FREE_SHARE = 2
"""The data folder may take one part in so many of what is free now."""


class SurveyError(Exception):
    """This machine cannot be set up as asked; one line."""


def board_model(root: Path = Path("/")) -> str:
    """The board's model as its firmware says: device tree, else DMI; "" when neither does."""
    for name in MODEL_FILES:
        try:
            text = (root / name).read_bytes().split(b"\0")[0].decode("utf-8", "replace").strip()
        except OSError:
            continue
        if text:
            return text
    return ""


def survey(folder: Path, *, hal: str = "", root: Path = Path("/")) -> BoardChoice:
    """What suits a configuration in `folder`; `hal` overrules what would be chosen.

    Raises:
        SurveyError: no room for a data folder, or the hardware layer asked for does not open.
    """
    model = board_model(root)
    backend = hal or ("linux" if "linux" in backend_names() else "sim")
    source, path = _frames()
    choice = BoardChoice(
        board=model, hal=backend, frames=source, frames_path=path, notes=_cameras(root)
    )
    choice = _sized(folder, choice)
    name, why, profile = _profile(folder, backend, model)
    choice = replace(choice, profile=name, profile_why=why)
    if backend != "linux":
        return choice
    return _with_sensors(choice, profile)


def _sized(folder: Path, choice: BoardChoice) -> BoardChoice:
    there = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    free = shutil.disk_usage(there).free
    fixed = SEGMENT_BYTES + INDEX_BYTES
    room = (free // FREE_SHARE - fixed) // STORE_SPARE
    cap = min(StoreConfig().cap_bytes, room - room % 1_000_000)
    if cap < CAP_BYTES_LEAST:
        needed = FREE_SHARE * (STORE_SPARE * CAP_BYTES_LEAST + fixed) // 1_000_000
        raise SurveyError(f"{there}: {free // 1_000_000} MB free, needed are {needed} MB")
    store = StoreConfig(cap_bytes=cap, segment_bytes=SEGMENT_BYTES)
    return replace(choice, cap_bytes=cap, folder_bytes=folder_cap_bytes(store))


def _frames() -> tuple[str, str]:
    """The default imagery when it is there, else a folder that a camera process may fill."""
    if default_tiles_path().exists():
        return "replay", ""
    return "folder", FRAMES_FOLDER


def _cameras(root: Path) -> tuple[str, ...]:
    """A camera cannot be set up without its user: only he knows which plane is which band."""
    by_id = sorted((root / "dev/v4l/by-id").glob("*-video-index0"))
    cameras = by_id or sorted((root / "dev").glob("video*"))
    return tuple(
        f"A camera is there: /{path.relative_to(root)}; docs/camera.md says how to fly it."
        for path in cameras[:1]
    )


def shipped_for(model: str) -> str:
    """The shipped profile that fits a board's model best; the unknown machine's if none does."""
    fits = {name: fits_board(load_profile(name), model) for name in shipped_profiles()}
    best = max(fits, key=lambda name: fits[name])
    return best if fits[best] else UNKNOWN_PROFILE


def _profile(folder: Path, backend: str, model: str) -> tuple[str, str, BoardProfile]:
    """Name or path for the file, what it is worth, and the profile itself."""
    measured = folder / MEASURED_PROFILE
    if backend == "linux" and measured.exists():
        try:
            profile = load_profile(str(measured))
        except ConfigError as error:
            raise SurveyError(str(error)) from None
        return MEASURED_PROFILE, f"{profile.source} on {profile.measured_on}", profile
    best = shipped_for(model) if backend == "linux" else SIMULATED_PROFILE
    profile = load_profile(best)
    if backend != "linux":
        why = "of the simulated board"
    elif profile.boards:
        why = f"shipped for {profile.boards[0]}"
    else:
        why = "none is shipped for this machine"
    worth = f"times {profile.source}, watts {profile.power_source}"
    return best, f"{why}; {worth}; none of it measured here", profile


def _with_sensors(choice: BoardChoice, profile: BoardProfile) -> BoardChoice:
    """What of the frame this board gives, once its sampler has been round."""
    try:
        devices = open_devices(BoardSection(hal=choice.hal), profile, looking=True)
        try:
            absent = asyncio.run(_absent(devices))
        finally:
            devices.close()
    except (ConfigError, HalError) as error:
        raise SurveyError(f"hal = {choice.hal!r}: {error}") from None
    blind = {"die", "sink"} <= set(absent)
    notes = ("No temperature sensor was found: nothing watches the heat.",)
    return replace(choice, absent=absent, notes=choice.notes + (notes if blind else ()))


async def _absent(devices: NodeDevices) -> tuple[SensorName, ...]:
    clock = LoopClock()
    now_ns = clock.now_ns()
    until_ns = now_ns + round(SETTLE_S * 1e9)
    valid = devices.snapshot().valid
    while now_ns < until_ns:
        await clock.sleep_until(now_ns + round(SETTLE_STEP_S * 1e9))
        now_ns = clock.now_ns()
        valid |= devices.snapshot().valid
    return absent_in(valid)
