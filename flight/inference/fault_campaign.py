"""Faults put in on purpose, and what became of them: the proof of the guard. Pure.

Each trial flips bits in one place, runs one picture through the guarded session that flies, and
compares with the clean answer. Trials are drawn from the seed by SHA-256 alone, so that the same
seed gives the same faults on every machine and the same verdicts on every machine that computes
alike.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.fault_score import CORRUPT_SHARE, Score
from flight.inference.guarded_session import DistrustError, GuardedSession
from flight.inference.integrity import judge_output
from flight.inference.job import Plausibility
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from flight.inference.built_session import Session
    from flight.inference.model_manifest import Golden
    from flight.inference.weight_bank import WeightBank

BURST_BITS_MAX = 8


class Place(Enum):
    """Where a fault is put in; the value is what people read."""

    WEIGHT = "one bit of a live weight, staying"
    EXPONENT = "one exponent bit of a live float32 weight, staying"
    BURST = "2 to 8 bits in a row of live weights, staying"
    PASSING = "one bit of a weight for one run only"
    PASSING_TWICE = "the same, in a tile that is run twice"
    INPUT = "one bit of the tile between camera and network"
    ANSWER = "one bit of the answer between worker and flight process"


STAYING = (Place.WEIGHT, Place.EXPONENT, Place.BURST)
"""A flip in a weight stays until somebody writes the weight again."""


class FaultCampaign:
    """Runs faults against one network.

    Args:
        make: builds a session on a bank; None of its own state may stay damaged by a fault.
        lay_out: makes of the network what `make` is given.
        tiles: pictures (H, W, bands), taken in turn.
        threshold: from which probability on a pixel is cloud.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what a campaign consists of
        self,
        model: bytes,
        golden: Golden | None,
        make: Callable[[bytes, WeightBank], Session],
        lay_out: Callable[[bytes], bytes],
        tiles: Sequence[npt.NDArray[np.uint16]],
        threshold: float,
        seed: int,
    ) -> None:
        self._model, self._golden, self._threshold = model, golden, threshold
        self._tiles, self._seed = tiles, seed
        self._passing: Callable[[], None] | None = None
        self._sessions: list[Session] = []

        def spied(data: bytes, bank: WeightBank) -> Session:
            session = _Passing(make(data, bank), self)
            self._sessions.append(session)
            return session

        self._guard = GuardedSession(model, golden, spied, lay_out, scrub_bytes=1 << 30)
        self._clean = [self._guard.run(tile)[0] for tile in tiles]

    @property
    def weight_bytes(self) -> int:
        """How much there is to be hit; none where the runtime alone holds the weights."""
        return self._guard.bank.size_bytes

    def run(self, trials: int) -> dict[Place, Score]:
        """So many trials of each place."""
        scores = {place: Score() for place in Place}
        for place, score in scores.items():
            for number in range(trials):
                self._trial(place, number, score)
        return scores

    def end_passing(self) -> None:
        """A passing fault goes: called after the first run that saw it."""
        if self._passing is not None:
            undo, self._passing = self._passing, None
            undo()

    def _trial(self, place: Place, number: int, score: Score) -> None:
        which = number % len(self._tiles)
        draw = _Draw(self._seed, place.name, number)
        score.trials += 1
        if place in {Place.INPUT, Place.ANSWER}:
            self._octets(place, which, draw, score)
        else:
            self._weights(place, which, draw, score)

    def _octets(self, place: Place, which: int, draw: _Draw, score: Score) -> None:
        """A flip in octets that a CRC goes with: the same CRC as in the worker's protocol."""
        clean = self._tiles[which] if place is Place.INPUT else self._clean[which]
        octets = bytearray(clean.tobytes())
        before = crc32c(octets)
        octets[draw.below(len(octets))] ^= 1 << draw.below(8)
        bare = np.frombuffer(bytes(octets), dtype=np.float32) if place is Place.ANSWER else (
            self._guard.bare(np.frombuffer(bytes(octets), np.uint16).reshape(clean.shape))
        )  # fmt: skip
        changed = self._changed(bare.reshape(self._clean[which].shape), which)
        caught = crc32c(octets) != before
        self._book(score, changed, caught=caught, righted=caught, checks={"crc": caught})

    def _weights(self, place: Place, which: int, draw: _Draw, score: Score) -> None:
        tile, bank = self._tiles[which], self._guard.bank
        at, bit = _where(bank, draw, exponent=place is Place.EXPONENT)
        bits = draw.below(BURST_BITS_MAX - 1) + 2 if place is Place.BURST else 1
        undo = _flip(bank, at, bit, bits)
        bare = self._guard.bare(tile)
        changed = self._changed(bare, which)
        plausible = judge_output(bare, tile.shape[:2]) is Plausibility.PLAUSIBLE
        checks = {"plausibility": not plausible}
        if place in {Place.PASSING, Place.PASSING_TWICE}:
            self._passing = undo
        else:
            checks["golden tiles"] = not self._guard.golden_all()
        caught, righted, silent = self._guarded(tile, which, place, changed)
        undo()
        checks["all of them"] = caught
        kind = _bit_class(bank, at, bit)
        seen, bad = score.by_bits.get(kind, (0, 0))
        score.by_bits[kind] = (seen + 1, bad + (changed > CORRUPT_SHARE))
        score.worst_silent = max(score.worst_silent, silent)
        self._book(score, changed, caught=caught, righted=righted, checks=checks, silent=False)

    def _guarded(
        self, tile: npt.NDArray[np.uint16], which: int, place: Place, changed: float
    ) -> tuple[bool, bool, float]:
        """Caught, righted, and how much of the mask changed without a word."""
        try:
            answer, care = self._guard.run(tile, twice=place is Place.PASSING_TWICE)
        except DistrustError:
            return True, True, 0.0
        finally:
            self.end_passing()
        same = answer.tobytes() == self._clean[which].tobytes()
        caught = bool(care.doubt)
        return caught, same, 0.0 if caught or same else max(changed, self._changed(answer, which))

    def _changed(self, answer: npt.NDArray[np.float32], which: int) -> float:
        """Share of the mask that differs from the clean one; not a number is no cloud."""
        clean = self._clean[which] >= np.float32(self._threshold)
        return float(np.mean((answer >= np.float32(self._threshold)) != clean))

    @staticmethod
    def _book(  # noqa: PLR0913  what a trial found
        score: Score,
        changed: float,
        *,
        caught: bool,
        righted: bool,
        checks: dict[str, bool],
        silent: bool = True,
    ) -> None:
        score.noticed += caught
        score.worst_bare = max(score.worst_bare, changed)
        if silent and not caught:
            score.worst_silent = max(score.worst_silent, changed)
        if changed > CORRUPT_SHARE:
            score.corrupting += 1
            score.caught += caught
            score.righted += righted
            for name, found in checks.items():
                score.by_check[name] = score.by_check.get(name, 0) + found


