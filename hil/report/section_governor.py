"""How much of the possible the governor delivered, what was lost to what, and how others did."""

from hil.report.markup import Child, Markup, el, join, table
from hil.report.quantity import DASH, duration, known, number, percent
from hil.report.run_record import RunRecord
from hil.report.run_values import GovernorScore, OtherGovernor
from hil.score.run_losses import pictures_lost

_NAMES = {
    "guard": "guard alone",
    "planner": "planner above the guard",
    "none": "none, always the highest level",
    "step_wise": "Linux step_wise",
    "power_allocator": "Linux power_allocator (IPA)",
}
_HOW = "lumenode score governor --compare --run"


def governor(record: RunRecord) -> Markup:
    """Make the headline, the gap by cause, what binds the bound, and the other governors."""
    score = record.score
    if score is None or known(score.value_bound) is None:
        return join(_not_scored(record), _dropped(record))
    return join(
        _headline(score),
        _lost(score),
        _split(score),
        _binds(score),
        _others(score),
        el("p", _how_bound(score), class_="note"),
    )


def _not_scored(record: RunRecord) -> Markup:
    return el(
        "p",
        "Not scored yet: ",
        el("code", f"{_HOW} {record.run_dir.name}"),
        " works out what no governor could exceed on this scenario, and flies others on it.",
        class_="empty",
    )


def _dropped(record: RunRecord) -> Markup:
    """Pictures that nobody computed, by the reason in force: that much is known at once."""
    shown = known(record.summary.frames_seen)
    if shown is None:
        return join()
    try:
        lost = pictures_lost(record.telemetry.channels, int(shown))
    except (KeyError, ValueError):  # channels that are not there, or not of one run
        return join()
    rows: list[list[Child]] = [
        [cause.value, number(count, 0), percent(count, shown)]
        for cause, count in sorted(lost.items(), key=lambda kv: -kv[1])
        if count >= 0.5
    ]
    head = [("Pictures lost to", ""), ("Count", "num"), ("Of all", "num")]
    return table(head, rows, class_="narrow") if rows else join()


def _how_bound(score: GovernorScore) -> str:
    told = (
        "The bound is a linear programme over minutes with all of the scenario known beforehand; "
        "wherever it differs from the bench it earns more."
    )
    if not score.kept:
        return f"{told} It keeps the limits that a run is judged by, die and battery."
    targets = ", ".join(f"{where} {number(limit, 1)}" for where, limit in score.kept.items())
    return (
        f"{told} It keeps the limits that a run is judged by, die and battery, and what this node "
        f"keeps: nothing is computed above {targets}. Governors of others keep no such targets "
        "and are held against the bound without them."
    )


def _headline(score: GovernorScore) -> Markup:
    told = (
        f"Delivered {number(score.value_delivered, 1)} of {number(score.value_bound, 1)} that no "
        f"governor could exceed: {percent(score.share)}. Flown by: {_name(score.governor)}."
    )
    return el("p", told, class_="sentence")


def _name(governor: str) -> str:
    return _NAMES.get(governor, governor or DASH)


def _lost(score: GovernorScore) -> Markup:
    """The gap by cause; what even the bound leaves is taken off again."""
    bound = score.value_bound
    rows: list[list[Child]] = [
        [cause, number(value, 1), percent(value, bound)]
        for cause, value in sorted(score.lost.items(), key=lambda kv: -(known(kv[1]) or 0.0))
        if abs(known(value) or 0.0) >= 0.05
    ]
    out_of_reach = (known(score.value_all) or 0.0) - (known(bound) or 0.0)
    if out_of_reach >= 0.05:
        rows.append(
            ["less what nobody could have had", number(-out_of_reach, 1),
             percent(-out_of_reach, bound)]
        )  # fmt: skip
    gap = (known(bound) or 0.0) - (known(score.value_delivered) or 0.0)
    rows.append([el("strong", each) for each in _sum("gap to the bound", gap, bound)])
    head = [("Lost to", ""), ("Value", "num"), ("Of the bound", "num")]
    return table(head, rows, class_="narrow")


def _split(score: GovernorScore) -> Markup:
    if not score.split:
        return join()
    rows: list[list[Child]] = [
        [cause, number(value, 1), percent(value, score.value_bound)]
        for cause, value in score.split.items()
    ]
    head = [("The same gap, by what it would take", ""), ("Value", "num"), ("Of the bound", "num")]
    return table(head, rows, class_="narrow")


def _sum(what: str, value: float, bound: object) -> tuple[str, str, str]:
    return what, number(value, 1), percent(value, bound)


def _binds(score: GovernorScore) -> Markup:
    if not any(abs(known(value) or 0.0) >= 0.05 for value in score.bound_costs.values()):
        return el("p", "No limit of the node costs the bound anything here.", class_="note")
    rows: list[list[Child]] = [
        [limit, number(value, 1), percent(value, score.value_bound)]
        for limit, value in score.bound_costs.items()
    ]
    head = [("Without this limit the bound is higher by", ""), ("Value", "num"), ("Of it", "num")]
    return table(head, rows, class_="narrow")


def _others(score: GovernorScore) -> Markup:
    if not score.others:
        return el(
            "p", "Other governors on this scenario: ", el("code", f"{_HOW} DIR"), class_="note"
        )
    ranked = sorted(score.others, key=lambda o: -(known(o.value_delivered) or 0.0))
    rows: list[list[Child]] = [
        [
            _name(o.governor),
            o.form.replace(" ", "\N{NO-BREAK SPACE}") or DASH,
            number(o.value_delivered, 1),
            percent(o.value_delivered, _bound_of(o, score)),
            _violation(o),
            number(o.temp_die_c_max, 1, "°C"),
            percent(o.soc_min),
        ]
        for o in ranked
    ]
    return table(
        [
            ("Governor on this scenario", ""), ("Tuned to", ""), ("Delivered", "num"),
            ("Of the bound", "num"), ("Outside limits", "num"), ("Hottest die", "num"),
            ("Lowest charge", "num"),
        ],
        rows,
        row_attributes=[{"class_": "failed outside" if _outside_s(o) else None} for o in ranked],
    )  # fmt: skip


def _bound_of(other: OtherGovernor, score: GovernorScore) -> object:
    return score.value_bound if other.own else (score.value_bound_free or score.value_bound)


def _outside_s(other: OtherGovernor) -> float:
    return (known(other.violation_s_thermal) or 0.0) + (known(other.violation_s_soc) or 0.0)


def _violation(other: OtherGovernor) -> str:
    return duration(_outside_s(other))
