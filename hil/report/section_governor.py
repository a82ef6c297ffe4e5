"""How much of the possible the governor delivered, what was lost to what, and how others did."""

from hil.report.markup import Child, Markup, el, join, table
from hil.report.quantity import DASH, duration, known, number, percent
from hil.report.run_record import RunRecord
from hil.report.run_values import GovernorScore, OtherGovernor

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
        return el(
            "p",
            "Not scored yet: ",
            el("code", f"{_HOW} {record.run_dir.name}"),
            " works out what no governor could exceed on this scenario, and flies others on it.",
            class_="empty",
        )
    return join(
        _headline(score),
        _lost(score),
        _binds(score),
        _others(score),
        el(
            "p",
            "The bound is a linear programme over minutes with all of the scenario known "
            "beforehand; wherever it differs from the bench it earns more. It keeps to the limits "
            "that a run is judged by, die and battery; the node also to the targets set for die "
            "and heat sink.",
            class_="note",
        ),
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
            percent(o.value_delivered, score.value_bound),
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


def _outside_s(other: OtherGovernor) -> float:
    return (known(other.violation_s_thermal) or 0.0) + (known(other.violation_s_soc) or 0.0)


def _violation(other: OtherGovernor) -> str:
    return duration(_outside_s(other))