class _Passing:
    """A session after whose run a passing fault has gone."""

    def __init__(self, session: Session, campaign: FaultCampaign) -> None:
        self._session = session
        self._campaign = campaign

    def run(self, pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """Run, then let the fault pass."""
        try:
            return self._session.run(pixels)
        finally:
            self._campaign.end_passing()


class _Draw:
    """Numbers from a seed, the same everywhere."""

    def __init__(self, seed: int, name: str, number: int) -> None:
        self._key = f"{seed} {name} {number}"
        self._count = 0

    def below(self, bound: int) -> int:
        """Return the next number of 0..bound-1."""
        self._count += 1
        digest = hashlib.sha256(f"{self._key} {self._count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % bound


def _where(bank: WeightBank, draw: _Draw, *, exponent: bool) -> tuple[int, int]:
    """Octet of all weights, and bit in it; an exponent's where there are any."""
    at, bit = draw.below(bank.size_bytes), draw.below(8)
    while exponent and _bit_class(bank, at, bit) in {"fraction", "sign"}:
        at, bit = draw.below(bank.size_bytes), draw.below(8)
    return at, bit


def _flip(bank: WeightBank, at: int, bit: int, bits: int) -> Callable[[], None]:
    """Flip bits in a row from ``bit`` of octet ``at`` on; return what puts them back."""
    changed = []
    for step in range(bits):
        place = (at * 8 + bit + step) % (bank.size_bytes * 8)
        live, where = bank.octets(place // 8)
        changed.append((live, where, int(live[where])))
        live[where] ^= 1 << place % 8

    def undo() -> None:
        for live, where, before in reversed(changed):
            live[where] = before

    return undo


def _bit_class(bank: WeightBank, at: int, bit: int) -> str:
    """What kind of bit this is: of a float32 sign, exponent or fraction; else the element type."""
    for array in bank.arrays.values():
        if at < array.nbytes:
            if array.dtype != np.float32:
                return str(array.dtype)
            place = 8 * (at % 4) + bit
            return "sign" if place == 31 else "exponent" if place >= 23 else "fraction"
        at -= array.nbytes
    raise IndexError(at)
