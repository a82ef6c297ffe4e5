"""Bands over mission time: modes, throttle reason, contacts, faults, with eclipse behind them.

Drawn as SVG in seconds, stretched to the width of the charts below; the script zooms a band by
changing its view box. All words stand in HTML beside the bands, so nothing is stretched.
"""

from flight.telemetry.dictionary import MODE_LABELS, THROTTLE_LABELS
from hil.report import palette
from hil.report.decimate import runs
from hil.report.markup import Markup, el, join, not_recorded
from hil.report.quantity import clock_axis, duration, mission_time, percent
from hil.report.run_record import RunRecord

TICK_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)

Span = tuple[float, float, str, str]  # start_s, end_s, colour, title


def time_span(record: RunRecord) -> tuple[float, float]:
    """Return first and last mission time of the run's one shared axis, in seconds."""
    t_s = record.telemetry.t_s
    if len(t_s) > 1 and t_s[-1] > t_s[0]:
        return (float(t_s[0]), float(t_s[-1]))
    return (0.0, max(float(record.summary.sim_s or 0.0), 1.0))


def eclipses(record: RunRecord) -> list[tuple[float, float]]:
    """Return the eclipses: as told by the bench, else where the sun fraction is below one half."""
    if record.data.eclipses:
        return list(record.data.eclipses)
    sun = record.telemetry.get("truth.sun_fraction")
    if sun is None:
        return []
    dark = runs(record.telemetry.t_s, (sun < 0.5).astype(float))
    return [(start, end) for start, end, value in dark if value == 1]


def ticks_s(start_s: float, end_s: float, most: int = 12) -> list[float]:
    """Choose round times for a time axis."""
    step = next((s for s in TICK_STEPS_S if (end_s - start_s) / s <= most), TICK_STEPS_S[-1])
    first = -(-start_s // step) * step
    return [first + i * step for i in range(int((end_s - first) // step) + 1)]


def _lane(record: RunRecord, label: str, spans: list[Span], *, note: str = "") -> Markup:
    (start, end) = time_span(record)
    width = end - start
    dark = [
        el("rect", x=f"{a:.1f}", y="0", width=f"{max(0.0, b - a):.1f}", height="1", class_="dark")
        for a, b in eclipses(record)
    ]
    bars = [
        el(
            "rect",
            el("title", title),
            x=f"{a:.1f}",
            y="0.12",
            width=f"{max(b - a, width / 1200.0):.1f}",
            height="0.76",
            fill=colour,
        )
        for a, b, colour, title in spans
    ]
    resets = [
        el("line", x1=f"{t:.1f}", x2=f"{t:.1f}", y1="0", y2="1", class_="reset")
        for t in reset_times(record)
    ]
    svg = el(
        "svg",
        *dark,
        *bars,
        *resets,
        viewBox=f"{start:.1f} 0 {width:.1f} 1",
        preserveAspectRatio="none",
        class_="band",
        role="img",
        aria_label=f"{label} over mission time",
    )
    return el(
        "div",
        el("span", label, class_="lane-name"),
        el("div", svg, class_="lane-plot"),
        el("span", note, class_="lane-note"),
        class_="lane",
    )


def reset_times(record: RunRecord) -> list[float]:
    """Return the times of all resets that are known, from the bench or the summary."""
    listed = record.data.resets or record.summary.resets
    return [reset.t_s for reset in listed if reset.t_s is not None]


def _mode_lanes(record: RunRecord) -> list[Markup]:
    values = record.telemetry.get("mode.current")
    if values is None:
        return [not_recorded("Modes (mode.current)")]
    (start, end) = time_span(record)
    segments = runs(record.telemetry.t_s, values)
    lanes: list[Markup] = []
    for index, name in enumerate(record.data.modes or MODE_LABELS):
        colour = palette.MODE_COLOURS.get(name, palette.cycle(index))
        mine = [(a, b) for a, b, value in segments if value == index]
        total = sum(b - a for a, b in mine)
        spans = [(a, b, colour, f"{name} {mission_time(a)} to {mission_time(b)}") for a, b in mine]
        note = percent(total, end - start) if total else "never"
        lanes.append(_lane(record, name, spans, note=note))
    return lanes


def _throttle_lane(record: RunRecord) -> tuple[Markup, Markup | None]:
    values = record.telemetry.get("governor.throttle_reason")
    if values is None:
        return (not_recorded("Throttle reason (governor.throttle_reason)"), None)
    names = record.data.throttle_reasons or THROTTLE_LABELS
    spans: list[Span] = []
    seen: dict[str, tuple[str, float]] = {}
    for a, b, value in runs(record.telemetry.t_s, values):
        name = names[value] if value < len(names) else f"reason {value}"
        if name == "none":
            continue
        colour = palette.cycle(value)
        seen[name] = (colour, seen.get(name, (colour, 0.0))[1] + b - a)
        spans.append((a, b, colour, f"{name} {mission_time(a)} to {mission_time(b)}"))
    items = [
        swatch(colour, f"{name.replace('_', ' ')} ({duration(total)})")
        for name, (colour, total) in seen.items()
    ]
    key = el("p", "Throttled by: ", *items, class_="key") if items else None
    (start, end) = time_span(record)
    share = percent(sum(total for _, total in seen.values()), end - start) if seen else "never"
    return (_lane(record, "Throttle", spans, note=share), key)


def swatch(colour: str, label: str, kind: str = "box") -> Markup:
    """Make one entry of a legend."""
    mark = el("i", class_=f"swatch {kind}", style=f"--c:{colour}")
    return el("span", mark, label, class_="key-item")


def _fault_spans(record: RunRecord) -> list[Span]:
    (_, end) = time_span(record)
    return [
        (
            fault.start_s,
            end if fault.end_s is None else fault.end_s,
            palette.ROSE,
            f"{number}. {fault.kind}: {fault.text}",
        )
        for number, fault in enumerate(record.data.faults, start=1)
    ]


def _contact_spans(record: RunRecord, kind: str) -> list[Span]:
    return [
        (
            contact.start_s,
            contact.end_s,
            palette.CONTACT_COLOURS[kind],
            f"{contact.peer} {mission_time(contact.start_s)} to {mission_time(contact.end_s)}",
        )
        for contact in record.data.contacts
        if contact.kind.upper() == kind
    ]


def axis(record: RunRecord) -> Markup:
    """Make the time axis under the bands; the script redraws it on zoom."""
    (start, end) = time_span(record)
    marks = [
        el("span", clock_axis(t), style=f"left:{100.0 * (t - start) / (end - start):.3f}%")
        for t in ticks_s(start, end)
    ]
    return el("div", el("div", *marks, class_="ticks"), class_="lane axis")


def timeline(record: RunRecord) -> Markup:
    """Make the whole figure: lanes, axis and key."""
    (throttle, key) = _throttle_lane(record)
    lanes = [*_mode_lanes(record), throttle]
    for kind, label in (("OGS", "Ground"), ("RELAY", "Relay")):
        spans = _contact_spans(record, kind)
        if spans:
            lanes.append(_lane(record, label, spans, note=str(len(spans))))
    faults = _fault_spans(record)
    if faults:
        lanes.append(_lane(record, "Faults", faults, note=str(len(faults))))
    legend = el(
        "p",
        swatch("#d5dbe3", "eclipse"),
        swatch(palette.ROSE, "fault injected") if faults else None,
        swatch(palette.RED, "reset", "line") if reset_times(record) else None,
        class_="key",
    )
    cursor = el("div", class_="lane-cursor")
    return join(el("div", *lanes, axis(record), cursor, class_="lanes"), key, legend)
