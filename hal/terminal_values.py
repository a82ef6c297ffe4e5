"""A laser terminal on a serial line: where it is, and what is known of it and of its line.

Values of native/include/term_link.h, which says how the line is kept.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hal.native_library import ffi
from hal.terminal_registers import TERM_REG_COUNT

BAUD = 921_600


class SerialTerminal(msgspec.Struct, frozen=True):
    """Where a terminal is.

    Attributes:
        device: a serial device or a pseudo-terminal; one that is absent may come later.
        baud: bit/s, 8N1; 0 leaves the port as it is.
    """

    device: str
    baud: Annotated[int, Meta(ge=0, le=4_000_000)] = BAUD


class LinePhase(IntEnum):
    """How far the line has come."""

    CLOSED = 0
    WAITING = 1
    UP = 2
    REFUSED = 3


class TerminalLineCounters(msgspec.Struct, frozen=True):
    """What was done and what was lost since opening; meanings in term_link.h."""

    polls: int
    polls_lost: int
    writes: int
    writes_refused: int
    writes_repeated: int
    writes_lost: int
    tx_by_light: int
    tx_flushed: int
    rx_overflow: int
    sessions: int
    line_losses: int
    rx_corrupt: int
    rx_lost: int


class TerminalLineView(msgspec.Struct, frozen=True):
    """What is known of the terminal at one instant.

    Attributes:
        refusal: `enum link_refusal` of bench_link.h, 0 for none.
        regs_t_ns: monotonic time at which the registers were read, 0 for not in this session.
        frame_bytes_max: longest frame that the terminal takes, 0 before a session.
        writes_pending: on their way, not yet answered.
    """

    phase: LinePhase
    refusal: int
    regs_t_ns: int
    registers: tuple[int, ...]
    frame_bytes_max: int
    writes_pending: int
    counters: TerminalLineCounters


def view_of(view: Any) -> TerminalLineView:
    """The values of C's `struct term_link_view *`."""
    counters = (getattr(view.counters, name) for name in TerminalLineCounters.__struct_fields__)
    return TerminalLineView(
        phase=LinePhase(view.phase),
        refusal=view.refusal,
        regs_t_ns=view.regs_t_ns,
        registers=tuple(ffi.unpack(view.regs, TERM_REG_COUNT)),
        frame_bytes_max=view.frame_bytes_max,
        writes_pending=view.writes_pending,
        counters=TerminalLineCounters(*counters),
    )
