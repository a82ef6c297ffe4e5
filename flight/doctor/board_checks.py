"""The board: what of it can be read and set, by the kernel's own names, and who may.

Reads files under a root folder, so that a fake tree can stand in for a board. What a Pi, a Jetson
or a PC does not have is no fault and is not listed; what is there and may not be used comes with
the rule that mends it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.board_survey import board_model, shipped_for
from flight.doctor.finding import Finding, State, found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RULES = "sudo cp docs/deploy/99-lumenode.rules /etc/udev/rules.d/ && sudo udevadm trigger"
GROUP = "sudo usermod -aG {group} $USER, then log in again"


@dataclass(frozen=True, slots=True)
class Access:
    """Files that one thing of the board is read or set through.

    Attributes:
        patterns: below the root.
        use: os.R_OK, os.W_OK or both.
        remedy: for one that may not be used.
        absent: what its absence means, "" when that is nothing worth a line.
    """

    name: str
    patterns: tuple[str, ...]
    use: int
    remedy: str
    absent: str = ""


ACCESSES = (
    Access("temperatures", ("sys/class/thermal/thermal_zone*/temp",
                            "sys/class/hwmon/hwmon*/temp*_input"), os.R_OK, RULES,
           "no temperature: nothing watches the heat"),
    Access("power rails", ("sys/class/hwmon/hwmon*/power*_input",
                           "sys/class/hwmon/hwmon*/curr*_input"), os.R_OK, RULES,
           "no power sensor: watts stay published or unknown"),
    Access("processor clocks", ("sys/devices/system/cpu/cpufreq/policy*/scaling_max_freq",),
           os.R_OK | os.W_OK, RULES, "no cpufreq: levels cap no processor clock"),
    Access("GPU clock", ("sys/class/devfreq/*gpu*/max_freq", "sys/class/devfreq/*ga10b*/max_freq"),
           os.R_OK | os.W_OK, RULES),
    Access("throttle flags", ("sys/devices/platform/soc*/soc*firmware/get_throttled",
                              "dev/vcio"), os.R_OK, GROUP.format(group="video")),
    Access("GPIO", ("dev/gpiochip*",), os.R_OK | os.W_OK, RULES),
    Access("I2C", ("dev/i2c-*",), os.R_OK | os.W_OK, RULES),
    Access("SPI", ("dev/spidev*",), os.R_OK | os.W_OK, RULES),
    Access("watchdog", ("dev/watchdog*",), os.W_OK, RULES,
           "no watchdog: nothing restarts a hung kernel"),
    Access("cameras", ("dev/video*",), os.R_OK | os.W_OK, GROUP.format(group="video")),
)  # fmt: skip


def _model(root: Path) -> Iterator[Finding]:
    model = board_model(root)
    profile = shipped_for(model)
    yield found("board", f"{model or 'unknown'}; board profile {profile}")


def _accesses(root: Path) -> Iterator[Finding]:
    for access in ACCESSES:
        paths = sorted({path for pattern in access.patterns for path in root.glob(pattern)})
        if paths:
            yield _access(access, paths, root)
        elif access.absent:
            kind, _, consequence = access.absent.partition(": ")
            yield Finding(access.name, State.UNSUPPORTED, kind, consequence)


def _access(access: Access, paths: list[Path], root: Path) -> Finding:
    refused = [path for path in paths if not os.access(path, access.use)]
    if not refused:
        return found(access.name, f"{len(paths)} may be used")
    first = f"/{refused[0].relative_to(root)}"
    detail = f"{len(refused)} of {len(paths)} may not be used, {first} for one"
    return found(access.name, detail, access.remedy)


CHECKS: tuple[Callable[[Path], Iterator[Finding]], ...] = (_model, _accesses)
"""In the order they are told."""
