"""Verified payloads of the products that are being sent, so that each is read and checked once.

Image -> ground, between store and frames.
"""

from __future__ import annotations


class PayloadCache:
    """Keeps up to `max_bytes`, oldest out first; a single larger payload is kept alone.

    Two or three products are sent at a time (one is overtaken by another), so a few megabytes do.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._payloads: dict[int, bytes] = {}
        self.held_bytes = 0

    def get(self, product_id: int) -> bytes | None:
        """The payload, or None."""
        return self._payloads.get(product_id)

    def put(self, product_id: int, payload: bytes) -> None:
        """Keeps a payload that is not in yet."""
        while self._payloads and self.held_bytes + len(payload) > self._max:
            self.drop(next(iter(self._payloads)))
        self._payloads[product_id] = payload
        self.held_bytes += len(payload)

    def drop(self, product_id: int) -> None:
        """Forgets a payload; unknown ones pass."""
        self.held_bytes -= len(self._payloads.pop(product_id, b""))
