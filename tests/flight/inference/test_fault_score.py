import numpy as np
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from flight.inference.fault_score import Score, together, wilson


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_share_and_lies_in_0_to_1(trials, data):
    hits = data.draw(st.integers(0, trials))
    low, high = wilson(hits, trials)
    assert 0.0 <= low <= hits / trials + 1e-12
    assert hits / trials - 1e-12 <= high <= 1.0


def test_the_interval_is_the_one_of_a_library_we_did_not_write():
    for hits, trials in ((0, 10), (7, 20), (200, 200)):
        theirs = scipy.stats.binomtest(hits, trials).proportion_ci(0.95, method="wilson")
        assert np.allclose(wilson(hits, trials), (theirs.low, theirs.high), atol=1e-6)


def test_no_trials_say_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


def test_two_scores_add_up_and_keep_the_worst_of_each():
    one = Score(10, 2, 2, 1, 9, {"crc": 2}, 0.0, 0.4, {"sign": (4, 1)})
    other = Score(
        5, 3, 1, 1, 4, {"crc": 1, "twin": 1}, 0.02, 0.1, {"sign": (1, 1), "exponent": (4, 2)}
    )
    whole = together([one, other])
    assert (whole.trials, whole.corrupting, whole.caught, whole.righted) == (15, 5, 3, 2)
    assert whole.noticed == 13
    assert whole.by_check == {"crc": 3, "twin": 1}
    assert (whole.worst_silent, whole.worst_bare) == (0.02, 0.4)
    assert whole.by_bits == {"sign": (5, 2), "exponent": (4, 2)}
    assert together([]) == Score()
