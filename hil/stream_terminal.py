"""The laser terminal's registers of a node on a line, as the bench answers for them.

The map of backend "sim" over what the bench knows: sensors, actuators and both FIFOs' counters.
What only the node can know (frames it was refused, frames that wait in its own ring) is absent.
Pure.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from hal.fake_terminal import COMMANDS_AT_RESET, VENDOR_SIM, shown_by_sensors
from hal.sample import HalErrorKind
from hal.terminal_registers import (
    TERM_ABSENT,
    TERM_MAGIC,
    TERM_MAP_VERSION,
    TERM_REG_COUNT,
    TermRegister,
    judge_write,
    to_word,
)
from hil.bench_link.messages import RegValues

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hil.bench_link.messages import RegRead, RegWrite

_T = TermRegister
COUNTERS = (_T.TX_FRAMES, _T.RX_FRAMES, _T.RX_OVERFLOW)
"""Run since the terminal's reset."""


class StreamTerminal:
    """Answers requests.

    Args:
        sensors: what every sensor shows, by the names of `SENSOR_FIELDS`.
        live: registers that the bench knows of itself, `COUNTERS` since the start of the node.
    """

    def __init__(
        self, sensors: Mapping[str, int], live: Callable[[], Mapping[TermRegister, int]]
    ) -> None:
        self._sensors = sensors
        self._live = live
        self._held = dict(COMMANDS_AT_RESET)
        self._before = dict.fromkeys(COUNTERS, 0)

    @property
    def inhibited(self) -> bool:
        """Whether the laser is kept dark."""
        return bool(self._held[_T.INHIBIT])

    def power_on(self) -> None:
        """As after power-up; counters begin at nothing with the node."""
        self._held = dict(COMMANDS_AT_RESET)
        self._before = dict.fromkeys(COUNTERS, 0)

    def reset(self) -> None:
        """The same by command: the counters of the bench run on, those shown do not."""
        self.power_on()
        self._before = {register: self._live()[register] for register in COUNTERS}

    def read(self, request: RegRead) -> RegValues:
        """The words asked for; RANGE outside the map."""
        first, count = request.first, request.registers
        if not 0 <= first < first + count <= TERM_REG_COUNT:
            return RegValues(request.id, first, 0, -HalErrorKind.RANGE, b"")
        shown = self._shown()
        words = [shown.get(TermRegister(reg), TERM_ABSENT) for reg in range(first, first + count)]
        return RegValues(request.id, first, count, 0, pack(f"<{count}I", *words))

    def write(self, request: RegWrite) -> tuple[RegValues, bool]:
        """The register read back, and whether the terminal was told to reset.

        PERM for pointing and laser, too: over a line they are actuators.
        """
        refused = judge_write(request.reg, request.value)
        if refused is None and request.reg in (_T.TARGET_ID, _T.LASER_ENABLE):
            refused = HalErrorKind.PERM
        if refused is not None:
            return RegValues(request.id, request.reg, 0, -refused, b""), False
        is_reset = request.reg == _T.RESET
        if is_reset:
            self.reset()
        else:
            self._held[TermRegister(request.reg)] = to_word(request.value)
        word = self._shown()[TermRegister(request.reg)]
        return RegValues(request.id, request.reg, 1, 0, pack("<I", word)), is_reset

    def _shown(self) -> dict[TermRegister, int]:
        live = dict(self._live())
        for register in COUNTERS:
            live[register] = (live[register] - self._before[register]) % (1 << 32)
        return {
            _T.MAGIC: TERM_MAGIC,
            _T.MAP_VERSION: TERM_MAP_VERSION,
            _T.VENDOR: VENDOR_SIM,
            _T.SERIAL: 1,
            **shown_by_sensors(self._sensors),
            **self._held,
            _T.RESET: 0,
            **live,
        }
