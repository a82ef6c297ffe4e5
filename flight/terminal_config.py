"""Configuration of a laser terminal on a serial line: the section `[terminal]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from flight.config import ConfigError
from hal.terminal_values import BAUD, SerialTerminal

if TYPE_CHECKING:
    from pathlib import Path

PATH_BYTES_MAX = 255


class TerminalSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A laser terminal that speaks the protocol of docs/terminal.md.

    Attributes:
        device: its serial port, by the name that stays over a replug (/dev/serial/by-id/...); it
            may be absent, and is looked for while the node flies. Empty: the hardware layer's own
            terminal, if it has one.
        baud: bit/s, 8N1; 0 leaves the port as it is.
    """

    device: str = ""
    baud: Annotated[int, Meta(ge=0, le=4_000_000)] = BAUD

    def check(self, source: str, hal: str) -> None:
        """What a range cannot say, beside `board.hal`; ConfigError in one line."""
        if self.device and hal.startswith("link:"):
            raise ConfigError(
                f"{source}: terminal.device = {self.device!r}: with board.hal = {hal!r} the "
                "terminal is the bench's; allowed: none"
            )
        if "\0" in self.device or len(self.device.encode()) > PATH_BYTES_MAX:
            raise ConfigError(
                f"{source}: terminal.device: allowed: a path of up to {PATH_BYTES_MAX} octets"
            )

    def below(self, folder: Path) -> TerminalSection:
        """With an absolute path."""
        if not self.device:
            return self
        return msgspec.structs.replace(self, device=str(folder / self.device))

    def line(self) -> SerialTerminal | None:
        """For `hal.native_devices`; None without a terminal on a line."""
        return SerialTerminal(self.device, self.baud) if self.device else None
