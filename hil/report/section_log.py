"""What was said and how to fly it again: commands, resets, events, reproduction, credits."""

import shlex

from flight.telemetry.dictionary import RESET_LABELS
from hil.report.charts import figure
from hil.report.markup import Child, Markup, el, join, table
from hil.report.quantity import DASH, mission_time, number
from hil.report.run_record import SEVERITIES, RunRecord, severity_rank
from hil.report.run_values import Event

COMMAND_ROWS_MAX = 200
SCENARIO_CHARS_MAX = 60_000
SENTINEL_CREDIT = "Contains modified Copernicus Sentinel data."


def commands(record: RunRecord) -> Markup:
    """Make the counts of commands and the table of what became of each."""
    s = record.summary
    about = [event for event in record.events.shown if event.is_about_a_command]
    rows: list[list[Child]] = [
        [mission_time(e.t_s), e.name.replace("_", " ").lower(), e.text]
        for e in about[:COMMAND_ROWS_MAX]
    ]
    head = [("At", "num"), ("Stage", ""), ("Command", "wide")]
    more = len(about) - len(rows)
    return join(
        el(
            "p",
            f"Accepted: {number(s.commands_accepted)}. Rejected: {number(s.commands_rejected)}.",
        ),
        table(head, rows) if rows else None,
        el("p", f"{more} more are in events.jsonl.", class_="note") if more else None,
    )


def resets(record: RunRecord) -> Markup:
    """Make the table of resets."""
    listed = record.data.resets or record.summary.resets
    if not listed:
        return el("p", "The node did not reset.")
    rows: list[list[Child]] = []
    for reset in listed:
        cause = reset.cause
        if isinstance(cause, int) and 0 <= cause < len(RESET_LABELS):
            cause = RESET_LABELS[cause]
        rows.append([str(cause).replace("_", " "), mission_time(reset.t_s)])
    return table([("Cause", ""), ("At", "num")], rows, class_="narrow")


def _event_row(event: Event) -> list[Child]:
    return [
        mission_time(event.t_s),
        el("span", event.severity, class_=f"severity s{severity_rank(event.severity)}"),
        event.source,
        event.name,
        event.text,
    ]


def _filters(events: list[Event]) -> Markup:
    severities = [s for s in SEVERITIES if any(e.severity == s for e in events)]
    sources = sorted({event.source for event in events})
    return el(
        "form",
        el(
            "label",
            "At least ",
            el("select", *[el("option", s, value=SEVERITIES.index(s)) for s in severities],
               id="event-severity"),
        ),
        el(
            "label",
            "From ",
            el(
                "select",
                el("option", "everyone", value=""),
                *[el("option", source, value=source) for source in sources],
                id="event-source",
            ),
        ),
        el("label", "Find ", el("input", type="search", id="event-text", autocomplete="off")),
        el("output", f"{len(events)} events", id="event-count"),
        class_="filters",
    )  # fmt: skip


def events(record: RunRecord) -> Markup:
    """Make the table of every event above INFO, with the counts of all."""
    log = record.events
    above = [event for event in log.shown if severity_rank(event.severity) >= 2]
    counts = record.summary.events_by_severity or {}
    told = ", ".join(
        f"{number(counts[name])} {name}"
        for name in sorted(counts, key=lambda n: (-severity_rank(n), n))
    )
    attributes: list[dict[str, object]] = [
        {"data_rank": severity_rank(e.severity), "data_source": e.source} for e in above
    ]
    head = [("At", "num"), ("Severity", ""), ("Source", ""), ("Event", ""), ("Text", "wide")]
    return join(
        el("p", f"{number(log.total)} events in the log" + (f": {told}." if told else ".")),
        el("p", f"{log.left_out} less severe ones are only in events.jsonl.", class_="note")
        if log.left_out
        else None,
        _filters(above) if above else None,
        table(
            head, [_event_row(e) for e in above], class_="dense events", row_attributes=attributes
        )
        if above
        else el("p", "No event above INFO.", class_="empty"),
    )


def command_line(record: RunRecord) -> str:
    """Return the line that flies the same run again."""
    s = record.summary
    parts = ["lumenode", "run", s.scenario or "scenario.toml"]
    parts += ["--target", s.target] if s.target else []
    parts += ["--seed", str(s.seed)] if s.seed is not None else []
    return shlex.join(parts)


def reproduce(record: RunRecord) -> Markup:
    """Make the line that repeats the run, the hash to expect and the scenario as flown."""
    s = record.summary
    scenario = record.scenario_text[:SCENARIO_CHARS_MAX]
    return join(
        el("pre", el("code", command_line(record)), class_="command"),
        el(
            "p",
            "The same software, wheels, processor feature level, scenario and seed give this log "
            "hash again: ",
            el("code", s.log_hash or DASH),
            ". The scenario as flown, with every default written out, is in scenario.toml beside "
            "this report.",
        ),
        el("details", el("summary", "scenario.toml"), el("pre", el("code", scenario)))
        if scenario
        else None,
        figure(record, "memory", "Measured on the host, so not part of the log hash.")
        if record.telemetry.get("sys.rss_mib") is not None
        else None,
    )


def uses_sentinel(record: RunRecord) -> bool:
    """Tell whether imagery of this run comes from Copernicus Sentinel."""
    told = [*record.data.credits, *[product.origin or "" for product in record.products]]
    return any("sentinel" in entry.lower() or entry.startswith("S2") for entry in told)


def credit_lines(record: RunRecord) -> Markup:
    """Make the credits of imagery, map and charts."""
    lines = list(dict.fromkeys(record.data.credits))
    if uses_sentinel(record) and not any("modified copernicus" in x.lower() for x in lines):
        lines.insert(0, SENTINEL_CREDIT)
    lines.append("Coastlines: Natural Earth (public domain), by way of world-atlas (ISC).")
    lines.append("Charts: uPlot (MIT).")
    return el("ul", *[el("li", line) for line in lines], class_="credits")
