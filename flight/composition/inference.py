"""The inference side of the node: what to run on frames and what the results are worth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, final

from flight.inference.admission import ImagingPlan
from flight.inference.inference_service import InferenceService
from flight.inference.job import InferenceError, InferenceFailure
from flight.inference.model_manifest import ModelBytes, ModelError, layout_fault
from flight.inference.model_registry import (
    AUTO,
    AUTO_VARIANTS,
    SCREEN_VARIANT,
)
from flight.inference.result_products import DraftKind, ValueTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.composition.surroundings import Shared, Surroundings
    from flight.config import NodeConfig
    from flight.downlink.product_intake import ProductIntake
    from flight.inference.job import Job, Result
    from flight.inference.model_deck import ModelDeck
    from flight.telemetry.event_log import EventLog
    from flight.thermal.board_profile import BoardProfile

NS_PER_S = 1_000_000_000


@final
class UnavailableEngine:
    """Stands for an engine without a usable model; runs nothing.

    Attributes:
        reason: in one line.
    """

    depth = 1

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def run(self, job: Job) -> Result:  # noqa: ARG002  as every engine is asked
        """Raises `InferenceError`, whatever the job."""
        raise InferenceError(InferenceFailure.MODEL_ERROR, self.reason)

    async def trial(self, candidate: ModelBytes) -> str:  # noqa: ARG002  as every engine is asked
        """Nothing is tried here."""
        return self.reason

    async def adopt(self, models: Sequence[ModelBytes]) -> None:
        """Nothing is held here."""

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
        plan=imaging_plan(around.config, around.models.crew),
        intake=intake,
        status=shared.status,
        channels=shared.channels,
        events=shared.events,
        counts=shared.counts,
        heart=shared.hearts.inference,
        deck=shared.deck,
        profile_w=partial(_profile_w, around.profile),
    )
    shared.queues.add(service.backlog)
    return service


def _profile_w(profile: BoardProfile, level: int) -> float | None:
    return profile.active_w(level) if profile.watts_known else None


def model_deck(around: Surroundings, events: EventLog) -> ModelDeck | None:
    """What takes models from the ground; None where nobody keeps them, or none shall be taken."""
    models = around.models
    if models.store is None or not models.crew or not around.config.inference.upload:
        return None
    # Only then: a node that takes none needs nothing of it.
    from flight.inference.model_deck import ModelDeck  # noqa: PLC0415

    clock, bands = around.clock, around.config.camera.bands

    def tell(name: str, **args: float | str) -> None:
        events.emit(name, clock.now_ns(), **args)

    def fits(model: ModelBytes) -> None:
        fault = layout_fault(model.manifest, bands)
        if fault:
            raise ModelError(fault)

    def signed_by(signature: bytes, signed: bytes) -> bool:
        # Only when a model has come up.
        from flight.model_keys import is_signed  # noqa: PLC0415

        return bool(models.key) and is_signed(models.key, signature, signed)

    if models.fault:
        tell("MODEL_REFUSED", model="as shipped", reason=models.fault)
    if around.on_defaults:
        models.store.start_over()
    return ModelDeck(models.store, models.crew, signed_by=signed_by, fits=fits, tell=tell)


def imaging_plan(config: NodeConfig, crew: Sequence[ModelBytes]) -> ImagingPlan:
    """What to run on frames, of the networks that there are, and what the results are worth."""
    values, camera, inference = config.values, config.camera, config.inference
    first, held = crew[0], {model.variant for model in crew}
    auto = inference.variant == AUTO
    return ImagingPlan(
        model_name=first.name,
        variant=first.variant,
        threshold=first.manifest.threshold,
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
        candidates=tuple(each for each in AUTO_VARIANTS if each in held and auto),
        screen=SCREEN_VARIANT if inference.cascade and SCREEN_VARIANT in held else "",
        screen_cloud_permille=round(inference.cascade_cloud_min * 1000),
        confirm_value_millis=round(inference.confirm_value * 1000),
    )
