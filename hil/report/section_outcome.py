"""The first page: what flew, whether it held, and the figures that matter."""

from datetime import datetime
from typing import Any

from hil.report.markup import Child, Markup, el, join, not_recorded, table
from hil.report.quantity import (
    DASH,
    compact,
    duration,
    known,
    number,
    percent,
    scaled,
)
from hil.report.run_record import RunRecord
from hil.report.run_values import Expectation

MODELLED = el("abbr", "modelled", class_="modelled", title="computed by the bench, not measured")
_VERDICTS = {
    "pass": ("pass", "✓", "PASS"),
    "fail": ("fail", "✕", "FAIL"),
    "acquired": ("pass", "✓", "ACQUIRED"),
    "failed": ("fail", "✕", "FAILED"),
}
_MEASURING_TARGETS = ("serial",)


def badge(verdict: str | None, *, large: bool = False) -> Markup:
    """Make a verdict with shape, word and colour."""
    if not verdict:
        return el("span", DASH, class_="badge other")
    (kind, mark, word) = _VERDICTS.get(verdict.lower(), ("other", "!", verdict.upper()))
    return el("span", f"{mark} {word}", class_=f"badge {kind}{' large' if large else ''}")


def is_modelled(record: RunRecord) -> bool:
    """Tell whether durations and energies come from the bench's model rather than a board."""
    if record.data.inference is not None:
        return record.data.inference.modelled
    return not record.summary.target.startswith(_MEASURING_TARGETS)


def mission_name(record: RunRecord) -> str:
    """Return the mission's name: told by the bench, else by the scenario."""
    told = record.data.mission or record.scenario.get("title") or record.scenario.get("name")
    return str(told or record.summary.scenario or "Mission")


def _epoch(record: RunRecord) -> str:
    told = record.data.epoch_utc or record.scenario.get("epoch_utc")
    if isinstance(told, datetime):
        return told.isoformat().replace("+00:00", "Z")
    return str(told or DASH)


def _hashes(value: Any) -> Child:
    if isinstance(value, dict) and value:
        lines = [el("div", f"{name}: ", el("code", value[name])) for name in sorted(value)]
        return join(*lines)
    if isinstance(value, list) and value:
        return join(*[el("div", el("code", entry)) for entry in value])
    return el("code", value) if value else DASH


def header(record: RunRecord) -> Markup:
    """Make the title block with the verdict and the identity of the run."""
    s = record.summary
    description = record.scenario.get("description")
    facts: list[tuple[str, Child]] = [
        ("Scenario", s.scenario or DASH),
        ("Target", s.target or DASH),
        ("Seed", DASH if s.seed is None else str(s.seed)),
        ("Mission start (UTC)", _epoch(record)),
        ("Mission time flown", duration(s.sim_s)),
        ("Software", f"lumenode {s.software_version}" if s.software_version else DASH),
    ]
    hashes: list[tuple[str, Child]] = [
        ("Log hash", _hashes(s.log_hash)),
        ("Dictionary", _hashes(s.dictionary_hash)),
        ("Models", _hashes(s.model_hashes)),
    ]
    if s.cpu_features:
        hashes.append(("Processor features", _hashes(s.cpu_features)))
    return el(
        "header",
        el(
            "div",
            el("div", el("p", "Lumenode mission report", class_="kicker"), class_="brand"),
            badge(s.verdict, large=True),
            class_="top",
        ),
        el("h1", mission_name(record)),
        el("p", description, class_="lead") if isinstance(description, str) else None,
        _facts(facts, "facts"),
        _facts(hashes, "facts hashes"),
    )


def _facts(facts: list[tuple[str, Child]], class_: str) -> Markup:
    return el("dl", *[el("div", el("dt", k), el("dd", v)) for k, v in facts], class_=class_)


def verdict_sentence(record: RunRecord) -> str:
    """Say the outcome in a sentence."""
    every = record.summary.expectations
    failed = [e for e in every if e.verdict.lower() != "pass"]
    if not every:
        return "This scenario states no expectations."
    if not failed:
        return f"All {len(every)} expectations held."
    names = ", ".join(e.id or e.text for e in failed[:5])
    more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
    return f"{len(failed)} of {len(every)} expectations did not hold: {names}{more}."


def _tile(label: str, value: Child, note: Child, *, bad: bool = False) -> Markup:
    return el(
        "div",
        el("div", label, class_="label"),
        el("div", value, class_="value"),
        el("div", note, class_="note"),
        class_="tile bad" if bad else "tile",
    )


