"""Mission time never goes back, whatever the machine's clock does."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from flight.boot_record import GAP_NS_MAX, LEAD_NS, following, resume

HERE, ELSEWHERE = b"power-up", b"another1"
S = 1_000_000_000
RAN = replace(
    following(None, power_up=HERE, watched=False), mission_ns=5_000 * S, offset_ns=900 * S,
    utc_ns=1_700_000_000 * S, utc_trusted=True,
)  # fmt: skip


def resumed(record=RAN, power_up=ELSEWHERE, mono_ns=3 * S, gap_ns=0, utc_trusted=False):
    utc_ns = (0 if record is None else record.utc_ns) + gap_ns
    return resume(
        record, power_up=power_up, mono_ns=mono_ns, utc_ns=utc_ns, utc_trusted=utc_trusted
    )


def test_a_first_start_goes_by_the_machine_s_clock():
    assert resumed(record=None).offset_ns == 0


def test_while_the_machine_is_up_the_offset_holds_to_the_nanosecond():
    assert resumed(power_up=HERE, mono_ns=4_200 * S, gap_ns=50 * S).offset_ns == RAN.offset_ns


@given(
    st.integers(0, 10**18), st.integers(0, 10**15), st.integers(0, LEAD_NS),
    st.integers(-(10**18), 10**18), st.booleans(), st.booleans(),
)  # fmt: skip
def test_after_a_power_cut_it_never_goes_back(mission_ns, mono_ns, since_ns, gap_ns, now, then):
    record = replace(RAN, mission_ns=mission_ns, utc_trusted=then)
    offset_ns = resumed(record, mono_ns=mono_ns, gap_ns=gap_ns, utc_trusted=now).offset_ns
    assert mono_ns + offset_ns >= mission_ns + since_ns
    assert offset_ns % S == 0, "or the tick's grid would move"


def test_utc_that_both_ends_vouch_for_gives_the_time_that_really_passed():
    told = resumed(gap_ns=7_200 * S, utc_trusted=True)
    assert told.offset_ns + 3 * S == RAN.mission_ns + 7_200 * S
    assert told.how == "by UTC"


def test_utc_that_nobody_vouches_for_moves_nothing():
    least = RAN.mission_ns + LEAD_NS
    assert resumed(gap_ns=7_200 * S).offset_ns + 3 * S == least
    untrusted = replace(RAN, utc_trusted=False)
    assert resumed(untrusted, gap_ns=7_200 * S, utc_trusted=True).offset_ns + 3 * S == least


def test_a_date_that_cannot_be_moves_nothing():
    for gap_ns in (-5 * S, GAP_NS_MAX + 1):
        assert resumed(gap_ns=gap_ns, utc_trusted=True).how == "after the last beat"
