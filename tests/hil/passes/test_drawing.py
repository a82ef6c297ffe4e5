"""A contact on the terminal: every row, nothing invented where nothing is known."""

from datetime import UTC, datetime
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flight.telemetry.dictionary import PAT_LABELS
from hil.passes.drawing import (
    BLOCKS,
    STATE_MARKS,
    ahead_table,
    contact_rows,
    outcome_line,
    spark,
)
from hil.passes.forecast import ContactAhead

CONTACT = {
    "elevation_deg": [20.0, 40.0, 20.0],
    "range_km": [1400.0, 900.0, 1400.0],
    "margin_db": [1.0, 6.0, None],
    "goodput_bps": [0.0, 2e6, 1e6],
    "products": [0, 10, 12],
    "pat_state": [1, 6, 6],
    "frames_good": 90,
    "frames_lost": 10,
    "bytes_acknowledged": 368_640,
    "products_completed": 12,
}


@given(
    st.lists(st.none() | st.floats(), max_size=300),
    st.integers(1, 100),
)
def test_a_row_is_as_wide_as_asked_and_made_of_blocks(values: list, width: int) -> None:
    drawn = spark(values, -1e6, 1e6, width)
    assert len(drawn) == width
    assert set(drawn) <= set(BLOCKS)


def test_what_is_not_known_is_blank_and_never_zero() -> None:
    assert spark([1.0, None, 1.0], 0.0, 1.0, 3) == "\u2588 \u2588"
    assert spark([], 0.0, 1.0, 3) == "   "


def test_every_state_has_a_mark_of_its_own() -> None:
    assert set(STATE_MARKS) == set(PAT_LABELS)
    assert len({mark for mark, _ in STATE_MARKS.values()}) == len(PAT_LABELS)


def test_the_rows_of_a_pass_and_of_a_relay() -> None:
    names = [str(row).split()[0] for row in contact_rows(CONTACT, 12)]
    assert names == ["elevation", "range", "margin", "state", "goodput", "products"]
    relay = {**CONTACT, "elevation_deg": []}
    assert [str(r).split()[0] for r in contact_rows(relay, 12)] == names[1:]


def test_the_outcome_is_one_sentence() -> None:
    said = outcome_line(CONTACT, 18.0)
    assert "100 frames" in said
    assert "12 products" in said
    assert outcome_line(CONTACT, None) == "the link was never acquired"


def test_the_table_marks_the_chosen_contact_and_dashes_what_a_relay_has_not() -> None:
    relay = ContactAhead(
        number=1, peer="relay-0001", name="relay-0001", start_s=0.0, end_s=300.0, range_km_min=900.0
    )
    out = StringIO()
    Console(file=out, width=100).print(ahead_table([relay], datetime(2026, 1, 1, tzinfo=UTC), 1))
    (row,) = [line for line in out.getvalue().splitlines() if "relay-0001" in line]
    assert row.split()[:2] == ["\u2192", "1"]
    assert row.count("—") == 4