def _flight_tiles(record: RunRecord) -> list[Markup]:
    s = record.summary
    modelled = MODELLED if is_modelled(record) else None
    soc_bad = bool(known(s.violation_s_soc))
    die_bad = bool(known(s.violation_s_thermal))
    return [
        _tile(
            "Lowest battery charge",
            percent(s.soc_min),
            f"floor {percent(s.soc_floor, digits=0)}, below it {duration(s.violation_s_soc)}",
            bad=soc_bad,
        ),
        _tile(
            "Hottest die",
            number(s.temp_die_c_max, 1, "°C"),
            f"limit {number(s.temp_die_c_limit, 0, '°C')}, "
            f"limits exceeded for {duration(s.violation_s_thermal)}",
            bad=die_bad,
        ),
        _tile(
            "Energy for compute",
            scaled(s.energy_j_compute, "J"),
            join(f"of {scaled(s.energy_j_array, 'J')} from the array ", modelled),
        ),
        _tile(
            "Resets",
            number(len(s.resets)),
            f"events suppressed {number(s.events_suppressed)}",
        ),
    ]


def _yield_tiles(record: RunRecord) -> list[Markup]:
    s = record.summary
    again = percent(s.frames_retransmitted, s.frames_sent, 2)
    return [
        _tile(
            "Products delivered",
            number(s.products_delivered),
            f"of {number(s.products_created)} created; {number(s.products_evicted)} evicted",
        ),
        _tile(
            "Value delivered",
            percent(s.value_delivered, s.value_created),
            f"{compact(s.value_delivered)} of {compact(s.value_created)}",
        ),
        _tile(
            "Data delivered",
            scaled(s.bytes_delivered, "B"),
            f"of {scaled(s.bytes_created, 'B')} created",
        ),
        _tile(
            "Frames sent",
            number(s.frames_sent),
            f"{percent(s.frames_lost, s.frames_sent, 2)} lost, {again} sent again",
        ),
        _tile(
            "Inferences",
            number(s.inferences),
            f"of {number(s.frames_seen)} tiles seen; {number(s.inferences_memoised)} memoised",
        ),
    ]


def key_figures(record: RunRecord) -> Markup:
    """Make the outcome sentence and the tiles."""
    s = record.summary
    ran = (
        f"Flown in {duration(s.wall_s)} of wall time ({number(s.speed_x)} times real time, "
        f"{duration(s.cpu_s)} of processor time)."
    )
    contacts = [p for p in s.passes if known(p.bytes_delivered)]
    passes = _tile(
        "Contacts",
        number(len(s.passes)),
        f"{len(contacts)} brought data down",
    )
    problems = [
        el("p", "Parts of this run could not be read:", class_="note"),
        el("ul", *[el("li", problem) for problem in record.problems[:20]]),
    ]
    return join(
        el("p", verdict_sentence(record), class_="sentence"),
        el("div", *_yield_tiles(record), passes, *_flight_tiles(record), class_="tiles"),
        el("p", ran, class_="note") if known(s.wall_s) is not None else None,
        el("div", *problems, class_="problems") if record.problems else None,
    )


def _requirement(expectation: Expectation) -> str:
    ids = expectation.requirement
    if isinstance(ids, list):
        return ", ".join(str(entry) for entry in ids)
    return str(ids) if ids else DASH


def _measure(value: Any, unit: str | None) -> str:
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return compact(value, unit or "")
    if isinstance(value, list):
        return " to ".join(_measure(entry, None) for entry in value) + (f" {unit}" if unit else "")
    return str(value)


def expectations(record: RunRecord) -> Markup:
    """Make the table of expectations with requirement, measured value, limit and verdict."""
    listed = record.summary.expectations
    if not listed:
        return not_recorded("Expectations")
    traced = any(e.requirement for e in listed)
    rows: list[list[Child]] = [
        [
            e.id or DASH,
            *([_requirement(e)] if traced else []),
            e.text or DASH,
            e.kind.replace("_", " ") or DASH,
            _measure(e.measured, e.unit),
            _measure(e.limit, e.unit),
            badge(e.verdict),
        ]
        for e in listed
    ]
    head = [("Id", ""), *([("Requirement", "")] if traced else [])]
    head += [("Expectation", "wide"), ("Kind", "")]
    return table(
        [*head, ("Measured", "num"), ("Limit", "num"), ("Verdict", "")],
        rows,
        class_="expectations",
        row_attributes=[
            {"class_": None if e.verdict.lower() == "pass" else "failed"} for e in listed
        ],
    )
