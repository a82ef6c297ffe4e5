import pytest

from flight.wire.link_security import (
    EPOCH_MAX,
    MALFORMED,
    FrameLedger,
    SecurityAssociation,
    SecurityVerdict,
)
from flight.wire.transfer_frame import Direction


def test_no_two_associations_share_a_parameter_index_and_none_is_reserved():
    indices = [
        SecurityAssociation(direction, epoch, bytes(32)).spi
        for epoch in (1, 2, 3, EPOCH_MAX)
        for direction in Direction
    ]
    assert len(set(indices)) == len(indices)
    assert 0 not in indices
    assert 0xFFFF not in indices


@pytest.mark.parametrize(("epoch", "key"), [(0, 32), (EPOCH_MAX + 1, 32), (1, 16), (1, 0)])
def test_a_weak_key_or_a_reserved_epoch_is_refused(epoch, key):
    with pytest.raises(ValueError, match=r"octets|epoch"):
        SecurityAssociation(Direction.UPLINK, epoch, bytes(key))


def test_the_ledger_accounts_for_every_frame_by_cause():
    ledger = FrameLedger()
    for n, verdict in enumerate(SecurityVerdict, start=1):
        for _ in range(n):
            ledger.book(verdict)
    assert ledger.received == ledger.accepted + ledger.rejected + ledger.malformed
    assert ledger.malformed == sum(ledger.by_verdict[v] for v in MALFORMED)
    assert ledger.snapshot() == {v.value: n for n, v in enumerate(SecurityVerdict, start=1)}
