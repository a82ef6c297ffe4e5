"""The model that flies and the one that wants to: hop "replaced in flight" of the image flow. Pure.

A model comes as a load (kind "model"): looked at here, kept durably, and then waits for its trial,
which the inference service gives it between two frames, in a worker of its own. Only what passed
flies; what flew before stays the way back, and is taken by itself after failures in a row.

What is where says a record of two slots (`model_slots`), kept durably (`model_store`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flight.commanding.loadable import LoadVerdict
from flight.inference.model_manifest import ModelBytes, ModelError, unpack_bundle
from flight.inference.model_slots import (
    FACTORY,
    ModelSlots,
    accept,
    factory_alone,
    refuse,
    roll_back,
    stage,
    vacate,
)
from flight.telemetry.command_table import LOAD_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.inference.model_manifest import Bundle

FORMAT_VERSION = 1
FAILURES_MAX = 3
"""So many jobs in a row without an answer, and the former model flies again."""
REASON_CHARS_MAX = 200
"""Of what is told: a manifest may hold a quarter of a million characters."""


class Kept(Protocol):
    """Where models are kept (`ModelStore`)."""

    slots: ModelSlots
    mended: list[str]

    def write_record(self, slots: ModelSlots) -> None:
        """Durable, then in force; raises ``OSError``."""

    def write(self, slot: str, bundle: bytes, vacated: ModelSlots) -> None:
        """Both copies, once the record that does not name the slot counts; raises ``OSError``."""

    def load(self, slot: str) -> ModelBytes:
        """The model in a slot; raises ``ModelError``."""

    def bundle(self, slot: str) -> bytes:
        """Its bundle; raises ``ModelError``."""


class ModelDeck:
    """One a node. A `Loadable`.

    Args:
        companions: what the engine holds beside it, whatever it is.
        signed_by: whether a signature over these octets is the ground's.
        fits: raises ``ModelError`` for a model that this camera cannot feed.
        tell: event name and its arguments.

    Attributes:
        flown: the model that flies.
        exchange: the engine does not hold the crew yet.
    """

    kind = "model"
    version = FORMAT_VERSION
    bytes_max = LOAD_BYTES_MAX

    def __init__(
        self,
        kept: Kept,
        companions: tuple[ModelBytes, ...],
        *,
        signed_by: Callable[[bytes, bytes], bool],
        fits: Callable[[ModelBytes], None],
        tell: Callable[..., None],
    ) -> None:
        """Raises nothing: a model that cannot be read any more gives way to the former one."""
        self._kept = kept
        self._companions = companions
        self._signed_by = signed_by
        self._fits = fits
        self._tell = tell
        self._failures = 0
        self._on_trial = False
        self.exchange = True
        self.flown = self._readable()

    @property
    def waiting(self) -> bool:
        """Whether a trial or an exchange is due at the next frame boundary."""
        return self.exchange or bool(self._kept.slots.staged)

    @property
    def shipped(self) -> bool:
        """Whether the factory's model flies."""
        return self._kept.slots.active == FACTORY

    @property
    def crew(self) -> list[ModelBytes]:
        """Every model that the engine has to hold."""
        same = (self.flown.name, self.flown.variant)
        return [self.flown, *(m for m in self._companions if (m.name, m.variant) != same)]

    def validate(self, data: bytes) -> LoadVerdict:
        """Bundle, hash, signature, inputs: what can be said without running it."""
        return self._judged(data)[0]

    def activate(self, data: bytes, now_ns: int) -> LoadVerdict:  # noqa: ARG002  a Loadable's
        """Keeps it, durably; it flies once it has passed its trial, and not before."""
        verdict, bundle = self._judged(data)
        if bundle is None:
            return verdict
        target = stage(self._kept.slots).staged
        self._on_trial = False  # whatever is tried meanwhile was in this slot: this one is due next
        try:
            self._kept.write(target, data, vacate(self._kept.slots, target))
            slots = stage(self._kept.slots)
            self._kept.write_record(slots)
        except OSError:
            return LoadVerdict.NOT_DURABLE
        model = bundle.model
        self._tell("MODEL_STAGED", model=_named(model), slot=slots.staged)
        return LoadVerdict.OK

    def roll_back(self, now_ns: int) -> LoadVerdict:  # noqa: ARG002  a Loadable's
        """Exchanges the model that flies and the former one, at the next frame boundary."""
        try:
            taken = self._back("command", give_up=False, record=self._kept.write_record)
        except OSError:
            return LoadVerdict.NOT_DURABLE
        return LoadVerdict.OK if taken else LoadVerdict.NOT_FOUND

    def dump(self) -> bytes:
        """The bundle that flies; empty if it cannot be read."""
        try:
            return self._kept.bundle(self._kept.slots.active)
        except ModelError:
            return b""

    def candidate(self) -> ModelBytes | None:
        """The model whose trial is due; one that cannot be read is refused here."""
        staged = self._kept.slots.staged
        if not staged:
            return None
        self._on_trial = True
        try:
            return self._kept.load(staged)
        except (ModelError, OSError) as error:
            self.refuse(f"slot {staged}", str(error))
            return None

    def accept(self, candidate: ModelBytes) -> None:
        """It passed: it flies from now on, unless another one has come up in the meantime."""
        if not self._on_trial:
            return
        self._on_trial = False
        self._record(accept(self._kept.slots))
        self.flown, self._failures, self.exchange = candidate, 0, True
        self._tell("MODEL_ACTIVATED", model=_named(candidate), slot=self._kept.slots.active)

    def refuse(self, name: str, reason: str) -> None:
        """It did not pass; what flew flies on, and one that came up meanwhile has its own trial."""
        if self._on_trial:
            self._record(refuse(self._kept.slots))
        self._on_trial = False
        self._refused(name, reason)

    def exchanged(self) -> None:
        """The engine holds the crew."""
        self.exchange = False

    def answered(self) -> None:
        """A good answer of the model that flies."""
        self._failures = 0

    def failed(self, why: str) -> bool:
        """A job of the model that flies gave nothing; whether the former one flies from now on."""
        self._failures += 1
        if self._failures < FAILURES_MAX:
            return False
        cause = f"{self._failures} failures in a row, the last: {why}"
        return self._back(cause, give_up=True, record=self._record)

    def mended(self) -> None:
        """Tell of stored copies that were written again."""
        told, self._kept.mended[:] = list(self._kept.mended), []
        for line in told:
            self._tell("MODEL_COPY_MENDED", copy=line)

    def _judged(self, data: bytes) -> tuple[LoadVerdict, Bundle | None]:
        try:
            bundle = unpack_bundle(data)
        except ModelError as error:
            self._refused("load", str(error))
            return LoadVerdict.UNREADABLE, None
        name = _named(bundle.model)
        if not self._signed_by(bundle.signature, bundle.signed):
            self._refused(name, "not signed by this node's ground")
            return LoadVerdict.REFUSED, None
        try:
            self._fits(bundle.model)
        except ModelError as error:
            self._refused(name, str(error))
            return LoadVerdict.REFUSED, None
        return LoadVerdict.OK, bundle

    def _refused(self, name: str, reason: str) -> None:
        self._tell("MODEL_REFUSED", model=name, reason=reason[:REASON_CHARS_MAX])

    def _back(self, cause: str, *, give_up: bool, record: Callable[[ModelSlots], None]) -> bool:
        """Whether the former model flies; raises what ``record`` raises, and then it does not."""
        slots = roll_back(self._kept.slots, give_up=give_up)
        if slots is None:
            return False
        try:
            former = self._kept.load(slots.active)
        except (ModelError, OSError) as error:
            self._refused(f"slot {slots.active}", str(error))
            return False
        left = self.flown
        record(slots)
        self.flown, self._failures, self.exchange = former, 0, True
        self._tell("MODEL_ROLLED_BACK", old=_named(left), new=_named(former), cause=cause)
        return True

    def _record(self, slots: ModelSlots) -> None:
        """In force at once; one that is not durable is told and holds until the next start."""
        try:
            self._kept.write_record(slots)
        except OSError as error:
            self._kept.slots = slots
            self._tell("MODEL_COPY_MENDED", copy=f"record not durable: {error.strerror}")

    def _readable(self) -> ModelBytes:
        """The active model, the first that can be read on the way back, or what the engine has."""
        while True:
            try:
                return self._kept.load(self._kept.slots.active)
            except (ModelError, OSError) as error:
                reason = str(error)
            slots = self._kept.slots
            self._record(roll_back(slots, give_up=True) or factory_alone(slots))
            self._refused(f"slot {slots.active}", reason)
            if slots.active == self._kept.slots.active == FACTORY:
                return self._companions[0]


def _named(model: ModelBytes) -> str:
    return f"{model.name} {model.manifest.version} {model.variant}"
