"""Wrong bits in frames that arrive: what is left to the node when its terminal corrects nothing."""

from __future__ import annotations

import numpy as np

STREAM = 0xB17
"""Key of the stream below the link's, so that a channel without errors draws nothing."""


class BitErrors:
    """Independent bit errors at one rate, from a stream of their own.

    Args:
        rate: probability that a bit is wrong, 0 to 0.01.
        seeds: of the link.
    """

    def __init__(self, rate: float, seeds: np.random.SeedSequence) -> None:
        own = np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, STREAM))
        self._luck = np.random.Generator(np.random.PCG64(own))
        self._rate = rate
        self.bits_wrong = 0

    def spoil(self, frame: bytes) -> bytes:
        """The frame with its wrong bits."""
        if self._rate <= 0.0:
            return frame
        bits = 8 * len(frame)
        wrong = int(self._luck.binomial(bits, self._rate))
        if wrong == 0:
            return frame
        self.bits_wrong += wrong
        spoilt = bytearray(frame)
        for at in self._luck.choice(bits, wrong, replace=False):
            spoilt[at >> 3] ^= 1 << (at & 7)
        return bytes(spoilt)
