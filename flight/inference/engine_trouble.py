"""When an engine counts as broken: jobs in a row that fail for its own sake, not for the tile's.

Hop "computed" of image → ground. One failed job is one lost frame; an engine that runs none is a
failed service, which is begun anew, ever later, and given up in the end.
"""

from __future__ import annotations

from typing import Final, final

from flight.inference.job import InferenceError, InferenceFailure

FAILURES_MAX: Final = 3
"""Jobs in a row."""
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
