"""What happened on board over mission time: modes, power, heat, inference, queue."""

from typing import Any

import numpy as np

from hil.report.charts import figure
from hil.report.ground_track import ground_track
from hil.report.markup import Child, Markup, el, join, not_recorded, table
from hil.report.quantity import (
    DASH,
    duration,
    known,
    mission_time,
    number,
    percent,
    scaled,
)
from hil.report.run_record import RunRecord
from hil.report.section_outcome import MODELLED, is_modelled
from hil.report.timeline import eclipses, time_span, timeline


def _extreme(record: RunRecord, channel: str, *, highest: bool) -> tuple[float, float] | None:
    """Return (value, mission time in s) of the extreme of a channel."""
    values = record.telemetry.get(channel)
    if values is None:
        return None
    at = int(np.nanargmax(values) if highest else np.nanargmin(values))
    return (float(values[at]), float(record.telemetry.t_s[at]))


def orbit(record: RunRecord) -> Markup:
    """Make the map and its caption."""
    dark = eclipses(record)
    (start, end) = time_span(record)
    shadow = sum(max(0.0, min(b, end) - max(a, start)) for a, b in dark)
    stations = len(record.data.stations)
    told = [
        f"{len(dark)} eclipses, {duration(shadow)} in all ({percent(shadow, end - start)})."
        if dark
        else "No eclipse in this run.",
        f"{stations} ground stations; those in grey had no contact." if stations else "",
    ]
    caption = " ".join(part for part in told if part)
    return el("figure", ground_track(record), el("figcaption", caption))


def modes(record: RunRecord) -> Markup:
    """Make the bands over mission time, and the faults that were injected."""
    faults: list[list[Child]] = [
        [
            number(i),
            mission_time(fault.start_s),
            "to the end" if fault.end_s is None else duration(fault.end_s - fault.start_s),
            fault.kind,
            fault.text,
        ]
        for i, fault in enumerate(record.data.faults, start=1)
    ]
    head = [("No.", "num"), ("At", "num"), ("For", "num"), ("Fault", ""), ("What", "wide")]
    return join(
        el("figure", timeline(record)),
        el("h3", "Faults injected") if faults else None,
        table(head, faults) if faults else el("p", "No faults were injected.", class_="note"),
    )


def power(record: RunRecord) -> Markup:
    """Make the charts of power and battery."""
    lowest = _extreme(record, "truth.soc", highest=False)
    floor = known(record.summary.soc_floor)
    caption = ""
    if lowest is not None:
        caption = f"Lowest true charge {percent(lowest[0])} at {mission_time(lowest[1])}"
        if floor is None:
            caption += "."
        elif lowest[0] < floor:
            caption += f": below the floor of {percent(floor)}."
        else:
            caption += f", {number(100.0 * (lowest[0] - floor), 1)} points over the floor."
    estimate = _estimate_error(record)
    s = record.summary
    energy = (
        f"Energy over the run: array {scaled(s.energy_j_array, 'J')}, compute "
        f"{scaled(s.energy_j_compute, 'J')}, laser {scaled(s.energy_j_laser, 'J')}."
    )
    return join(
        figure(record, "power", energy),
        figure(record, "soc", f"{caption} {estimate}".strip()),
        figure(record, "current"),
        figure(record, "voltage"),
    )


def _estimate_error(record: RunRecord) -> str:
    true = record.telemetry.get("truth.soc")
    estimate = record.telemetry.get("power.soc_estimate")
    if true is None or estimate is None:
        return ""
    error = np.abs(true - estimate)
    if bool(np.isnan(error).all()):
        return ""
    return f"Largest error of the estimate {number(100.0 * float(np.nanmax(error)), 2)} points."


