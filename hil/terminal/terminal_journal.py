"""What an emulated terminal tells its operator: one line an edge, as text or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hal.sample import TermFlag
from hal.terminal_registers import TermFault, TermRegister
from hil.bench_link.session_values import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.terminal.terminal_port import ServedTerminal

_NS_PER_S = 1e9
_T = TermRegister
_SYNC = int(TermFlag.SYNC)


class TerminalJournal:
    """A `Watcher` that tells what changed.

    Args:
        name: of the port, told once it is open.
        write: takes one line.
        start_ns: monotonic time that counts as second 0.
    """

    def __init__(
        self, name: str, write: Callable[[str], None], start_ns: int, *, as_json: bool
    ) -> None:
        self._name: str | None = name
        self._write = write
        self._start_ns = start_ns
        self._as_json = as_json
        self._shown: dict[str, Any] = {
            "node": Phase.WAITING.value,
            "target": 0,
            "laser": 0,
            "sync": 0,
            "faults": "",
        }

    def tell(self, now_ns: int, **found: Any) -> None:
        """One line."""
        t_s = (now_ns - self._start_ns) / _NS_PER_S
        if self._as_json:
            self._write(json.dumps({"t_s": round(t_s, 3), **found}))
        else:
            said = ", ".join(f"{name} {value}" for name, value in found.items())
            self._write(f"{t_s:10.3f}  {said}")

    def look(self, terminal: ServedTerminal, now_ns: int) -> None:
        """See `Watcher`."""
        if self._name is not None:
            self.tell(now_ns, terminal=self._name)
            self._name = None
        words = terminal.core.read(_T.TARGET_ID, _T.FAULT - _T.TARGET_ID + 1, now_ns)
        assert isinstance(words, list)
        refusal = terminal.session.refusal
        node = terminal.session.phase.value
        now = {
            "node": node if refusal is None else f"refused: {refusal.name.lower()}",
            "target": words[0],
            "laser": words[_T.LASER_ENABLE - _T.TARGET_ID],
            "sync": int(bool(words[_T.FLAGS - _T.TARGET_ID] & _SYNC)),
            "faults": _names(words[-1]),
        }
        changed = {name: value for name, value in now.items() if value != self._shown[name]}
        if changed:
            self._shown = now
            self.tell(now_ns, **changed)


def _names(faults: int) -> str:
    return " ".join(fault.name.lower() for fault in TermFault if faults & fault)
