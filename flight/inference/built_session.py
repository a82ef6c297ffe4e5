"""One session of a network with weights of its own, and what its golden tiles answer. Pure."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

from flight.inference.integrity import PATTERNS, SOUND, golden_tile, judge_output
from flight.inference.model_manifest import ModelError
from flight.inference.onnx_weights import OnnxError
from flight.inference.weight_bank import WeightBank

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt


class Session(Protocol):
    """A network ready to run."""

    def run(self, pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """Return the probability (H, W) of a tile; raises ``ModelError``."""
        ...


class Built:
    """One session with weights of its own and the answers it gave when it was fresh."""

    def __init__(
        self,
        model: bytes,
        make: Callable[[bytes, WeightBank], Session],
        lay_out: Callable[[bytes], bytes],
    ) -> None:
        model = lay_out(model)
        try:
            self.bank = WeightBank(model)
        except OnnxError as error:
            raise ModelError(f"network does not load: {error}") from error
        self.session = make(model, self.bank)

    def golden_crcs(self, side_px: int, bands: Sequence[str]) -> tuple[int, ...]:
        """CRC-32 of the answers to every golden tile, exact to the bit."""
        return tuple(zlib.crc32(self._golden(side_px, pattern, bands)) for pattern in PATTERNS)

    def _golden(self, side_px: int, pattern: int, bands: Sequence[str]) -> bytes:
        """Raises ``ModelError`` for an answer that no picture gets of a sound network."""
        answer = self.session.run(golden_tile(side_px, pattern, bands=bands))
        verdict = judge_output(answer, (side_px, side_px))
        if verdict not in SOUND:
            raise ModelError(f"golden tile: answer is {verdict.value}")
        return answer.tobytes()
