"""What every laser terminal does, whatever its optics: registers, frame FIFOs, and going dark.

Pure of time. A `Head` is the hardware behind it: the emulator's model, or a lab's own. The rules
are those of native/include/terminal_registers.h; docs/terminal.md tells them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from hal.sample import HalErrorKind, TermFlag
from hal.terminal_registers import (
    FAULTS_OF_ITS_OWN,
    TERM_ABSENT,
    TERM_MAGIC,
    TERM_MAP_VERSION,
    TERM_REG_COUNT,
    TERM_SILENCE_NS,
    TermFault,
    TermRegister,
    judge_write,
    to_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_T = TermRegister
_NS_PER_S = 1_000_000_000
_WORD = 1 << 32
DARK_FAULTS = TermFault.LASER | TermFault.OVERHEAT
_DEFAULTS = {
    _T.TARGET_ID: 0,
    _T.INHIBIT: 0,
    _T.AZIMUTH_UDEG: 0,
    _T.ELEVATION_UDEG: 0,
    _T.SCAN_URAD: 500,
    _T.TX_POWER_PERMILLE: 1000,
}


class Identity(NamedTuple):
    """What a terminal says about itself; `vendor` is four ASCII letters."""

    vendor: str = "EMUL"
    serial: int = 1
    frame_bytes_max: int = 65542
    tx_fifo_frames: int = 32
    rx_fifo_frames: int = 32


class Told(NamedTuple):
    """What the head shall do now."""

    target_id: int
    laser_on: bool
    azimuth_udeg: int
    elevation_udeg: int
    scan_urad: int
    tx_power_permille: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What the head shows. A register that is not in `readings` reads as absent."""

    readings: Mapping[TermRegister, int] = field(default_factory=dict)
    """Signed numbers: flags, received power, mount, temperatures, line rate, electrical power."""
    faults: int = 0
    """Bits of `TermFault`."""
    received: Sequence[bytes] = ()
    """Frames that came by light since the last step."""


class Head(Protocol):
    """The hardware of a terminal; two verbs, and who it is."""

    identity: Identity

    def step(self, told: Told, take: Callable[[], bytes | None], now_ns: int) -> Sight:
        """Advance to `now_ns`; `take()` gives the next frame to send by light, None without one."""
        ...

    def reset(self, now_ns: int) -> None:
        """The terminal was reset: dark and stowed, the lock counts at zero."""
        ...


@dataclass(slots=True)
class CoreCounters:
    """Since the program started; the registers show them since the last reset."""

    tx_frames: int = 0
    tx_rejected: int = 0
    tx_flushed: int = 0
    rx_frames: int = 0
    rx_overflow: int = 0
    rx_flushed: int = 0
    silences: int = 0
    resets: int = 0
    head_failures: int = 0


