"""The engine of a node whose model cannot be used: it says why, and everything else goes on.

Hop "computed" of image → ground. A payload that cannot start is no reason not to fly: the ground
can only repair what it can talk to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from flight.inference.job import InferenceError, InferenceFailure

if TYPE_CHECKING:
    from flight.inference.job import Job, Result


@final
class UnavailableEngine:
    """Runs nothing.

    Attributes:
        reason: in one line.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def run(self, job: Job) -> Result:  # noqa: ARG002  as every engine is asked
        """Raises `InferenceError`, whatever the job."""
        raise InferenceError(InferenceFailure.MODEL_ERROR, self.reason)

    def close(self) -> None:
        """There is nothing to give back."""
