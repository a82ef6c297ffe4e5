"""`NodeDevices` of the board this runs on: a Raspberry Pi, a Jetson, a PC.

The Python face of native/include/backend_linux.h, which is the manual: threads in C read the
sensors, no call here waits for one. What a level sets is in a journal first, and put back on
closing; `restore` does it for a process that could not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hal.board_reading import BoardReading, ClockReading, Rail, ValueState, Zone
from hal.linux_config import GpioLines, LinuxConfig, LinuxLevel, Roles
from hal.native_devices import NativeDevices
from hal.native_library import ffi, lib
from hal.sample import HalConfig, HalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hal.linux_config import GpioLine
    from hal.terminal_values import SerialTerminal

OFF = LinuxLevel()
"""Level 0: the clocks' lowest where any level caps them, and nothing drawn."""
_WATCHDOGS = {
    "none": lib.HAL_LINUX_WATCHDOG_NONE,
    "device": lib.HAL_LINUX_WATCHDOG_DEVICE,
    "systemd": lib.HAL_LINUX_WATCHDOG_SYSTEMD,
}
_CHIPS = {"ina219": lib.HAL_LINUX_INA219, "ina226": lib.HAL_LINUX_INA226}
_SAME = (
    "sysfs_root", "proc_root", "dev_root", "nvpmodel_conf", "nvpmodel_status", "period_ms",
    "stale_ms", "spi", "spi_hz", "watchdog_timeout_s",
)  # fmt: skip
"""Called alike on both sides."""


class LinuxDevices(NativeDevices):
    """The board's own devices; what it does not have degrades itself alone.

    Args:
        levels: of the board profile, level 1 first; none caps nothing. `off` is level 0.
        journal: a file on a medium that keeps; without one no clock is set and no line switched.
        notify_socket: value of $NOTIFY_SOCKET, for the service manager's watchdog.
        system: C's `struct linux_syscalls *`, None for the kernel's.

    Raises `HalError`: RANGE for a configuration out of bounds, BUSY without memory or threads.
    """

    def __init__(  # noqa: PLR0913  the board, the node's levels, and where they meet
        self,
        linux: LinuxConfig | None = None,
        config: HalConfig | None = None,
        *,
        levels: Sequence[LinuxLevel] = (),
        off: LinuxLevel = OFF,
        journal: str = "",
        notify_socket: str = "",
        shared: bool = False,
        terminal: SerialTerminal | None = None,
        system: Any = None,
    ) -> None:
        rows = (off, *levels) if levels else ()
        self._linux = _made(linux or LinuxConfig(), rows, journal, notify_socket)
        self._linux.calls = ffi.NULL if system is None else system
        super().__init__("linux", config, self._linux, shared=shared, terminal=terminal)

    def read_board(self) -> BoardReading:
        """Everything the board tells about itself, as it was read last."""
        board = ffi.new("struct hal_board *")
        self._check(lib.hal_read_board(self._device, board), "board")
        return _reading(board)

    def clear_throttle(self) -> None:
        """Forget the latched throttle bits."""
        self._check(lib.hal_clear_throttle(self._device), "throttle")


def restore(linux: LinuxConfig, journal: str) -> int:
    """Put back what an ended process set on this board and did not put back; how many settings.

    Raises `HalError`: CORRUPT when the journal is none, and what kept a setting from being put
    back; the journal then stays.
    """
    code: int = lib.hal_linux_restore(_made(linux, (), journal, ""))
    if code < 0:
        raise HalError("linux.restore", code)
    return code


def _made(
    linux: LinuxConfig, levels: Sequence[LinuxLevel], journal: str, notify_socket: str
) -> Any:
    """`struct hal_linux_config *`; `levels` from level 0 on."""
    if len(levels) > lib.HAL_LINUX_LEVELS_MAX:
        raise HalError("linux.open", lib.HAL_E_RANGE)
    made = ffi.new("struct hal_linux_config *")
    lib.hal_linux_config_init(made)
    try:
        _fill(made, linux, journal, notify_socket)
        made.level_count = len(levels)
        for row, level in zip(made.levels, levels, strict=False):
            _copy(row, level, LinuxLevel.__struct_fields__)
    except (OverflowError, IndexError):  # a number, or a text, that C has no room for
        raise HalError("linux.open", lib.HAL_E_RANGE) from None
    return made


def _fill(made: Any, linux: LinuxConfig, journal: str, notify_socket: str) -> None:
    _copy(made, linux, _SAME)
    made.journal, made.notify_socket = journal.encode(), notify_socket.encode()
    made.watchdog = linux.watchdog_device.encode()
    made.watchdog_kind = _WATCHDOGS[linux.watchdog]
    made.watchdog_stays = linux.watchdog_stays
    for i, name in enumerate(Roles.__struct_fields__):
        made.roles[i] = getattr(linux.roles, name).encode()
    for row, name in zip(made.lines, GpioLines.__struct_fields__, strict=True):
        line: GpioLine | None = getattr(linux.lines, name)
        if line is not None:
            _copy(row, line, line.__struct_fields__)
    for row, monitor in zip(made.inas, linux.monitors, strict=False):
        _copy(row, monitor, ("name", "bus", "address", "shunt_uohm", "max_ma", "averages"))
        row.chip = _CHIPS[monitor.chip]
    for row, input_ in zip(made.inputs, linux.inputs, strict=False):
        _copy(row, input_, input_.__struct_fields__)


def _copy(row: Any, values: object, names: Sequence[str]) -> None:
    for name in names:
        value = getattr(values, name)
        setattr(row, name, value.encode() if isinstance(value, str) else value)


def _text(field: Any) -> str:
    return ffi.string(field).decode("utf-8", "replace")  # type: ignore[no-any-return]  # no types


def _values(row: Any, kind: type) -> Any:
    """A row of C as the Python structure with the same names."""
    values = {}
    for name in kind.__struct_fields__:  # type: ignore[attr-defined]  # a msgspec structure
        value = getattr(row, name)
        values[name] = (
            ValueState(value) if name == "state" else _text(value) if name == "name" else value
        )
    return kind(**values)


_LISTS = {"zones": (Zone, "zone_count"), "rails": (Rail, "rail_count"),
          "policies": (ClockReading, "policy_count")}  # fmt: skip


def _reading(board: Any) -> BoardReading:
    values: dict[str, Any] = {}
    for name in BoardReading.__struct_fields__:
        value = getattr(board, name)
        if name in _LISTS:
            kind, count = _LISTS[name]
            values[name] = tuple(_values(value[i], kind) for i in range(getattr(board, count)))
        elif name.endswith("_state"):
            values[name] = ValueState(value)
        elif name in ("model", "power_mode"):
            values[name] = _text(value)
        elif name == "gpu":
            values[name] = _values(value, ClockReading)
        else:
            values[name] = tuple(value) if name == "oc_events" else value
    return BoardReading(**values)