class TerminalCore:
    """One terminal. Whoever serves it calls `heard` for every message of the node and `step`.

    Attributes:
        received: frames that wait for the node.
        head_failure: what the head raised last; empty: never.
    """

    def __init__(self, head: Head, now_ns: int) -> None:
        self.identity = head.identity
        self.counters = CoreCounters()
        self.received: deque[bytes] = deque()
        self.head_failure = ""
        self._head = head
        self._tx: deque[bytes] = deque()
        self._told = dict(_DEFAULTS)
        self._laser_on = False
        self._heard_ns = now_ns
        self._silent = False
        self._sight = Sight()
        self._reset_ns = now_ns
        self._before = CoreCounters()

    @property
    def tx_free(self) -> int:
        """Frames it would take now."""
        return self.identity.tx_fifo_frames - len(self._tx)

    def heard(self, now_ns: int) -> None:
        """The node said something."""
        self._heard_ns = now_ns
        self._silent = False

    def node_restarted(self) -> None:
        """A new session of the node: dark, and what the old one handed over is void."""
        self._laser_on = False
        self._flush_tx()

    def step(self, now_ns: int) -> None:
        """One look at the head; the dark rules are applied before it acts and after it spoke."""
        if now_ns - self._heard_ns >= TERM_SILENCE_NS and not self._silent:
            self._silent = True
            self.counters.silences += 1
            self._laser_on = False
        self._sight = self._look(now_ns)
        if self._sight.faults & DARK_FAULTS:
            self._laser_on = False
        for frame in self._sight.received:
            self.counters.rx_frames += 1
            if len(self.received) < self.identity.rx_fifo_frames:
                self.received.append(frame)
            else:
                self.counters.rx_overflow += 1

    def _look(self, now_ns: int) -> Sight:
        """A step of the head; a lab's own that raises is told to be dark from the next one on."""
        try:
            return self._head.step(self._command(), self._take, now_ns)
        except Exception as error:  # noqa: BLE001  whatever it was, the terminal goes dark and on
            self.head_failure = f"{type(error).__name__}: {error}"
            self.counters.head_failures += 1
            self._laser_on = False
            return Sight(faults=TermFault.INTERNAL)

    def read(self, first: int, count: int, now_ns: int) -> list[int] | HalErrorKind:
        """`count` words from `first` on, or RANGE."""
        if not 0 <= first < first + count <= TERM_REG_COUNT:
            return HalErrorKind.RANGE
        shown = self._shown(now_ns)
        return [shown.get(TermRegister(reg), TERM_ABSENT) for reg in range(first, first + count)]

    def write(self, register: int, value: int, now_ns: int) -> HalErrorKind | None:
        """Why it was refused, or None: it is done."""
        refused = judge_write(register, value)
        if refused is not None:
            return refused
        if register == _T.RESET:
            self._reset(now_ns)
        elif register == _T.LASER_ENABLE:
            dark = self._told[_T.INHIBIT] or self._sight.faults & DARK_FAULTS
            self._laser_on = bool(value) and not dark
        else:
            self._told[TermRegister(register)] = to_word(value)
            if register == _T.INHIBIT and value:
                self._laser_on = False
        return None

    def submit(self, frame: bytes) -> bool:
        """Takes a frame into the transmit FIFO; False when it was refused, and counted."""
        if not 1 <= len(frame) <= self.identity.frame_bytes_max or self.tx_free == 0:
            self.counters.tx_rejected += 1
            return False
        self._tx.append(frame)
        return True

    def reject(self, frames: int) -> None:
        """Frames that came damaged or not at all over the line."""
        self.counters.tx_rejected += frames

    def _take(self) -> bytes | None:
        if not self._tx:
            return None
        self.counters.tx_frames += 1
        return self._tx.popleft()

    def _flush_tx(self) -> None:
        self.counters.tx_flushed += len(self._tx)
        self._tx.clear()

    def _reset(self, now_ns: int) -> None:
        self._laser_on = False
        self._told = dict(_DEFAULTS)
        self._flush_tx()
        self.counters.rx_flushed += len(self.received)
        self.received.clear()
        self.counters.resets += 1
        self._before = CoreCounters(*(getattr(self.counters, n) for n in CoreCounters.__slots__))
        self._reset_ns = now_ns
        self._head.reset(now_ns)
        self._sight = Sight()

    def _signed(self, register: TermRegister) -> int:
        word = self._told[register]
        return word - _WORD if word >= _WORD // 2 else word

    def _command(self) -> Told:
        return Told(
            target_id=self._told[_T.TARGET_ID],
            laser_on=self._laser_on,
            azimuth_udeg=self._signed(_T.AZIMUTH_UDEG),
            elevation_udeg=self._signed(_T.ELEVATION_UDEG),
            scan_urad=self._told[_T.SCAN_URAD],
            tx_power_permille=self._told[_T.TX_POWER_PERMILLE],
        )

    def _shown(self, now_ns: int) -> dict[TermRegister, int]:
        identity, counters, before = self.identity, self.counters, self._before
        own = self._sight.faults & FAULTS_OF_ITS_OWN
        faulty = TermFlag.FAULT if own else 0
        shown = {register: to_word(value) for register, value in self._sight.readings.items()}
        shown[_T.FLAGS] = shown.get(_T.FLAGS, 0) & ~TermFlag.FAULT | faulty
        return shown | {
            **self._told,
            _T.MAGIC: TERM_MAGIC,
            _T.MAP_VERSION: TERM_MAP_VERSION,
            _T.VENDOR: int.from_bytes(identity.vendor.encode("ascii"), "big"),
            _T.SERIAL: identity.serial,
            _T.FRAME_BYTES_MAX: identity.frame_bytes_max,
            _T.TX_FIFO_FRAMES: identity.tx_fifo_frames,
            _T.RX_FIFO_FRAMES: identity.rx_fifo_frames,
            _T.LASER_ENABLE: int(self._laser_on),
            _T.RESET: 0,
            _T.FAULT: own | (TermFault.NODE_SILENT if self._silent else 0),
            _T.TX_CREDIT: self.tx_free,
            _T.TX_FRAMES: (counters.tx_frames - before.tx_frames) % _WORD,
            _T.TX_REJECTED: (counters.tx_rejected - before.tx_rejected) % _WORD,
            _T.RX_FRAMES: (counters.rx_frames - before.rx_frames) % _WORD,
            _T.RX_OVERFLOW: (counters.rx_overflow - before.rx_overflow) % _WORD,
            _T.RX_PENDING: len(self.received),
            _T.UPTIME_S: (now_ns - self._reset_ns) // _NS_PER_S % _WORD,
        }
