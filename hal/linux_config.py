"""What the backend "linux" is told of its board: the section `[linux]` of a configuration. Values.

Every key has a default that suits a board as it comes; native/include/backend_linux.h says what
each does, and C checks the bounds again.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, field

Name = Annotated[str, Meta(max_length=23)]
"""Of a sensor, chip or line; `HAL_NAME_BYTES` less its end."""
Path = Annotated[str, Meta(max_length=255)]
"""`HAL_LINUX_PATH_BYTES` less its end."""
Folder = Annotated[str, Meta(min_length=1, max_length=255)]
Reading = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]

LEVELS_MAX = 16
"""Levels of a board profile, level 0 apart."""
NOBODY = "-"
"""A role that no sensor plays, not even the board's own default."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base: frozen, strict."""


class GpioLine(_Section, frozen=True, kw_only=True):
    """A switch on a GPIO line.

    Attributes:
        chip: label of the controller, such as "pinctrl-rp1"; empty for any that has `line`.
        line: name of the line, such as "GPIO17"; empty for the one at `offset`.
        active_low: on is low voltage.
    """

    chip: Name = ""
    line: Name = ""
    offset: Annotated[int, Meta(ge=0, le=1023)] = 0
    active_low: bool = False


class GpioLines(_Section, frozen=True, kw_only=True):
    """The switches a board may have; one that is left out is none.

    Attributes:
        heater: of the battery.
        payload: off at level 0, on at every other.
        laser_inhibit: on while the laser must stay dark, from opening on and when all ends.
    """

    heater: GpioLine | None = None
    payload: GpioLine | None = None
    laser_inhibit: GpioLine | None = None


class Roles(_Section, frozen=True, kw_only=True):
    """Which sensor is what to the node, by the name `lumenode doctor` shows.

    Empty leaves it to the board's own default (die and payload have one where the board has such a
    sensor), "-" is none. Powers and the battery are rails, temperatures are zones; a converter's
    input may be any of them, and the sun is always one.
    """

    array: Name = ""
    bus: Name = ""
    battery: Name = ""
    cells: Name = ""
    payload: Name = ""
    laser: Name = ""
    die: Name = ""
    sink: Name = ""
    radiator: Name = ""
    terminal: Name = ""
    sun: Name = ""


class CurrentMonitor(_Section, frozen=True, kw_only=True):
    """An INA219 or INA226 on an I2C bus that no kernel driver has: a rail of this name.

    Attributes:
        bus: N of /dev/i2c-N.
        shunt_uohm: resistor that the current is measured at.
        max_ma: largest current to be measured; a smaller one gives finer steps.
        averages: conversions a value.
    """

    name: Annotated[str, Meta(min_length=1, max_length=23)]
    bus: Annotated[int, Meta(ge=0, le=32767)]
    address: Annotated[int, Meta(ge=0x40, le=0x4F)] = 0x40
    chip: Annotated[str, Meta(pattern="^(ina219|ina226)$")] = "ina219"
    shunt_uohm: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000
    max_ma: Annotated[int, Meta(ge=1, le=200_000)] = 3_200
    averages: Annotated[int, Meta(ge=1, le=128)] = 16


class ConverterInput(_Section, frozen=True, kw_only=True):
    """A channel of an MCP3008 converter: a straight line from counts to its role's unit.

    Attributes:
        at_zero, at_full: value at 0 and at 1023 counts: mW, thousandths of a degC, permille of sun.
    """

    name: Annotated[str, Meta(min_length=1, max_length=23)]
    channel: Annotated[int, Meta(ge=0, le=7)]
    at_zero: Reading = 0
    at_full: Reading


class LinuxConfig(_Section, frozen=True, kw_only=True):
    """The board of the backend "linux".

    Attributes:
        sysfs_root, proc_root, dev_root: where the kernel's files lie.
        nvpmodel_conf, nvpmodel_status: of a Jetson's power model.
        period_ms: each sensor is read once in it, by a thread of the backend.
        stale_ms: an older value is no value; two periods at least.
        spi, spi_hz: device of the converter, such as "spidev0.0"; empty: none.
        watchdog: "device" opens the kernel's, "systemd" tells the service manager; a missed cycle
            resets the board, or ends the process.
        watchdog_device, watchdog_timeout_s: its file below `dev_root`; 0 leaves the driver's time.
        watchdog_stays: armed after the flight: only the next start then saves the board.
    """

    sysfs_root: Folder = "/sys"
    proc_root: Folder = "/proc"
    dev_root: Folder = "/dev"
    nvpmodel_conf: Path = "/etc/nvpmodel.conf"
    nvpmodel_status: Path = "/var/lib/nvpmodel/status"
    period_ms: Annotated[int, Meta(ge=20, le=10_000)] = 200
    stale_ms: Annotated[int, Meta(ge=40, le=60_000)] = 2_000
    spi: Path = ""
    spi_hz: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000
    watchdog: Annotated[str, Meta(pattern="^(none|device|systemd)$")] = "none"
    watchdog_device: Folder = "watchdog"
    watchdog_timeout_s: Annotated[int, Meta(ge=0, le=3_600)] = 0
    watchdog_stays: bool = False
    roles: Roles = field(default_factory=Roles)
    lines: GpioLines = field(default_factory=GpioLines)
    monitors: Annotated[tuple[CurrentMonitor, ...], Meta(max_length=4)] = ()
    inputs: Annotated[tuple[ConverterInput, ...], Meta(max_length=8)] = ()

    def looking(self) -> LinuxConfig:
        """The same for somebody who only looks: nothing is switched or armed."""
        return msgspec.structs.replace(self, lines=GpioLines(), watchdog="none")


class LinuxLevel(msgspec.Struct, frozen=True, kw_only=True):
    """What a payload level caps and draws; 0 caps nothing, or is not known."""

    power_mode: str = ""
    cpu_khz_max: int = 0
    gpu_khz_max: int = 0
    idle_mw: int = 0
    active_mw: int = 0


def contradiction(linux: LinuxConfig) -> str:
    """What contradicts itself, as "key = value: what is allowed"; "" when nothing does."""
    if linux.stale_ms < 2 * linux.period_ms:
        return f"stale_ms = {linux.stale_ms}: allowed: {2 * linux.period_ms} (two periods) or more"
    for name in GpioLines.__struct_fields__:
        line: GpioLine | None = getattr(linux.lines, name)
        if line is not None and not (line.chip or line.line):
            return f"lines.{name}: needs the controller's label in chip, the line's name, or both"
    for i, monitor in enumerate(linux.monitors):
        if monitor.averages not in (1, 4, 16, 64, 128):
            return f"monitors[{i}].averages = {monitor.averages}: allowed: 1, 4, 16, 64 or 128"
    if linux.inputs and not linux.spi:
        return 'spi = "": needed with inputs: the device of the converter, such as "spidev0.0"'
    names = [each.name for each in linux.monitors] + [each.name for each in linux.inputs]
    twice = next((name for name in names if names.count(name) > 1), None)
    return "" if twice is None else f"name = {twice!r}: given twice; allowed: names that differ"
