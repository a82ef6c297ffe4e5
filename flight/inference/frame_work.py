"""Which networks look at a frame, in which order: cheap first, dear only where it pays. Pure.

A tile that the cheap network finds full of cloud is worth a mask and nothing more, and its mask is
good enough for that. At the start every candidate runs the first frame, and the fastest one of
this board flies: int8 is twice as fast as float32 on one and half as fast on another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.inference.job import Job

if TYPE_CHECKING:
    from flight.inference.job import Result, Tile
    from flight.inference.model_manifest import ModelBytes
    from flight.inference.result_products import DraftKind, ValueTable

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

    def fly(self, model: ModelBytes) -> None:
        """This model flies from now on; one that came up has no candidates beside it."""
        if (model.name, model.variant) == (self._plan.model_name, self._plan.variant):
            self._open = bool(self._plan.candidates)
        else:
            self._open = False
        self._name, self.variant = model.name, model.variant
        self._threshold = model.manifest.threshold

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
        """The stage after `job`, None when that was the last."""
        screen = self._plan.screen
        if not screen or job.variant != screen or self.variant == screen:
            return None
        if result.screening.cloud_permille >= self._plan.screen_cloud_permille:
            return None
        return self._dear(job.tile)

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
