"""Small writes share a sync, and none of them waits long for it."""

from hypothesis import given
from hypothesis import strategies as st

from flight.downlink.group_commit import COLLECT_NS, RECORDS_MAX, GroupCommit
from flight.downlink.store_request import WriteRequest


def counter(value, *, urgent=False):
    return WriteRequest(mark=value, counters={f"c{value}": value}, urgent=urgent)


def test_the_first_of_a_group_waits_its_time_and_takes_the_others_along():
    group = GroupCommit()
    assert group.due_in_ns(5) is None
    group.offer(counter(1), 100)
    group.offer(counter(2), 100 + COLLECT_NS - 1)
    assert group.take(100 + COLLECT_NS - 1) == []
    assert group.due_in_ns(100 + COLLECT_NS - 1) == 1
    assert [each.mark for each in group.take(100 + COLLECT_NS)] == [1, 2]
    assert len(group) == 0
    assert group.due_in_ns(0) is None


def test_a_full_group_does_not_wait():
    group = GroupCommit()
    for value in range(RECORDS_MAX):
        assert group.take(0) == []
        group.offer(counter(value), 0)
    assert len(group.take(0)) == RECORDS_MAX


def test_one_that_somebody_waits_for_takes_the_group_along_at_once():
    group = GroupCommit()
    group.offer(counter(1), 0)
    group.offer(counter(2, urgent=True), 1)
    assert [each.mark for each in group.take(1)] == [1, 2]
    group.offer(counter(3), 2)
    assert group.take(2) == [], "the urgency has gone with its request"


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.booleans(), st.integers(0, 40)), max_size=40),
    st.integers(1, 50),
)
def test_nothing_is_lost_doubled_or_overtaken_and_nothing_waits_longer_than_promised(
    offers, records_max
):
    group = GroupCommit(records_max=records_max)
    now_ns, taken, offered_ns = 0, [], {}
    for mark, (step_ns, urgent, size) in enumerate(offers):
        now_ns += step_ns
        request = WriteRequest(mark=mark, counters={f"c{n}": n for n in range(size)}, urgent=urgent)
        group.offer(request, now_ns)
        offered_ns[mark] = now_ns
        while got := group.take(now_ns):
            assert len(got) == 1 or sum(each.records for each in got) <= records_max
            taken += [each.mark for each in got]
    while len(group):
        due_ns = group.due_in_ns(now_ns)
        assert due_ns <= COLLECT_NS
        now_ns += due_ns
        taken += [each.mark for each in group.take(now_ns)]
    assert taken == list(range(len(offers)))
