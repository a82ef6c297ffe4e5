"""The inference side of the node: what to run on frames and what the results are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from flight.inference.inference_service import ImagingPlan, InferenceService
from flight.inference.job import InferenceError, InferenceFailure
from flight.inference.result_products import DraftKind, ValueTable

if TYPE_CHECKING:
    from flight.composition.surroundings import Shared
    from flight.config import NodeConfig
    from flight.downlink.product_intake import ProductIntake
    from flight.inference.job import Job, Result

NS_PER_S = 1_000_000_000


@final
class UnavailableEngine:
    """Stands for an engine without a usable model; runs nothing.

    Attributes:
        reason: in one line.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def run(self, job: Job) -> Result:  # noqa: ARG002  as every engine is asked
        """Raises `InferenceError`, whatever the job."""
        raise InferenceError(InferenceFailure.MODEL_ERROR, self.reason)

    def close(self) -> None:
        """There is nothing to give back."""


def inference_service(shared: Shared, intake: ProductIntake) -> InferenceService:
    """One life of the service; InferenceError when there is no engine that could run a job."""
    around = shared.around
    if isinstance(around.engine, UnavailableEngine):
        raise InferenceError(InferenceFailure.MODEL_ERROR, around.engine.reason)
    service = InferenceService(
        clock=around.clock,
        frames=around.frames,
        engine=around.engine,
        plan=imaging_plan(around.config, around.threshold),
        intake=intake,
        status=shared.status,
        channels=shared.channels,
        events=shared.events,
        counts=shared.counts,
        heart=shared.hearts.inference,
    )
    shared.queues.add(service.backlog)
    return service


def imaging_plan(config: NodeConfig, threshold: float) -> ImagingPlan:
    """What to run on frames and what the results are worth."""
    values, camera = config.values, config.camera
    return ImagingPlan(
        model_name=config.inference.model,
        variant=config.inference.variant,
        threshold=threshold,
        frame_deadline_ns=int(camera.deadline_s * NS_PER_S),
        backlog_frames=camera.backlog_frames,
        values=ValueTable(
            mask_land_millis=round(values.mask_land * 1000),
            mask_sea_millis=round(values.mask_sea * 1000),
            quicklook_land_millis=round(values.quicklook_land * 1000),
            quicklook_sea_millis=round(values.quicklook_sea * 1000),
            quicklook_cloud_permille_max=round(values.quicklook_cloud_max * 1000),
        ),
        deadlines_ns={
            DraftKind.MASK: int(values.mask_deadline_s * NS_PER_S),
            DraftKind.QUICKLOOK: int(values.quicklook_deadline_s * NS_PER_S),
        },
    )
