from hypothesis import given
from hypothesis import strategies as st

from flight.telemetry.read_budget import BYTES_PER_S, PACKET_BYTES_MAX, READS_PER_S, ReadBudget

S = 1_000_000_000


@given(st.integers(0, 5), st.integers(1, 65_536))
def test_no_second_costs_more_reads_or_octets_than_the_budget(second, size):
    budget, reads, octets = ReadBudget(), 0, 0
    while budget.allows(size, second * S + reads):
        budget.took(size)
        reads, octets = reads + 1, octets + size
    assert reads <= READS_PER_S
    assert octets <= BYTES_PER_S + size
    assert budget.cut == 1
    assert budget.allows(size, (second + 1) * S), "the next second has a budget of its own"


def test_a_packet_longer_than_any_of_ours_is_not_even_begun():
    budget = ReadBudget()
    assert budget.allows(PACKET_BYTES_MAX, 0)
    assert not budget.allows(PACKET_BYTES_MAX + 1, 0)
