"""What the emulator tells: edges, once each."""

from __future__ import annotations

import json
from types import SimpleNamespace

from hal.terminal_registers import TermRegister
from hil.bench_link.layout import Refusal
from hil.bench_link.session_values import Phase
from hil.terminal.terminal_core import Identity, Sight, TerminalCore
from hil.terminal.terminal_journal import TerminalJournal

S = 1_000_000_000


class StillHead:
    def __init__(self) -> None:
        self.identity = Identity()
        self.sight = Sight()

    def step(self, told, take, now_ns):
        return self.sight

    def reset(self, now_ns):
        pass


def watched(*, as_json: bool = True):
    head = StillHead()
    core = TerminalCore(head, 0)
    session = SimpleNamespace(phase=Phase.WAITING, refusal=None)
    lines: list[str] = []
    journal = TerminalJournal("/dev/x", lines.append, 0, as_json=as_json)
    return SimpleNamespace(core=core, session=session), head, journal, lines


def test_the_port_is_told_first_and_nothing_twice() -> None:
    terminal, _, journal, lines = watched()
    for second in range(3):
        journal.look(terminal, second * S)
    assert [json.loads(line) for line in lines] == [{"t_s": 0.0, "terminal": "/dev/x"}]


def test_what_changes_is_told_together() -> None:
    terminal, head, journal, lines = watched()
    journal.look(terminal, 0)
    terminal.session.phase = Phase.UP
    terminal.core.write(TermRegister.TARGET_ID, 4, 0)
    terminal.core.write(TermRegister.LASER_ENABLE, 1, 0)
    journal.look(terminal, S)
    head.sight = Sight({TermRegister.FLAGS: 8}, faults=4)
    terminal.core.step(0)
    journal.look(terminal, 2 * S)
    terminal.session.refusal = Refusal.ABI
    journal.look(terminal, 3 * S)
    told = [json.loads(line) for line in lines[1:]]
    assert told == [
        {"t_s": 1.0, "node": "up", "target": 4, "laser": 1},
        {"t_s": 2.0, "sync": 1, "faults": "mount"},
        {"t_s": 3.0, "node": "refused: abi"},
    ]


def test_as_text_a_line_is_a_time_and_what_happened() -> None:
    terminal, _, journal, lines = watched(as_json=False)
    journal.look(terminal, 1500 * S // 1000)
    assert lines == ["     1.500  terminal /dev/x"]
