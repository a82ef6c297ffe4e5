"""When an engine counts as broken, and when a model is no longer believed.

Broken: jobs in a row fail for its own sake, not for the tile's. Not believed: its worker no longer
trusts its own answers, having put weights right and built its session again in vain. Above that: a
new process on the same stored copy, then on the other stored copy, then no more of this model until
somebody says so. Good answers in a row lead back down.

Hop "computed" of image → ground. One failed job is one lost frame; an engine that runs none is a
failed service, which is begun anew, ever later, and given up in the end.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, final

from flight.inference.job import InferenceError, InferenceFailure

FAILURES_MAX: Final = 3
"""Jobs in a row."""
GOOD_ANSWERS = 100
"""So many trusted answers in a row, and the next doubt starts at the bottom again."""
_OF_THE_ENGINE: Final = {
    InferenceFailure.WORKER_DIED,
    InferenceFailure.MODEL_ERROR,
    InferenceFailure.CORRUPT_RESULT,
    InferenceFailure.UNTRUSTED,
}
"""A late answer or a tile that is too large says nothing of the engine."""


@final
class EngineTrouble:
    """Counts what the engine itself got wrong since its last good answer."""

    def __init__(self) -> None:
        self._failures = 0

    def forgive(self) -> None:
        """It has given an answer."""
        self._failures = 0

    def count(self, error: InferenceError) -> None:
        """One job failed; raises `InferenceError` when the engine counts as broken."""
        if error.kind not in _OF_THE_ENGINE:
            return
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            raise InferenceError(error.kind, f"{self._failures} jobs in a row: {error}")


class Rung(Enum):
    """What to do next; the order is the order of the ladder."""

    RESTART = "new worker process"
    SECOND_COPY = "new worker process on the second stored copy"
    REFUSE = "model refused"


_RUNGS = tuple(Rung)


class TrustLadder:
    """Where one model stands."""

    def __init__(self) -> None:
        self._height = 0
        self._good = 0

    @property
    def refused(self) -> bool:
        """Whether the top has been reached: no more answers of this model."""
        return self._height == len(_RUNGS)

    def distrusted(self) -> Rung:
        """One rung up; at the top it stays."""
        self._good = 0
        self._height = min(self._height + 1, len(_RUNGS))
        return _RUNGS[self._height - 1]

    def trusted(self) -> None:
        """A good answer."""
        if self.refused:
            return
        self._good += 1
        if self._good >= GOOD_ANSWERS:
            self._height = self._good = 0
