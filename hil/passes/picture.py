"""One flown contact as a picture: an SVG file that needs nothing beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.report import palette
from hil.report.markup import Markup, el
from hil.report.plot_svg import HEIGHT, WIDTH, Curve, small_plot
from hil.report.quantity import duration, known
from hil.report.section_contacts import PAT_COLOURS, state_runs

if TYPE_CHECKING:
    from hil.report.run_values import Contact

COLUMNS, TOP, BAND, GAP = 3, 62.0, 58.0, 10.0
LEFT, RIGHT = 42.0, 14.0
"""Margins of a plot, which the band of states keeps."""
KEY_PX, LETTER_PX = 22.0, 6.2
STYLE = """
text { font: 10.5px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  fill: #5d6b7a; }
.head { font-size: 16px; font-weight: 600; fill: #16263a; }
.plot .grid { stroke: #e2e7ec; stroke-width: 1; }
.plot .limit { stroke: #c3262f; stroke-width: 1.2; stroke-dasharray: 4 3; }
.plot .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.plot .title, .title { font-weight: 600; font-size: 11.5px; fill: #16263a; }
.plot .y { text-anchor: end; }
.plot .x { text-anchor: middle; }
"""


def contact_picture(contact: Contact, title: str, note: str) -> str:
    """Elevation, range, margin, goodput, products and states over the contact's time."""
    span = (contact.start_s, contact.end_s)
    curves = [c for c in _curves(contact) if any(known(v) is not None for v in c.values)]
    plots = [small_plot(curve, span, _place(i)) for i, curve in enumerate(curves)]
    rows = -(-len(curves) // COLUMNS)
    width = COLUMNS * WIDTH + (COLUMNS - 1) * GAP
    top = TOP + rows * (HEIGHT + GAP)
    height = top + BAND
    return el(
        "svg",
        el("style", Markup(STYLE)),
        el("rect", width=width, height=height, fill="#ffffff"),
        el("text", title, x=LEFT, y=26, class_="head"),
        el("text", note, x=LEFT, y=44),
        *plots,
        *_band(contact, top, width),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{1.5 * width:.0f}",
        height=f"{1.5 * height:.0f}",
        role="img",
        aria_label=title,
    )


def _place(index: int) -> tuple[float, float]:
    row, column = divmod(index, COLUMNS)
    return column * (WIDTH + GAP), TOP + row * (HEIGHT + GAP)


def _curves(contact: Contact) -> list[Curve]:
    goodput = [None if (v := known(b)) is None else v / 1e6 for b in contact.goodput_bps or []]
    rows = (
        ("Elevation, °", contact.elevation_deg, palette.BLUE, True, None),
        ("Range, km", contact.range_km, palette.AMBER, False, None),
        ("Link margin, dB", contact.margin_db, palette.PURPLE, False, 0.0),
        ("Goodput, Mbit/s", goodput, palette.GREEN, True, None),
        ("Products complete", contact.products, palette.ROSE, True, None),
    )
    return [
        Curve(
            title=title,
            t_s=contact.t_s,
            values=values or [],
            colour=colour,
            zero_based=zero,
            floor_line=line,
        )
        for title, values, colour, zero, line in rows
    ]


def _band(contact: Contact, top: float, width: float) -> list[Markup]:
    """The states as one band with its key beneath; nothing where they were not recorded."""
    runs = state_runs(contact)
    if not runs:
        return []
    length_s = max(contact.end_s - contact.start_s, 1.0)
    scale = (width - LEFT - RIGHT) / length_s
    bars = [
        el(
            "rect",
            el("title", f"{name} for {duration(end - start)}"),
            x=f"{LEFT + scale * (start - contact.start_s):.1f}",
            y=f"{top + 16:.1f}",
            width=f"{max(scale * (end - start), 0.5):.1f}",
            height="12",
            fill=PAT_COLOURS.get(name, palette.GREY),
        )
        for start, end, name in runs
    ]
    heading = "Pointing, acquisition and tracking"
    title = el("text", heading, x=LEFT, y=f"{top + 10:.1f}", class_="title")
    return [title, *bars, *_key(runs, top + 44.0)]


def _key(runs: list[tuple[float, float, str]], y: float) -> list[Markup]:
    marks: list[Markup] = []
    x = LEFT
    for name in dict.fromkeys(name for _, _, name in runs):
        total_s = sum(end - start for start, end, each in runs if each == name)
        label = f"{name.replace('_', ' ').lower()} {duration(total_s)}"
        colour = PAT_COLOURS.get(name, palette.GREY)
        marks.append(el("rect", x=f"{x:.1f}", y=f"{y - 8:.1f}", width=9, height=9, fill=colour))
        marks.append(el("text", label, x=f"{x + 13:.1f}", y=f"{y:.1f}"))
        x += KEY_PX + LETTER_PX * len(label)
    return marks
