"""Opens the hardware layer that a configuration names; the one place that knows how for each.

Flight, `lumenode init`, `doctor` and `models profile` all open the board this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.config import ConfigError
from hal.native_devices import NativeDevices, backend_names
from hal.sample import HalConfig

if TYPE_CHECKING:
    from flight.board_config import BoardSection
    from flight.thermal.board_profile import BoardProfile
    from hal.terminal_values import SerialTerminal


def open_devices(
    board: BoardSection, profile: BoardProfile, terminal: SerialTerminal | None = None
) -> NativeDevices:
    """The board's devices, with the levels of its profile, and a terminal on a serial line.

    Their memory is shared: the guard's supervisor makes a simulated node safe through it.

    Raises:
        ConfigError: this version has no such backend; one line.
        HalError: the hardware cannot be opened.
    """
    backend = board.hal.partition(":")[0]
    known = backend_names()
    if backend not in known:
        raise ConfigError(
            f"board.hal = {board.hal!r}: this backend is not in this version; "
            f"allowed: {', '.join(known)}"
        )
    config = HalConfig(payload_level_max=profile.top)
    return NativeDevices(backend, config, shared=True, terminal=terminal)
