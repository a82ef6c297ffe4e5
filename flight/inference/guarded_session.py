"""A network and the care around it: answers that can be trusted, or none. Pure.

What a run is held against, from cheap to dear: the weights it came from (CRC of live memory), its
own plausibility, a corner of the tile computed again (`patch_check`), golden tiles whose answers
are known to the bit, a second session with weights of its own. The first doubt starts the ladder:
weights put right and run again, session built again from the stored copy and run again, and at the
top the worker gives up; what comes after that (a new process, the second stored copy, refusal) is
its master's (`engine_trouble`).

An output that is implausible twice, from weights and a session that are both proved sound, is the
picture's own doing: it is no soft error and is told as what it is.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from flight.inference.built_session import Built
from flight.inference.integrity import PATTERNS, golden_passes, golden_tile, judge_output
from flight.inference.job import BANDS, Care, Plausibility
from flight.inference.model_manifest import ModelError
from flight.inference.patch_check import patch_check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    from flight.inference.built_session import Session
    from flight.inference.model_manifest import Golden
    from flight.inference.weight_bank import WeightBank

SCRUB_BYTES = 512 * 1024
"""Looked over after each run: all of a small network in about 0.1 ms, a slice of a large one."""
TRUE_SIDE_PX = 32


class DistrustError(ModelError):
    """No answer of this session can be trusted any more; the message says what failed."""


class Doubt(Enum):
    """Why an answer was looked at twice."""

    WEIGHTS = "weights differ from the stored copy"
    OUTPUT = "output is implausible"
    GOLDEN = "golden tile has another answer than at the start"
    TWIN = "a second session answers otherwise"
    PATCH = "a corner computed again has another answer"


@dataclass(slots=True)
class _Tally:
    """What the care has cost and found since it was last asked."""

    repaired: int = 0
    reruns: int = 0
    rebuilds: int = 0
    doubts: set[Doubt] = field(default_factory=set)


class GuardedSession:
    """Runs one network under guard.

    Args:
        model: the verified network.
        golden: its manifest's known answer, or None where there is none yet.
        make: builds a session that computes from the bank given.
        lay_out: makes of a network what `make` is given, weights where the machine likes them.
        bands: of a tile, by name.
        multiple_px: what a tile's sides are multiples of.
        scrub_bytes: of weights looked over after each run.
    """

    def __init__(  # noqa: PLR0913  what a guard consists of
        self,
        model: bytes,
        golden: Golden | None,
        make: Callable[[bytes, WeightBank], Session],
        lay_out: Callable[[bytes], bytes] = bytes,
        *,
        bands: Sequence[str] = BANDS,
        multiple_px: int = 4,
        scrub_bytes: int = SCRUB_BYTES,
    ) -> None:
        """Raises ``ModelError``: does not load, or fails its golden tile."""
        self._model, self._model_crc = model, zlib.crc32(model)
        self._golden, self._bands = golden, bands
        self._make, self._lay_out = make, lay_out
        self._side_px = -(-TRUE_SIDE_PX // multiple_px) * multiple_px
        self._scrub_bytes = scrub_bytes
        self._tally = _Tally()
        self._twin: Built | None = None
        self._next_pattern = 0
        self._main = self._fresh()
        self._true_crcs = self._main.golden_crcs(self._side_px, bands)
        self._patch = patch_check(self._main.session.run, bands=bands, multiple_px=multiple_px)
        self._exact = self._main.golden_crcs(self._side_px, bands) == self._true_crcs
        """Not on every GPU: there the manifest's tolerance is all that can be held against."""

    @property
    def bank(self) -> WeightBank:
        """The live weights; for who injects faults."""
        return self._main.bank

    def bare(self, pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """What the session says, with nothing looked at: for comparison."""
        return self._main.session.run(pixels)

    def golden_all(self) -> bool:
        """Whether every golden tile has the answer that it had at the start."""
        try:
            return self._main.golden_crcs(self._side_px, self._bands) == self._true_crcs
        except ModelError:
            return False

    def run(
        self, pixels: npt.NDArray[np.uint16], *, twice: bool = False
    ) -> tuple[npt.NDArray[np.float32], Care]:
        """Return the probability (H, W) and what it took; raises ``ModelError``.

        ``twice`` has a second session, with weights of its own, confirm the answer.
        """
        self._tally = _Tally()
        answer = self._main.session.run(pixels)
        doubts = self._doubts(pixels, answer, corner=not twice)
        if twice and not doubts and not _same(self._second().session.run(pixels), answer):
            doubts.add(Doubt.TWIN)
        if doubts:
            answer = self._climb(pixels, answer, doubts)
        return answer, self._care(twice=twice)

    def self_test(self) -> bool:
        """Run the next golden tile; False if its answer is another than at the start."""
        if not self._exact:
            return self._golden_passes(self._main)
        pattern = self._next_pattern
        self._next_pattern = (pattern + 1) % len(PATTERNS)
        tile = golden_tile(self._side_px, pattern, bands=self._bands)
        return zlib.crc32(self._main.session.run(tile).tobytes()) == self._true_crcs[pattern]

    def check(self) -> Care:
        """Golden tile and a look at all weights outside any run; raises ``DistrustError``."""
        self._tally = _Tally()
        found = self._main.bank.scrub_whole()
        self._tally.repaired += found.repaired
        if not self._main.bank.size_bytes:
            self._rebuild()  # all that can be done for weights that only the runtime holds
        elif found.damaged != found.repaired or not self.self_test():
            self._tally.doubts.add(Doubt.GOLDEN)
            self._rebuild()
        return self._care(twice=False)

    def _doubts(
        self, pixels: npt.NDArray[np.uint16], answer: npt.NDArray[np.float32], *, corner: bool
    ) -> set[Doubt]:
        found = set()
        scrubbed = self._main.bank.scrub(self._scrub_bytes)
        if scrubbed.damaged:
            self._tally.repaired += scrubbed.repaired
            found.add(Doubt.WEIGHTS)
        if judge_output(answer, _shape(pixels)) is not Plausibility.PLAUSIBLE:
            found.add(Doubt.OUTPUT)
        elif corner and not found and self._apart(pixels, answer):
            found.add(Doubt.PATCH)
        return found

    def _apart(self, pixels: npt.NDArray[np.uint16], answer: npt.NDArray[np.float32]) -> float:
        """By how much a corner computed again differs, 0 within the tolerance."""
        if self._patch is None:
            return 0.0
        apart = self._patch.apart(self._main.session.run, pixels, answer)
        return apart if apart > self._patch.tolerance else 0.0

    def _climb(
        self, pixels: npt.NDArray[np.uint16], first: npt.NDArray[np.float32], doubts: set[Doubt]
    ) -> npt.NDArray[np.float32]:
        """The ladder: again from weights put right, then again from a new session, then no more."""
        self._tally.doubts |= doubts
        for rung in (self._put_right, self._rebuild):
            if not rung():
                continue
            self._tally.reruns += 1
            answer = self._main.session.run(pixels)
            if judge_output(answer, _shape(pixels)) is Plausibility.PLAUSIBLE:
                if Doubt.PATCH in doubts:
                    if self._settled(pixels, answer, first):
                        return answer
                elif Doubt.TWIN not in doubts or _same(self._second().session.run(pixels), answer):
                    return answer
            elif doubts == {Doubt.OUTPUT} and _same(answer, first):
                return answer  # twice the same from sound weights: the picture's own doing
        raise DistrustError("no trust in the answer: " + ", ".join(sorted(d.value for d in doubts)))

    def _settled(
        self, pixels: npt.NDArray[np.uint16], answer: npt.NDArray[np.float32],
        first: npt.NDArray[np.float32],
    ) -> bool:  # fmt: skip
        """Whether a tile run again may be believed although a corner had another answer.

        Twice the same, from sound weights: then patch and tile differ by more than was measured at
        the start, and not by a fault.
        """
        assert self._patch is not None
        apart = self._apart(pixels, answer)
        if apart and _same(answer, first):
            self._patch.excuse(apart)
            return True
        return not apart

    def _put_right(self) -> bool:
        """All weights looked over; whether they are sound now and the golden tile agrees."""
        sound = True
        for built in filter(None, (self._main, self._twin)):
            found = built.bank.scrub_whole()
            self._tally.repaired += found.repaired
            sound = sound and found.damaged == found.repaired
        return sound and self.self_test()

    def _rebuild(self) -> bool:
        """A new session from the stored copy; raises ``DistrustError`` if that is no good."""
        self._tally.rebuilds += 1
        if zlib.crc32(self._model) != self._model_crc:
            raise DistrustError("the stored copy of the network fails its CRC")
        self._twin = None
        try:
            self._main = self._fresh()
            again = self._main.golden_crcs(self._side_px, self._bands)
        except DistrustError:
            raise
        except ModelError as error:
            raise DistrustError(f"rebuilt session: {error}") from error
        if self._exact and again != self._true_crcs:
            raise DistrustError("rebuilt session: golden tile has another answer")
        return True

    def _fresh(self) -> Built:
        built = Built(self._model, self._make, self._lay_out)
        if not self._golden_passes(built):
            raise ModelError("golden tile: answer is not the manifest's")
        return built

    def _golden_passes(self, built: Built) -> bool:
        if self._golden is None:
            return True  # its own first answers are judged instead
        tile = golden_tile(self._golden.side_px, bands=self._bands)
        return golden_passes(self._golden, built.session.run(tile))

    def _second(self) -> Built:
        if self._twin is None:
            self._twin = self._fresh()
        found = self._twin.bank.scrub(self._scrub_bytes)
        self._tally.repaired += found.repaired
        return self._twin

    def _care(self, *, twice: bool) -> Care:
        tally = self._tally
        return Care(
            repaired=tally.repaired,
            reruns=tally.reruns,
            rebuilds=tally.rebuilds,
            confirmed=twice,
            doubt=", ".join(sorted(doubt.value for doubt in tally.doubts)),
        )


def _shape(pixels: npt.NDArray[np.uint16]) -> tuple[int, int]:
    return pixels.shape[0], pixels.shape[1]


def _same(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> bool:
    return one.tobytes() == other.tobytes()
