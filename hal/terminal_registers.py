"""The register map of a laser terminal: numbers, access, ranges, units.

The Python face of native/include/terminal_registers.h, which is the manual; a test holds the two
together. A register is one unsigned 32-bit word, a signed quantity is two's complement in it.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple

from hal.sample import HalErrorKind

TERM_MAP_VERSION = 1
TERM_MAGIC = 0x4C54524D
"""The letters LTRM."""
TERM_ABSENT = 0x80000000
"""What a register reads as that a terminal does not have, or whose value it does not know now."""
TERM_RESET_KEY = 0x5AFE0FF0
TERM_SILENCE_NS = 1_000_000_000
"""Without any message from the node for so long a terminal goes dark."""
_WORD = 1 << 32
_SIGN = 1 << 31


class TermRegister(IntEnum):
    """Register numbers; the unit is the last part of a name."""

    MAGIC = 0
    MAP_VERSION = 1
    VENDOR = 2
    SERIAL = 3
    FRAME_BYTES_MAX = 4
    TX_FIFO_FRAMES = 5
    RX_FIFO_FRAMES = 6
    LINE_RATE_KBPS = 7
    TARGET_ID = 8
    LASER_ENABLE = 9
    INHIBIT = 10
    AZIMUTH_UDEG = 11
    ELEVATION_UDEG = 12
    SCAN_URAD = 13
    TX_POWER_PERMILLE = 14
    RESET = 15
    FLAGS = 16
    FAULT = 17
    RX_POWER_MDBM = 18
    TX_POWER_MW = 19
    AZIMUTH_NOW_UDEG = 20
    ELEVATION_NOW_UDEG = 21
    POINTING_ERROR_URAD = 22
    LOCK_COUNT = 23
    LOCK_LOSSES = 24
    LASER_MDEGC = 25
    DETECTOR_MDEGC = 26
    MOUNT_MDEGC = 27
    ELECTRONICS_MDEGC = 28
    TX_CREDIT = 29
    TX_FRAMES = 30
    TX_REJECTED = 31
    RX_FRAMES = 32
    RX_OVERFLOW = 33
    RX_PENDING = 34
    UPTIME_S = 35
    POWER_MW = 36


TERM_REG_COUNT = len(TermRegister)


class TermFault(IntEnum):
    """Masks of `TermRegister.FAULT`."""

    LASER = 1 << 0
    DETECTOR = 1 << 1
    MOUNT = 1 << 2
    OVERHEAT = 1 << 3
    NODE_SILENT = 1 << 4
    INTERNAL = 1 << 5


FAULTS_OF_ITS_OWN = sum(TermFault) & ~TermFault.NODE_SILENT
"""While one of these is set a terminal shows `TermFlag.FAULT`, too."""


class Access(Enum):
    """Who may write a register."""

    RO = "RO"
    RW = "RW"
    WO = "WO"


class Writable(NamedTuple):
    """What the node may write, as signed numbers, both ends included."""

    access: Access
    least: int
    most: int


_T = TermRegister
WRITABLE: dict[TermRegister, Writable] = {
    _T.TARGET_ID: Writable(Access.RW, 0, 65535),
    _T.LASER_ENABLE: Writable(Access.RW, 0, 1),
    _T.INHIBIT: Writable(Access.RW, 0, 1),
    _T.AZIMUTH_UDEG: Writable(Access.RW, -180_000_000, 180_000_000),
    _T.ELEVATION_UDEG: Writable(Access.RW, -90_000_000, 90_000_000),
    _T.SCAN_URAD: Writable(Access.RW, 0, 20_000),
    _T.TX_POWER_PERMILLE: Writable(Access.RW, 0, 1000),
    _T.RESET: Writable(Access.WO, TERM_RESET_KEY, TERM_RESET_KEY),
}
"""Every other register is read only."""

SIGNED = frozenset(
    {
        _T.AZIMUTH_UDEG,
        _T.ELEVATION_UDEG,
        _T.RX_POWER_MDBM,
        _T.AZIMUTH_NOW_UDEG,
        _T.ELEVATION_NOW_UDEG,
        _T.LASER_MDEGC,
        _T.DETECTOR_MDEGC,
        _T.MOUNT_MDEGC,
        _T.ELECTRONICS_MDEGC,
    }
)


def access_of(register: TermRegister) -> Access:
    """Who may write it."""
    writable = WRITABLE.get(register)
    return Access.RO if writable is None else writable.access


def judge_write(register: int, value: int) -> HalErrorKind | None:
    """Why a write is refused, or None when it is allowed.

    `value` may be signed or the word. RANGE: no such register or not a value of it; PERM: only
    read. The same verdict as terminal_register_check() in C.
    """
    if not 0 <= register < TERM_REG_COUNT:
        return HalErrorKind.RANGE
    writable = WRITABLE.get(TermRegister(register))
    if writable is None:
        return HalErrorKind.PERM
    if not -_SIGN <= value < _WORD:
        return HalErrorKind.RANGE
    signed = value - _WORD if value >= _SIGN else value
    return None if writable.least <= signed <= writable.most else HalErrorKind.RANGE


def to_word(value: int) -> int:
    """A number as it stands in a register; ValueError when it does not fit 32 bits."""
    if not -_SIGN <= value < _WORD:
        raise ValueError(f"{value} does not fit a register")
    return value % _WORD


def from_word(register: int, word: int) -> int | None:
    """The number in a register, or None where the terminal has none."""
    if word == TERM_ABSENT:
        return None
    return word - _WORD if register in SIGNED and word >= _SIGN else word
