"""`lumenode terminal --read DEV`: what a terminal says, through the client that flies."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from hal.sample import TermFlag
from hal.terminal_line import TerminalLine
from hal.terminal_registers import TermFault, TermRegister, from_word
from hal.terminal_values import LinePhase
from hil.bench_link.layout import Refusal

if TYPE_CHECKING:
    from hal.terminal_values import TerminalLineView

EXIT_GOOD, EXIT_FAILED = 0, 1
LOOK_S = 0.02
_FLAGS = {TermRegister.FLAGS: TermFlag, TermRegister.FAULT: TermFault}


def read_terminal(path: str, baud: int, wait_s: float, *, as_json: bool) -> int:
    """Exit code: 0 the map was read, 1 nobody answered within `wait_s`, or not as we do."""
    with TerminalLine(path, baud) as line:
        view = _first_map(line, wait_s)
    if not view.regs_t_ns:
        sys.stderr.write(f"lumenode terminal: {path}: {_reason(view)}\n")
        return EXIT_FAILED
    shown = {register: from_word(register, view.registers[register]) for register in TermRegister}
    if as_json:
        told = {register.name.lower(): value for register, value in shown.items()}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        for register, value in shown.items():
            sys.stdout.write(f"{register.value:3}  {register.name:<20} {said(register, value)}\n")
    return EXIT_GOOD


def said(register: TermRegister, value: int | None) -> str:
    """A register's value for a person."""
    if value is None:
        return "absent"
    if register in {TermRegister.MAGIC, TermRegister.VENDOR}:
        text = value.to_bytes(4, "big").decode("ascii", "replace")
        return f"0x{value:08x} {text!r}"
    if register in _FLAGS:
        names = [bit.name.lower() for bit in _FLAGS[register] if value & bit]
        return " ".join([str(value), *names])
    return str(value)


def _first_map(line: TerminalLine, wait_s: float) -> TerminalLineView:
    end = time.monotonic() + wait_s
    while not (view := line.look()).regs_t_ns and time.monotonic() < end:
        time.sleep(LOOK_S)
    return view


def _reason(view: TerminalLineView) -> str:
    if view.phase is LinePhase.CLOSED:
        return "cannot be opened as a serial port"
    if view.phase is LinePhase.REFUSED:
        known = {int(reason): reason.name.lower() for reason in Refusal}
        return f"the terminal does not fit: another {known.get(view.refusal, view.refusal)}"
    if view.counters.rx_corrupt:
        return f"no terminal: {view.counters.rx_corrupt} messages that cannot be read; baud rate?"
    return "nobody answers"
