"""Opens the hardware layer that a configuration names; the one place that knows how for each.

Flight, `lumenode init`, `doctor` and `models profile` all open the board this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.config import ConfigError
from hal.linux_config import LinuxConfig
from hal.native_devices import NativeDevices, backend_names
from hal.sample import HalConfig, HalError, HalErrorKind

if TYPE_CHECKING:
    from flight.board_config import BoardSection
    from flight.thermal.board_profile import BoardProfile
    from hal.link_devices import LinkDevices
    from hal.terminal_values import SerialTerminal


OPEN_FAILURES = {
    HalErrorKind.NODEV: "no such device, or none that is a serial line",
    HalErrorKind.PERM: "this user may not open it (on many systems: group dialout)",
    HalErrorKind.BUSY: "another program has it open",
}
"""Why a line could not be opened, in words; another kind by its name."""


def open_link(board: BoardSection, profile: BoardProfile) -> LinkDevices:
    """Devices at the far end of the line that `board.hal` names; raises as `open_devices`."""
    # Only then: a flying board has no line to a bench.
    from hal.link_devices import LinkConfig, LinkDevices, LinkMode  # noqa: PLC0415

    mode = LinkMode.LOCK_STEP if board.link_mode == "lock-step" else LinkMode.FREE_RUN
    line = LinkConfig(path=board.hal.partition(":")[2], mode=mode, baud=board.link_baud)
    config = HalConfig(tx_fifo_frames=board.link_fifo_frames, payload_level_max=profile.top)
    try:
        return LinkDevices(line, config)
    except HalError as error:
        why = OPEN_FAILURES.get(error.kind, error.kind.name)
        raise ConfigError(f"board.hal = {board.hal!r}: {why}") from None


def open_devices(
    board: BoardSection,
    profile: BoardProfile,
    terminal: SerialTerminal | None = None,
    *,
    linux: LinuxConfig | None = None,
    looking: bool = False,
) -> NativeDevices:
    """The board's devices, with the levels of its profile, and a terminal on a serial line.

    With `looking` nothing of a board is set or switched.

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
    if backend == "link":
        return open_link(board, profile)
    if backend == "linux":
        from flight.board_linux import open_linux  # noqa: PLC0415  nobody else needs its layer

        return open_linux(board, profile, linux or LinuxConfig(), terminal, looking=looking)
    config = HalConfig(payload_level_max=profile.top)
    return NativeDevices(backend, config, shared=True, terminal=terminal)
