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

    from flight.inference.job import Tile


class Verdict(Enum):
    """What happens to a tile; every verdict has its own counter in the service."""

    ADMIT = "admit"
    DISABLED = "disabled"
    SKIP_DARK = "skip_dark"
    REFUSE_STALE = "refuse_stale"
    REFUSE_POWER = "refuse_power"
    REFUSE_THERMAL = "refuse_thermal"
    REFUSE_QUEUE_FULL = "refuse_queue_full"


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
    ``store_free_bytes`` is what the product store could still take.
    """

    enabled: bool
    payload_level: int
    limit: Limit
    energy_left_mj: int | None
    jobs_waiting: int
    jobs_capacity: int
    store_free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a job takes: energy, run time at the granted level, product bytes; when it is late."""

    energy_mj: int
    run_ns: int
    products_bytes: int
    deadline_ns: int | None


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
