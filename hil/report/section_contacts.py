"""Every contact: what the geometry offered and what the link made of it."""

import numpy as np

from flight.telemetry.dictionary import PAT_LABELS
from hil.report import palette
from hil.report.charts import figure
from hil.report.markup import Child, Markup, el, join, not_recorded, table
from hil.report.plot_svg import Curve, small_plot
from hil.report.quantity import duration, known, mission_time, number, scaled
from hil.report.run_record import RunRecord, Telemetry
from hil.report.run_values import Contact, Pass
from hil.report.section_outcome import badge
from hil.report.timeline import swatch

CARDS_MAX = 40

PAT_COLOURS = {
    "IDLE": "#c9d1da",
    "SLEW": "#9db4c9",
    "SCAN": palette.SKY,
    "COARSE": palette.BLUE,
    "FINE": "#7fc4ae",
    "MODEM_SYNC": "#46a889",
    "DATA": palette.GREEN,
    "COAST": palette.PURPLE,
    "REACQ": palette.AMBER,
    "LOST": palette.RED,
    "SAFE": palette.GREY,
}


def _pass_rows(passes: list[Pass]) -> list[list[Child]]:
    return [
        [
            p.contact_id,
            p.kind,
            p.peer,
            mission_time(p.start_s),
            duration(_length(p)),
            number(p.max_elevation_deg, 0, "°"),
            duration(p.acquired_s),
            number(p.frames_sent),
            number(p.frames_lost),
            number(p.frames_retransmitted),
            scaled(p.bytes_delivered, "B"),
            number(p.products_delivered),
            badge(p.verdict) if p.verdict else None,
        ]
        for p in passes
    ]


def _length(p: Pass) -> float | None:
    return None if p.start_s is None or p.end_s is None else p.end_s - p.start_s


_HEAD = [
    ("Contact", ""),
    ("Kind", ""),
    ("Peer", ""),
    ("Start", "num"),
    ("Length", "num"),
    ("Max. el.", "num"),
    ("Link after", "num"),
    ("Frames", "num"),
    ("Lost", "num"),
    ("Again", "num"),
    ("Bytes", "num"),
    ("Products", "num"),
    ("Verdict", ""),
]


def _state_name(state: str | int | None) -> str | None:
    if isinstance(state, int):
        return PAT_LABELS[state] if 0 <= state < len(PAT_LABELS) else f"state {state}"
    return state.upper() if state else None


def state_runs(contact: Contact) -> list[tuple[float, float, str]]:
    """Return (start_s, end_s, state) runs of pointing, acquisition and tracking."""
    found: list[tuple[float, float, str]] = []
    times = contact.t_s
    for i, state in enumerate((contact.pat_state or [])[: len(times)]):
        name = _state_name(state)
        end = times[i + 1] if i + 1 < len(times) else contact.end_s
        if name is None:
            continue
        if found and found[-1][2] == name and found[-1][1] == times[i]:
            found[-1] = (found[-1][0], end, name)
        else:
            found.append((times[i], end, name))
    return found


def with_states(contact: Contact, telemetry: Telemetry) -> Contact:
    """Take the states from the node's own telemetry where the bench did not list them."""
    states = telemetry.get("link.pat_state")
    if contact.pat_state or states is None:
        return contact
    t_s = telemetry.t_s
    inside = (t_s >= contact.start_s) & (t_s < contact.end_s)
    listed: list[str | int | None] = [
        None if np.isnan(v) else int(v) for v in states[inside].tolist()
    ]
    return Contact(
        contact_id=contact.contact_id,
        start_s=contact.start_s,
        end_s=contact.end_s,
        t_s=t_s[inside].tolist(),
        pat_state=listed,
    )


