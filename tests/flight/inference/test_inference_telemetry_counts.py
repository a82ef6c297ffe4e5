from flight.inference.inference_telemetry import InferenceCounts
from flight.inference.job import NO_CARE, Care


def test_what_it_took_to_trust_answers_adds_up():
    counts = InferenceCounts()
    counts.take(NO_CARE)
    assert (counts.doubts, counts.repairs, counts.reruns, counts.rebuilds) == (0, 0, 0, 0)
    counts.take(Care(repaired=2, reruns=1, rebuilds=1, confirmed=True, doubt="x", restarts=1))
    assert (counts.doubts, counts.repairs, counts.reruns, counts.rebuilds) == (1, 2, 2, 2)


def test_the_job_under_way_counts_as_computed():
    counts = InferenceCounts(busy_ns=100)
    assert counts.computed_ns(50) == 100
    counts.begin(40)
    assert counts.computed_ns(50) == 110
    counts.end(60)
    assert (counts.computed_ns(99), counts.busy_ns) == (120, 120)


def test_two_jobs_under_way_count_once():
    counts = InferenceCounts()
    counts.begin(10)
    counts.begin(30)
    counts.end(40)
    assert (counts.computed_ns(50), counts.busy_ns) == (40, 0)
    counts.end(60)
    assert (counts.computed_ns(90), counts.busy_ns) == (50, 50)
