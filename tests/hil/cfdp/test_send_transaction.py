"""The procedure of one transaction, PDU by PDU, and its table."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.cfdp.pdu_values import AckOfEof, Condition, FileStatus, Finished, KeepAlive, Nak
from hil.cfdp.send_transaction import LEADS_TO, OVER, Event, Patience, Said, SendTransaction, Step

S = 1_000_000_000
SIZE, SEGMENT = 1_000, 64
GOOD = Finished(0, complete=True, status=FileStatus.RETAINED)
ACK = AckOfEof(0, active=True)


def said(transaction, now_ns):
    out = []
    while (item := transaction.next_said(now_ns)) is not None:
        out.append(item)
    return out


def pieces(items):
    return [item for item in items if isinstance(item, tuple)]


def started(**changes):
    return SendTransaction(SIZE, SEGMENT, Patience(), **changes)


def test_metadata_first_then_the_file_in_order_then_the_eof():
    out = said(started(), 0)
    assert (out[0], out[-1]) == (Said.METADATA, Said.EOF)
    assert pieces(out) == [(at, min(at + SEGMENT, SIZE)) for at in range(0, SIZE, SEGMENT)]


def test_a_resumed_transaction_asks_before_it_sends():
    assert said(started(resumed=True), 0) == [Said.METADATA, Said.EOF]


def test_exactly_what_was_asked_for_is_sent_again_cut_where_it_was_cut_before():
    transaction = started()
    said(transaction, 0)
    transaction.hear(Nak(((0, 0), (100, 200), (960, 5_000))), S)
    assert said(transaction, S) == [
        Said.METADATA, (100, 128), (128, 192), (192, 200), (960, SIZE),
    ]  # fmt: skip


def test_what_was_not_sent_yet_is_not_sent_twice():
    transaction = started()
    for _ in range(4):
        transaction.next_said(0)
    transaction.hear(Nak(((64, SIZE),)), 0)
    out = said(transaction, 0)
    assert pieces(out) == [(at, min(at + SEGMENT, SIZE)) for at in range(64, SIZE, SEGMENT)]


def test_an_eof_is_repeated_until_the_receiver_counts_as_silent():
    transaction, patience = started(), Patience()
    eofs, now_ns = 0, 0
    while transaction.step is not Step.SUSPENDED:
        eofs += said(transaction, now_ns).count(Said.EOF)
        now_ns += S // 2
    assert eofs == patience.ack_limit
    assert now_ns >= patience.ack_ns * patience.ack_limit


def test_a_silent_receiver_is_asked_ever_more_seldom_and_never_sent_octets():
    transaction, times, now_ns = started(), [], 0
    for _ in range(8_000):
        out = said(transaction, now_ns)
        if now_ns:
            assert pieces(out) == []
        times += [now_ns] if Said.METADATA in out else []
        now_ns += S
    gaps = [b - a for a, b in pairwise(times)]
    assert gaps == sorted(gaps)
    assert max(gaps) <= Patience().retry_max_ns + 20 * S


def test_a_word_of_the_receiver_ends_a_suspension_at_once():
    transaction, now_ns = started(), 0
    while transaction.step is not Step.SUSPENDED:
        said(transaction, now_ns)
        now_ns += S
    transaction.hear(Nak(((0, 64),)), now_ns)
    assert said(transaction, now_ns) == [Said.METADATA, (0, 64), Said.EOF]


def test_a_receiver_that_says_nothing_after_its_acknowledgement_is_asked_again():
    transaction = started()
    said(transaction, 0)
    transaction.hear(ACK, 0)
    quiet_ns = Patience().quiet_ns
    assert said(transaction, quiet_ns - 1) == []
    assert said(transaction, quiet_ns) == [Said.METADATA, Said.EOF]


def test_a_file_that_was_lost_is_taken_back_until_that_is_acknowledged():
    transaction = started()
    transaction.next_said(0)
    transaction.withdraw(0)
    assert said(transaction, 0) == [Said.EOF]
    assert transaction.condition is Condition.FILESTORE_REJECTION
    transaction.hear(Nak(((0, 64),)), 0)
    assert said(transaction, 0) == []
    transaction.hear(AckOfEof(Condition.FILESTORE_REJECTION, active=True), 0)
    assert transaction.step is Step.FAILED


def test_the_table_ends_in_done_or_failed_from_everywhere_and_nothing_leads_out_of_them():
    assert not any(came_from in OVER for came_from, _ in LEADS_TO)
    for step in set(Step) - OVER:
        reached = {step}
        while more := {to for (at, _), to in LEADS_TO.items() if at in reached} - reached:
            reached |= more
        assert Step.FAILED in reached
        assert (step, Event.GOOD_END) in LEADS_TO
        assert (step, Event.BAD_END) in LEADS_TO


NUMBERS = st.integers(0, 2**32)
SPANS = st.lists(st.tuples(NUMBERS, NUMBERS).map(sorted).map(tuple), max_size=5)
REPLIES = st.one_of(
    st.builds(AckOfEof, st.integers(0, 15), st.booleans()),
    st.builds(Nak, SPANS.map(tuple)),
    st.builds(Finished, st.integers(1, 15), st.booleans(), st.sampled_from(FileStatus)),
    st.builds(KeepAlive, NUMBERS),
)  # fmt: skip


@given(st.lists(st.one_of(REPLIES, st.integers(1, 700 * S), st.just("withdraw")), max_size=60))
@settings(max_examples=300)
def test_whatever_a_receiver_says_only_octets_of_the_file_are_sent_and_only_a_good_end_is_one(
    steps,
):
    transaction, now_ns = started(), 0
    for step in steps:
        for _ in range(100):
            item = transaction.next_said(now_ns)
            if item is None:
                break
            if isinstance(item, tuple):
                assert 0 <= item[0] < item[1] <= SIZE
                assert item[1] - item[0] <= SEGMENT
        if step == "withdraw":
            transaction.withdraw(now_ns)
        elif isinstance(step, int):
            now_ns += step
        else:
            transaction.hear(step, now_ns)
        assert transaction.step is not Step.DONE
        if transaction.step is Step.FAILED:
            assert transaction.condition is not Condition.NO_ERROR
            assert transaction.next_said(now_ns) is None
    if transaction.step not in OVER | {Step.WITHDRAWING}:
        transaction.hear(GOOD, now_ns)
        assert transaction.step is Step.DONE
