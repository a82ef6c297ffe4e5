import itertools

from flight.fdir.recovery_row import Activity, RecoveryStatus, RowState


def test_every_row_has_exactly_one_word_and_every_word_is_some_rows():
    seen = set()
    for activity, armed, holds, exhausted in itertools.product(Activity, *[(False, True)] * 3):
        row = RecoveryStatus("x", activity, armed, holds, 0, 0, -1, exhausted)
        seen.add(row.state)
        if activity is Activity.DISABLED:
            assert row.state is RowState.DISABLED
        if exhausted and activity is Activity.ACTIVE:
            assert row.state is RowState.EXHAUSTED
    assert seen == set(RowState)
