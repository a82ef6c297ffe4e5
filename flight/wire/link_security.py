"""Link security after CCSDS 355.0-B-2 (SDLS): what a frame's security header and MAC say.

AES-256-GCM over each frame. The security header is 14 octets: SPI (2) and IV (12). The SPI names
the security association: key epoch and direction, so that the two directions never share a key
and a key change needs no silence. The IV is the deterministic construction of NIST SP 800-38D
section 8.2.1: a fixed field (SPI, SCID) and an invocation counter from a `CounterReserve`.
Authenticated: everything before the packets (primary, security and data field header).
Encrypted and authenticated: the packets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.wire.transfer_frame import Direction

KEY_BYTES = 32
EPOCH_MAX = 0x7FFE
"""SPI 0 and 65,535 are reserved by the standard, so epochs run from 1 to here."""


class SecurityVerdict(Enum):
    """What became of a received frame. Everything but OK is a loss, and is counted as such."""

    OK = "ok"
    BAD_LENGTH = "bad_length"
    BAD_FECF = "bad_fecf"
    BAD_HEADER = "bad_header"
    UNKNOWN_SPI = "unknown_spi"
    WRONG_CHANNEL = "wrong_channel"
    BAD_MAC = "bad_mac"
    REPLAYED = "replayed"
    BAD_PACKETS = "bad_packets"


MALFORMED = frozenset(
    {
        SecurityVerdict.BAD_LENGTH,
        SecurityVerdict.BAD_FECF,
        SecurityVerdict.BAD_HEADER,
        SecurityVerdict.BAD_PACKETS,
    }
)
"""Verdicts about broken bytes; the others, OK apart, are about bytes we must not believe."""


@dataclass(frozen=True, slots=True)
class SecurityAssociation:
    """One key for one direction during one epoch. The key never shows in a repr.

    Raises:
        ValueError: a key that is not 32 octets, an epoch out of 1..`EPOCH_MAX`.
    """

    direction: Direction
    epoch: int
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"a link key has {KEY_BYTES} octets, not {len(self.key)}")
        if not 1 <= self.epoch <= EPOCH_MAX:
            raise ValueError(f"key epoch {self.epoch} is not in 1..{EPOCH_MAX}")

    @property
    def spi(self) -> int:
        """Security parameter index: twice the epoch, plus one for the uplink."""
        return self.epoch << 1 | self.direction

    def cipher(self) -> AESGCM:
        """A cipher with this key, its schedule computed once."""
        return AESGCM(self.key)


@dataclass(slots=True)
class FrameLedger:
    """Every frame received, by verdict: received = accepted + rejected + malformed, always."""

    by_verdict: dict[SecurityVerdict, int] = field(
        default_factory=lambda: dict.fromkeys(SecurityVerdict, 0)
    )

    def book(self, verdict: SecurityVerdict) -> None:
        """Counts one received frame."""
        self.by_verdict[verdict] += 1

    @property
    def received(self) -> int:
        """All frames, good or bad."""
        return sum(self.by_verdict.values())

    @property
    def accepted(self) -> int:
        """Frames that passed every check."""
        return self.by_verdict[SecurityVerdict.OK]

    @property
    def malformed(self) -> int:
        """Frames whose bytes are broken."""
        return sum(self.by_verdict[verdict] for verdict in MALFORMED)

    @property
    def rejected(self) -> int:
        """Whole frames that are not to be believed: foreign, forged or replayed."""
        return self.received - self.accepted - self.malformed

    def snapshot(self) -> Mapping[str, int]:
        """Counts by verdict name, in the order of the enum."""
        return {verdict.value: count for verdict, count in self.by_verdict.items()}
