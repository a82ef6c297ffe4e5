"""A laser terminal on a serial line: who it is, asked with the client that flies. It stays dark."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flight.base.clock import LoopClock
from flight.doctor.finding import Finding, found
from hal.terminal_line import TerminalLine
from hal.terminal_registers import TermRegister
from hal.terminal_values import LinePhase, TerminalLineView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flight.board_config import FlyConfig

WAIT_NS, STEP_NS = 3_000_000_000, 20_000_000
"""A terminal is greeted several times in that long."""
REMEDY = "see docs/terminal.md; a node that flies has the line to itself"
SILENT = {
    LinePhase.CLOSED: "not there, denied, or somebody else has it",
    LinePhase.WAITING: "opened, and nobody answers",
    LinePhase.UP: "answers, and does not show its registers",
    LinePhase.REFUSED: "what answers is no terminal of this version of the protocol",
}


def of_terminal(config: FlyConfig) -> Iterator[Finding]:
    """One finding, or none for a node without a terminal on a line."""
    where = config.terminal.line()
    if where is None:
        return
    with TerminalLine(where.device, where.baud) as line:
        view = asyncio.run(_first_map(line))
    if view.regs_t_ns == 0:
        yield found("terminal", f"{where.device}: {SILENT[view.phase]}", REMEDY)
        return
    words = view.registers
    vendor = words[TermRegister.VENDOR].to_bytes(4, "big").decode("ascii", "replace").strip()
    detail = (
        f"{where.device}: {vendor} {words[TermRegister.SERIAL]} answers; frames of up to "
        f"{view.frame_bytes_max} octets, room for {words[TermRegister.TX_FIFO_FRAMES]}"
    )
    yield found("terminal", detail)


async def _first_map(line: TerminalLine) -> TerminalLineView:
    clock = LoopClock()
    until_ns = clock.now_ns() + WAIT_NS
    view = line.look()
    while view.regs_t_ns == 0 and clock.now_ns() < until_ns:
        await clock.sleep_until(clock.now_ns() + STEP_NS)
        view = line.look()
    return view
