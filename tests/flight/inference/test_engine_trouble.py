import pytest

from flight.inference.engine_trouble import FAILURES_MAX, EngineTrouble
from flight.inference.job import InferenceError, InferenceFailure

DIED = InferenceError(InferenceFailure.WORKER_DIED, "worker process ended")
LATE = InferenceError(InferenceFailure.TIMEOUT, "late")


def test_failures_in_a_row_that_are_the_engines_own_make_it_broken():
    trouble = EngineTrouble()
    for _ in range(FAILURES_MAX - 1):
        trouble.count(DIED)
    with pytest.raises(InferenceError, match=f"{FAILURES_MAX} jobs in a row: worker process"):
        trouble.count(DIED)


def test_an_answer_forgives_and_what_is_the_tiles_fault_never_counts():
    trouble = EngineTrouble()
    for _ in range(10):
        for _ in range(FAILURES_MAX - 1):
            trouble.count(DIED)
            trouble.count(LATE)
        trouble.forgive()
