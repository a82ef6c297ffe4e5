"""What became of the serial line to a laser terminal, for the channels `terminal.*`.

Hop "told": telemetry asks once a period. Figures of a real line differ from run to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.telemetry.dictionary import CHANNEL_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from hal.terminal_values import TerminalLineView


class TerminalLineMeasures:
    """Called with the channels' values; fills its own."""

    def __init__(self, look: Callable[[], TerminalLineView]) -> None:
        self._look = look
        self._phase = CHANNEL_INDEX["terminal.line"]
        self._counts = tuple(
            (CHANNEL_INDEX[f"terminal.{name}"], name)
            for name in ("sessions", "line_losses", "rx_corrupt", "rx_lost")
        )

    def __call__(self, values: list[float]) -> None:
        """How far the line has come, and all that was lost on it."""
        view = self._look()
        values[self._phase] = view.phase
        for index, name in self._counts:
            values[index] = getattr(view.counters, name)