def _pat_band(contact: Contact) -> Markup:
    segments = state_runs(contact)
    if not segments:
        return not_recorded("Pointing, acquisition and tracking")
    length = max(contact.end_s - contact.start_s, 1.0)
    names = list(dict.fromkeys(name for _, _, name in segments))
    colours = {name: PAT_COLOURS.get(name, palette.cycle(i)) for i, name in enumerate(names)}
    bars = [
        el(
            "rect",
            el("title", f"{name} for {duration(end - start)}"),
            x=f"{start - contact.start_s:.2f}",
            y="0",
            width=f"{max(end - start, length / 600.0):.2f}",
            height="1",
            fill=colours[name],
        )
        for start, end, name in segments
    ]
    totals = {n: sum(b - a for a, b, name in segments if name == n) for n in names}
    keys = [swatch(colours[n], f"{n.replace('_', ' ')} {duration(totals[n])}") for n in names]
    band = el(
        "svg",
        *bars,
        viewBox=f"0 0 {length:.2f} 1",
        preserveAspectRatio="none",
        class_="pat",
        role="img",
        aria_label="Pointing, acquisition and tracking states",
    )
    return join(band, el("p", *keys, class_="key"))


def _curves(contact: Contact) -> list[Markup]:
    span = (contact.start_s, contact.end_s)
    mbps = [None if (v := known(b)) is None else v / 1e6 for b in contact.goodput_bps or []]
    wanted = (
        ("Elevation, °", contact.elevation_deg, palette.BLUE, True, None),
        ("Range, km", contact.range_km, palette.AMBER, False, None),
        ("Link margin, dB", contact.margin_db, palette.PURPLE, False, 0.0),
        ("Goodput, Mbit/s", mbps, palette.GREEN, True, None),
    )
    made = [
        small_plot(
            Curve(
                title=title,
                t_s=contact.t_s,
                values=values or [],
                colour=colour,
                zero_based=zero,
                floor_line=line,
            ),
            span,
        )
        for title, values, colour, zero, line in wanted
    ]
    return [plot for plot in made if plot is not None]


def _card(contact: Contact, flown: Pass | None, telemetry: Telemetry) -> Markup:
    plots = _curves(contact)
    kind = contact.kind.upper()
    name = "Relay contact" if kind == "RELAY" else "Ground pass"
    peak = contact.max_elevation_deg
    facts = [
        f"{mission_time(contact.start_s)} to {mission_time(contact.end_s)}",
        f"highest {number(peak, 1, '°')}" if known(peak) is not None else None,
        f"{number(contact.frames_good)} frames good",
        f"{number(contact.frames_lost)} lost",
        f"{number(contact.frames_retransmitted)} sent again",
        f"{scaled(contact.bytes_acknowledged, 'B')} acknowledged",
        f"{number(contact.products_completed)} products complete",
    ]
    return el(
        "article",
        el(
            "div",
            el("h4", f"{name} {contact.contact_id}: {contact.peer}"),
            badge(flown.verdict) if flown is not None and flown.verdict else None,
            class_="head",
        ),
        el("p", " · ".join(fact for fact in facts if fact), class_="note"),
        el("div", *plots, class_="plots") if plots else not_recorded("Geometry and link"),
        _pat_band(with_states(contact, telemetry)),
        class_="contact",
        style=f"--c:{palette.CONTACT_COLOURS.get(kind, palette.GREY)}",
    )


def contacts(record: RunRecord) -> Markup:
    """Make the table of all contacts and a card for each of the first forty."""
    passes = record.summary.passes
    detailed = record.data.contacts
    if not passes and not detailed:
        return not_recorded("Contacts")
    by_id = {str(p.contact_id): p for p in passes}
    cards = [_card(c, by_id.get(str(c.contact_id)), record.telemetry) for c in detailed[:CARDS_MAX]]
    rest = len(detailed) - len(cards)
    return join(
        table(_HEAD, _pass_rows(passes), class_="dense") if passes else None,
        el(
            "p",
            "Link after: from the start of the contact until the link was acquired. Again: frames "
            "that repeat lost data. Below a margin of 0 dB the receiver has too little light.",
            class_="note",
        ),
        figure(record, "received"),
        *cards,
        el("p", f"{rest} more contacts are in report_data.json.", class_="note") if rest else None,
    )
