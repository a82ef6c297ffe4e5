"""Admission of inference jobs: the hop "judged" of image → ground. Pure.

One tile and the state of the node go in, one verdict comes out. The rules are a table read from the
top: the first that applies decides, so the verdict names the most fundamental reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.inference.job import Result, Tile


class Verdict(Enum):
    """What happens to a tile; every verdict has its own counter in the service."""

    ADMIT = "admit"
    DISABLED = "disabled"
    SKIP_DARK = "skip_dark"
    REFUSE_STALE = "refuse_stale"
    REFUSE_POWER = "refuse_power"
    REFUSE_THERMAL = "refuse_thermal"
    REFUSE_QUEUE_FULL = "refuse_queue_full"
    REFUSE_WORTH = "refuse_worth"


class Limit(Enum):
    """Which budget holds the payload down, as the governor tells it."""

    NONE = "none"
    POWER = "power"
    THERMAL = "thermal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The node as admission sees it.

    ``payload_level`` is the level the governor grants (0: payload off) and ``limit`` its reason;
    ``energy_left_mj`` is what the present budget still allows, None where nothing rations it;
    ``store_free_bytes`` is what the product store could still take; ``price_millis_per_j`` what a
    joule could earn elsewhere, 0 where nobody says.
    """

    enabled: bool
    payload_level: int
    limit: Limit
    energy_left_mj: int | None
    jobs_waiting: int
    jobs_capacity: int
    store_free_bytes: int
    price_millis_per_j: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a job takes: energy, run time at the granted level, product bytes; when it is late.

    ``value_millis`` is what it is worth at best.
    """

    energy_mj: int
    run_ns: int
    products_bytes: int
    deadline_ns: int | None
    value_millis: int = 0


WORTH_SHARE = 0.5
"""Refused is only what is worth less than so much of the price of its energy: the price is that of
the mean frame, and one that is refused for a hair's breadth helps nobody."""

_RULES: tuple[tuple[Verdict, Callable[[Tile, Need, Conditions, int], bool]], ...] = (
    (Verdict.DISABLED, lambda _t, _n, c, _now: not c.enabled),
    (Verdict.SKIP_DARK, lambda t, _n, _c, _now: not t.sunlit),
    (Verdict.REFUSE_STALE, lambda _t, n, _c, now_ns: _too_late(n, now_ns)),
    (Verdict.REFUSE_THERMAL, lambda _t, _n, c, _now: _held_by(c, Limit.THERMAL)),
    # A payload that is off for no stated reason is counted with power: nothing grants it any.
    (Verdict.REFUSE_POWER, lambda _t, _n, c, _now: c.payload_level <= 0),
    (Verdict.REFUSE_POWER, lambda _t, n, c, _now: _over_budget(n, c)),
    (Verdict.REFUSE_QUEUE_FULL, lambda _t, _n, c, _now: c.jobs_waiting >= c.jobs_capacity),
    (Verdict.REFUSE_QUEUE_FULL, lambda _t, n, c, _now: n.products_bytes > c.store_free_bytes),
    (Verdict.REFUSE_WORTH, lambda _t, n, c, _now: _below_price(n, c)),
)


def judge(tile: Tile, need: Need, conditions: Conditions, now_ns: int) -> Verdict:
    """Return the verdict on running inference on ``tile`` at ``now_ns``."""
    for verdict, applies in _RULES:
        if applies(tile, need, conditions, now_ns):
            return verdict
    return Verdict.ADMIT


def _too_late(need: Need, now_ns: int) -> bool:
    return need.deadline_ns is not None and now_ns + need.run_ns > need.deadline_ns


def _held_by(conditions: Conditions, limit: Limit) -> bool:
    return conditions.payload_level <= 0 and conditions.limit is limit


def _over_budget(need: Need, conditions: Conditions) -> bool:
    return conditions.energy_left_mj is not None and need.energy_mj > conditions.energy_left_mj


def _below_price(need: Need, conditions: Conditions) -> bool:
    price_millis = conditions.price_millis_per_j * need.energy_mj / 1000.0
    return need.value_millis < WORTH_SHARE * price_millis


SHARE = 8
"""A new run counts as one part in so many: a level that changed is known after about a dozen."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run. ``energy_mj`` is 0 where nothing measures or models it."""

    run_ns: int
    energy_mj: int


FREE = Cost(0, 0)
"""What is not known yet is not held against a tile."""


class CostBook:
    """Running means by variant; bounded by the number of variants."""

    def __init__(self) -> None:
        self._costs: dict[str, Cost] = {}

    def cost(self, variant: str) -> Cost:
        """The mean of the last runs, `FREE` before the first."""
        return self._costs.get(variant, FREE)

    def forget(self) -> None:
        """The board runs at another level now: what was learned does not hold."""
        self._costs.clear()

    def learn(self, variant: str, result: Result) -> None:
        """Take one run in."""
        new = Cost(result.finished_ns - result.started_ns, result.energy_mj or 0)
        old = self._costs.get(variant)
        if old is not None:
            new = Cost(
                old.run_ns + (new.run_ns - old.run_ns) // SHARE,
                old.energy_mj + (new.energy_mj - old.energy_mj) // SHARE,
            )
        self._costs[variant] = new
