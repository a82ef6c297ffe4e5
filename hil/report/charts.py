"""The charts over mission time: their places in the page and their data for the script.

A chart is drawn when at least one of its channels was recorded. Numbers are those of
`telemetry.npz`, thinned by `decimate` so that every extreme and every gap stays.
"""

from typing import Any

import numpy as np

from hil.report import palette
from hil.report.chart_table import CHART_BY_ID, CHARTS, Chart, Line
from hil.report.decimate import Floats, extreme_indices
from hil.report.markup import Markup, el, not_recorded
from hil.report.quantity import compact
from hil.report.run_record import RunRecord
from hil.report.timeline import eclipses, reset_times, swatch, time_span


def _recorded(record: RunRecord, chart: Chart) -> list[tuple[Line, Floats]]:
    found = []
    for line in chart.lines:
        values = record.telemetry.get(line.channel)
        if values is not None:
            found.append((line, values * line.scale))
    return found


def _limits(record: RunRecord, chart: Chart) -> list[dict[str, Any]]:
    told = {"soc_floor": record.summary.soc_floor, "die_c": record.summary.temp_die_c_limit}
    told |= record.data.limits
    return [
        {
            "label": f"{limit.label} {compact(value * limit.scale, chart.unit)}",
            "value": round(value * limit.scale, 6),
            "colour": limit.colour,
        }
        for limit in chart.limits
        if (value := told.get(limit.key)) is not None
    ]


def figure(record: RunRecord, chart_id: str, caption: str = "") -> Markup:
    """Make one figure: title, key with live read-out, place for the chart, caption."""
    chart = CHART_BY_ID[chart_id]
    lines = _recorded(record, chart)
    if not lines:
        wanted = ", ".join(line.channel for line in chart.lines)
        return not_recorded(f"{chart.title} ({wanted})")
    keys = [
        el(
            "span",
            swatch(line.colour, line.label, "dash" if line.dashed else "line"),
            el("output", class_="read", data_series=index),
        )
        for index, (line, _) in enumerate(lines, start=1)
    ]
    unit = f", {chart.unit}" if chart.unit else ""
    return el(
        "figure",
        el("div", el("h3", f"{chart.title}{unit}"), el("div", *keys, class_="key"), class_="head"),
        el("div", class_="chart", data_chart=chart.id, style=f"min-height:{chart.height}px"),
        el("figcaption", caption) if caption else None,
    )


def _column(values: Floats, digits: int) -> list[float | int | None]:
    column: list[float | int | None] = []
    for value in np.round(values, digits).tolist():
        if value != value:  # noqa: PLR0124 - NaN, a gap
            column.append(None)
        else:
            column.append(int(value) if value == int(value) else value)
    return column


def _data(record: RunRecord, chart: Chart) -> dict[str, Any] | None:
    lines = _recorded(record, chart)
    if not lines:
        return None
    kept = extreme_indices([values for _, values in lines])
    return {
        "id": chart.id,
        "unit": chart.unit,
        "digits": chart.digits,
        "height": chart.height,
        "low": chart.low,
        "high": chart.high,
        "limits": _limits(record, chart),
        "series": [
            {
                "label": line.label,
                "colour": line.colour,
                "dashed": line.dashed,
                "stepped": line.stepped,
            }
            for line, _ in lines
        ],
        "columns": [
            _column(record.telemetry.t_s[kept], 2),
            *[_column(values[kept], max(chart.digits, 2)) for _, values in lines],
        ],
    }


def chart_data(record: RunRecord) -> dict[str, Any]:
    """Return all that the script draws: charts, and what is marked behind every one of them."""
    (start, end) = time_span(record)
    drawn = [_data(record, chart) for chart in CHARTS]
    return {
        "start": start,
        "end": end,
        "charts": [chart for chart in drawn if chart is not None],
        "eclipses": [list(span) for span in eclipses(record)],
        "faults": [
            [fault.start_s, end if fault.end_s is None else fault.end_s]
            for fault in record.data.faults
        ],
        "resets": reset_times(record),
        "contacts": [
            [c.start_s, c.end_s, palette.CONTACT_COLOURS.get(c.kind.upper(), palette.GREY)]
            for c in record.data.contacts
        ],
    }