def heat(record: RunRecord) -> Markup:
    """Make the charts of temperature and of what the governor made of it."""
    channel = "truth.die_c" if record.telemetry.get("truth.die_c") is not None else "thermal.die_c"
    hottest = _extreme(record, channel, highest=True)
    caption = ""
    if hottest is not None:
        caption = f"Hottest die {number(hottest[0], 1, '°C')} at {mission_time(hottest[1])}."
    return join(
        figure(record, "temperature", caption),
        figure(record, "level"),
        figure(record, "prices") if _planned(record) else None,
        figure(record, "learned", _capacity(record)) if _learns(record) else None,
        _shares(record.summary.throttle_s_by_reason, record.summary.sim_s),
    )


def _planned(record: RunRecord) -> bool:
    """Whether a planner led the payload for as much as one sample."""
    level = record.telemetry.get("plan.level")
    return level is not None and bool((level >= 0.0).any())


def _learns(record: RunRecord) -> bool:
    """Whether the node had a model of itself to hold against what it saw."""
    return record.telemetry.get("learned.array_w") is not None


def _capacity(record: RunRecord) -> str:
    values = record.telemetry.get("learned.capacity")
    if values is None:
        return ""
    last = float(values[np.isfinite(values)][-1])
    return f"The battery holds {percent(last)} of its rated charge, as learned by the end."


def _shares(by_reason: dict[str, float | None] | None, whole_s: float | None) -> Markup:
    if by_reason is None:
        return not_recorded("Throttled time by reason")
    rows: list[list[Child]] = [
        [name.replace("_", " "), duration(seconds), percent(seconds, whole_s)]
        for name, seconds in sorted(by_reason.items(), key=lambda kv: (-(kv[1] or 0.0), kv[0]))
        if name != "none" and known(seconds)
    ]
    if not rows:
        return el("p", "The payload was never throttled.", class_="note")
    head = [("Payload throttled by", ""), ("Time", "num"), ("Share", "num")]
    return table(head, rows, class_="narrow")


def inference(record: RunRecord) -> Markup:
    """Make the figures of on-board inference; modelled values are marked."""
    s = record.summary
    told = record.data.inference
    mark = MODELLED if is_modelled(record) else None
    each = told.j_mean if told else None
    count = known(s.inferences)
    if each is None and count and known(s.energy_j_compute) is not None:
        each = (known(s.energy_j_compute) or 0.0) / count
    executed = None if count is None else count - (known(s.inferences_memoised) or 0.0)
    times = [told.ms_mean, told.ms_p95, told.ms_max] if told else [None, None, None]
    rows: list[list[Child]] = [
        ["Tiles seen", number(s.frames_seen)],
        ["Inferences", number(s.inferences)],
        ["executed by the network", number(executed)],
        ["answered from memory (same tile, same model)", number(s.inferences_memoised)],
    ]
    names = ("Mean duration", "95th percentile of duration", "Longest duration")
    for name, value in zip(names, times, strict=True):
        if known(value) is not None:
            rows.append([name, join(number(value, 1, "ms"), " ", mark)])
    if not told or known(told.ms_mean) is None:
        rows.append(["Duration", "not recorded"])
    rows.append(["Compute energy per inference", join(number(each, 2, "J"), " ", mark)])
    return join(
        table([("Figure", ""), ("Value", "num")], rows, class_="narrow"),
        figure(record, "jobs"),
    )


def _flat(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        found: list[tuple[str, Any]] = []
        for name in sorted(value):
            found += _flat(value[name], f"{prefix}{name} ")
        return found
    return [(prefix.strip() or "queue", value)]


def queue(record: RunRecord) -> Markup:
    """Make the charts of the downlink queue and its counters of loss."""
    s = record.summary
    drops = [pair for pair in _flat(s.drops_by_queue or {}) if pair[0] != "queue"]
    rows: list[list[Child]] = [[name, number(count)] for name, count in drops]
    high = [
        f"{name} {number(amount)}"
        for name, amount in _flat(s.queue_high_water)
        if known(amount) is not None
    ]
    caption = f"High-water mark: {', '.join(high)}." if high else ""
    return join(
        figure(record, "queue", caption),
        figure(record, "backlog"),
        table([("Lost from", ""), ("Count", "num")], rows, class_="narrow") if rows else None,
        None if rows else el("p", f"Drops by queue: {DASH}", class_="note"),
    )
