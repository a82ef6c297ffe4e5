"""Which frames are computed, and by which networks: the hop "judged" of image → ground. Pure.

One tile and the state of the node go in, one verdict comes out. The rules are a table read from the
top: the first that applies decides, so the verdict names the most fundamental reason.

An admitted frame goes to the cheap network first and to the dear one only where it pays: a tile
full of cloud is worth a mask and nothing more, and the cheap mask is good enough for that. At the
start every candidate runs the first frame, and the fastest one of this board flies: int8 is twice
as fast as float32 on one and half as fast on another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from flight.inference.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.inference.job import Result, Tile
    from flight.inference.model_manifest import ModelBytes
    from flight.inference.result_products import DraftKind, ValueTable


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
    ``store_free_bytes`` is what the product store could still take, ``worth_room`` says whether the
    queue would keep it; ``price_millis_per_j`` what a joule could earn elsewhere, 0 if unknown.
    """

    enabled: bool
    payload_level: int
    limit: Limit
    energy_left_mj: int | None
    jobs_waiting: int
    jobs_capacity: int
    store_free_bytes: int
    price_millis_per_j: float = 0.0
    worth_room: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a job takes: energy, run time at the granted level, product bytes; its best value."""

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
    (Verdict.REFUSE_QUEUE_FULL, lambda _t, _n, c, _now: not c.worth_room),
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


SUSPECT_PERMILLE = 200
"""Of the tile: `small` and `fp32` were at most 83 apart on 28 tiles of a Sentinel-2 scene."""
PROBES = 5
"""Runs of each candidate; the fastest counts, so that one disturbance decides nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingPlan:
    """What to run and what it is worth.

    Attributes:
        model_name, variant, threshold: the network and where its probability means cloud.
        frame_deadline_ns: a frame older than this is worth nothing.
        backlog_frames: frames that may wait.
        values: the mission's value table.
        deadlines_ns: how long each kind of product is worth sending.
        candidates: variants of which the faster one flies, found out at the start; empty for one
            that is given.
        screen: variant that looks first, or ""; a tile that it finds cloudy from
            `screen_cloud_permille` on is done with that, so that the dear network sees ground.
        confirm_value_millis: a tile that may be worth as much is run twice; 0 is none.
    """

    model_name: str
    variant: str
    threshold: float
    frame_deadline_ns: int
    backlog_frames: int
    values: ValueTable
    deadlines_ns: dict[DraftKind, int]
    candidates: tuple[str, ...] = ()
    screen: str = ""
    screen_cloud_permille: int = 850
    confirm_value_millis: int = 0

    def value_millis(self, *, land: bool) -> int:
        """What a tile is worth at best: clear ground."""
        values = self.values
        if land:
            return values.mask_land_millis + values.quicklook_land_millis
        return values.mask_sea_millis + values.quicklook_sea_millis


class FrameWork:
    """The jobs of frames, one after the other.

    Attributes:
        variant: the one that flies.
        times_ms: of each candidate, its fastest run.
    """

    def __init__(self, plan: ImagingPlan) -> None:
        self._plan = plan
        self._name = plan.model_name
        self._threshold = plan.threshold
        self._open = bool(plan.candidates)
        self.variant = plan.variant
        self.times_ms: dict[str, float] = {}

    def fly(self, model: ModelBytes, *, shipped: bool) -> None:
        """This model flies from now on; one that came up has no candidates beside it."""
        planned = (model.name, model.variant) == (self._plan.model_name, self._plan.variant)
        self._open = shipped and planned and bool(self._plan.candidates)
        self._name, self.variant = model.name, model.variant
        self._threshold = model.manifest.threshold

    @property
    def undecided(self) -> bool:
        """Which variant flies is still to be found out."""
        return self._open

    def probes(self, tile: Tile) -> list[Job]:
        """Jobs that tell which candidate is the fastest; none once that is known."""
        if not self._open:
            return []
        return [
            self._job(tile, variant) for variant in self._plan.candidates for _ in range(PROBES)
        ]

    def timed(self, variant: str, duration_ms: float) -> None:
        """One probe's time."""
        self.times_ms[variant] = min(self.times_ms.get(variant, duration_ms), duration_ms)

    def choose(self) -> str | None:
        """The fastest candidate flies; None when there was nothing to choose."""
        if not self._open or not self.times_ms:
            return None
        self._open = False
        self.variant = min(self.times_ms, key=self.times_ms.__getitem__)
        return self.variant

    def first(self, tile: Tile) -> Job:
        """The first stage."""
        screen = self._plan.screen
        return self._job(tile, screen) if screen else self._dear(tile)

    def next(self, job: Job, result: Result) -> Job | None:
        """The stage after `job`, None when that was the last.

        Two networks that see another picture are a reason to look once more, in two sessions: one
        of them may have had a fault that is gone by now.
        """
        found, before = result.screening.cloud_permille, job.cloud_permille_before
        if before is not None and abs(found - before) > SUSPECT_PERMILLE:
            return replace(job, twice=True, cloud_permille_before=None)
        if not self.screens(job) or found >= self._plan.screen_cloud_permille:
            return None
        return replace(self._dear(job.tile), cloud_permille_before=found)

    def screens(self, job: Job) -> bool:
        """Whether it is the cheap network's, and that is not the one that flies."""
        return job.variant == self._plan.screen != self.variant

    def _dear(self, tile: Tile) -> Job:
        worth = self._plan.value_millis(land=tile.land)
        least = self._plan.confirm_value_millis
        return self._job(tile, self.variant, twice=0 < least <= worth)

    def _job(self, tile: Tile, variant: str, *, twice: bool = False) -> Job:
        plan = self._plan
        flown = variant == self.variant
        return Job(
            job_id=tile.tile_id,
            tile=tile,
            model_name=self._name if flown else plan.model_name,
            variant=variant,
            deadline_ns=tile.captured_ns + plan.frame_deadline_ns,
            value_hint_millis=plan.value_millis(land=tile.land),
            threshold=self._threshold if flown else plan.threshold,
            quicklook_cloud_permille_max=plan.values.quicklook_cloud_permille_max,
            twice=twice,
        )
