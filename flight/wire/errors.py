"""The one error that bytes from outside may cause: every codec of the wire raises it alone."""

from __future__ import annotations

from enum import Enum


class WireReason(Enum):
    """Why bytes were refused; each reason has its own counter at the receiving end."""

    TRUNCATED = "truncated"
    BAD_LENGTH = "bad_length"
    BAD_VERSION = "bad_version"
    BAD_TYPE = "bad_type"
    BAD_CRC = "bad_crc"
    BAD_VALUE = "bad_value"
    TOO_LONG = "too_long"
    TRAILING = "trailing"


class WireError(ValueError):
    """The far end (or the channel) sent bytes that break the format: their fault, never ours."""

    def __init__(self, reason: WireReason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
