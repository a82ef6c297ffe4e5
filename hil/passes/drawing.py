"""Contacts on the terminal: the table of those ahead, and one of them as rows over its time."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from flight.telemetry.dictionary import PAT_LABELS
from hil.report.quantity import DASH, duration, known, number, scaled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hil.passes.forecast import ContactAhead, RelayDuty

WIDTH = 64
BLOCKS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
STATE_MARKS = {
    "IDLE": (".", "dim"),
    "SLEW": ("s", "dim"),
    "SCAN": ("a", "cyan"),
    "COARSE": ("c", "blue"),
    "FINE": ("f", "blue"),
    "MODEM_SYNC": ("m", "green"),
    "DATA": ("D", "bold green"),
    "COAST": ("~", "magenta"),
    "REACQ": ("r", "yellow"),
    "LOST": ("x", "red"),
    "SAFE": ("!", "dim"),
}


def ahead_table(contacts: Sequence[ContactAhead], zero: datetime, chosen: int) -> Table:
    """The contacts ahead, the chosen one marked."""
    table = Table(
        title="Contacts ahead",
        pad_edge=False,
        box=SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
    )
    for name, right in (
        ("", True), ("peer", False), (f"from {zero:%Y}, UTC", False), ("min", True),
        ("high", True), ("azimuth", True), ("nearest", True), ("clear", True), ("Sun", True),
    ):  # fmt: skip
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for each in contacts:
        begins = zero + timedelta(seconds=each.start_s)
        is_chosen = each.number == chosen
        sky = each.clear_fraction
        table.add_row(
            f"\u2192 {each.number}" if is_chosen else str(each.number),
            each.peer,
            f"{begins:%m-%d %H:%M:%S}",
            f"{each.length_s // 60:.0f}:{each.length_s % 60:02.0f}",
            number(each.max_elevation_deg, 0, "°"),
            _azimuths(each),
            number(each.range_km_min, 0, "km"),
            DASH if sky is None else number(100.0 * sky, 0, "%"),
            number(each.sun_s, 0, "s") if each.sun else DASH,
            style="bold" if is_chosen else "",
        )
    return table


def duty_line(duty: RelayDuty) -> str:
    """What a second terminal would be worth, in one sentence."""
    return (
        f"over {duration(duty.span_s)} one terminal that needs {duty.acquisition_s:g} s for each "
        f"relay carries {100.0 * duty.one_terminal:.1f} % of the time, two that take turns "
        f"{100.0 * duty.two_terminals:.1f} %"
    )


def _azimuths(each: ContactAhead) -> str:
    if each.azimuths_deg is None:
        return DASH
    return " ".join(f"{azimuth:03.0f}" for azimuth in each.azimuths_deg)


def spark(values: Sequence[object], low: float, high: float, width: int = WIDTH) -> str:
    """Values as a row of blocks, one a column; a column without a value is blank."""
    columns = []
    for at in range(width):
        begin = at * len(values) // width
        part = values[begin : max(begin + 1, (at + 1) * len(values) // width)]
        shown = [v for value in part if (v := known(value)) is not None]
        if not shown:
            columns.append(" ")
            continue
        share = (sum(shown) / len(shown) - low) / (high - low) if high > low else 1.0
        columns.append(BLOCKS[1 + round(min(max(share, 0.0), 1.0) * (len(BLOCKS) - 2))])
    return "".join(columns)


def contact_rows(contact: Mapping[str, Any], width: int = WIDTH) -> list[Text]:
    """Elevation, range, margin, states, goodput and products of a flown contact, a line each."""
    rows = []
    for label, key, scale, unit, zero in (
        ("elevation", "elevation_deg", 1.0, "°", True),
        ("range", "range_km", 1.0, "km", False),
        ("margin", "margin_db", 1.0, "dB", False),
        ("goodput", "goodput_bps", 1e-6, "Mbit/s", True),
        ("products", "products", 1.0, "", True),
    ):
        values = [v * scale if (v := known(raw)) is not None else None for raw in contact[key]]
        shown = [v for v in values if v is not None]
        if not shown:
            continue
        low, high = (0.0 if zero else min(shown)), max(shown)
        digits = 0 if high >= 100 or key == "products" else 1
        limits = f"{number(low, digits)} to {number(high, digits, unit)}"
        rows.append(_row(label, Text(spark(values, low, high, width), style="cyan"), limits))
    rows.insert(-2, _row("state", _states(contact["pat_state"], width), _legend(contact)))
    return rows


def _row(label: str, drawn: Text, note: str) -> Text:
    return Text.assemble((f"{label:<10}", "bold"), drawn, ("  " + note, "dim"))


def _states(states: Sequence[int | None], width: int) -> Text:
    drawn = Text()
    for at in range(width):
        state = states[at * len(states) // width] if states else None
        mark, style = (" ", "") if state is None else STATE_MARKS[PAT_LABELS[state]]
        drawn.append(mark, style=style)
    return drawn


def _legend(contact: Mapping[str, Any]) -> str:
    seen = dict.fromkeys(s for s in contact["pat_state"] if s is not None)
    return " ".join(f"{STATE_MARKS[PAT_LABELS[s]][0]} {PAT_LABELS[s].lower()}" for s in seen)


def outcome_line(contact: Mapping[str, Any], acquired_s: float | None) -> str:
    """What the contact gave, in one sentence."""
    if acquired_s is None:
        return "the link was never acquired"
    sent = contact["frames_good"] + contact["frames_lost"]
    lost = 100.0 * contact["frames_lost"] / sent if sent else math.nan
    return (
        f"link after {duration(acquired_s)}, {number(sent)} frames, {number(lost, 1, '%')} lost, "
        f"{scaled(contact['bytes_acknowledged'], 'B')} down, "
        f"{number(contact['products_completed'])} products complete"
    )
