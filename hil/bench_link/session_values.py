"""What a session counts and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """How far two ends have come."""

    WAITING = "waiting"
    UP = "up"
    REFUSED = "refused"


@dataclass(slots=True)
class LinkCounters:
    """Everything that came, left or was lost, since the session object was made."""

    rx_messages: int = 0
    rx_lost: int = 0
    rx_stale: int = 0
    tx_messages: int = 0
    peers_seen: int = 0
    times_down: int = 0
    bits_tested: int = 0
    bit_errors: int = 0
