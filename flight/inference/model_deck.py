"""The model that flies and the one that wants to: hop "replaced in flight" of the image flow. Pure.

A model comes as a load (kind "model"): looked at here, kept durably, and then waits for its trial,
which the inference service gives it between two frames, in a worker of its own. Only what passed
flies; what flew before stays the way back, and is taken by itself after failures in a row.

    (any) --stage--> TRIAL --accept--> flies, the former is the way back
                       |
                       +---refuse----> gone, what flew flies on
    flies --so many failures in a row, or by command--> the former flies, no way back from there

The record of two slots beside the factory's model is small and durable (`model_store`).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from flight.commanding.loadable import LoadVerdict
from flight.inference.model_manifest import ModelBytes, ModelError, unpack_bundle
from flight.telemetry.command_table import LOAD_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.inference.model_manifest import Bundle

FORMAT_VERSION = 1
FACTORY: Literal["factory"] = "factory"
FAILURES_MAX = 3
"""So many jobs in a row without an answer, and the former model flies again."""
_CRC_BYTES = 4

Slot = Literal["factory", "a", "b", ""]
SLOTS: tuple[Slot, ...] = ("a", "b")


class ModelSlots(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record. `staged` waits for its trial; "" is none.

    `count` goes up with every change, so that the newer of two copies is known.
    """

    active: Slot = FACTORY
    former: Slot = ""
    staged: Slot = ""
    count: int = 0


def stage(slots: ModelSlots) -> ModelSlots:
    """A new model comes: into the slot that neither flies nor, if possible, is the way back."""
    free = [slot for slot in SLOTS if slot != slots.active]
    target = next((slot for slot in free if slot != slots.former), free[0])
    former = FACTORY if slots.former == target else slots.former
    return _next(slots, staged=target, former=former)


def accept(slots: ModelSlots) -> ModelSlots:
    """The staged model passed its trial and flies."""
    assert slots.staged, "nothing was staged"
    return _next(slots, active=slots.staged, former=slots.active, staged="")


def refuse(slots: ModelSlots) -> ModelSlots:
    """The staged model did not pass: what flew flies on."""
    return _next(slots, staged="")


def roll_back(slots: ModelSlots, *, give_up: bool) -> ModelSlots | None:
    """The former model flies again; None without one.

    By command the two change places; ``give_up`` leaves no way to the one that failed.
    """
    if not slots.former:
        return None
    return _next(slots, active=slots.former, former="" if give_up else slots.active)


def start_over(slots: ModelSlots) -> ModelSlots:
    """The factory's model flies, whatever flew; what flew is the way back."""
    former = slots.former if slots.active == FACTORY else slots.active
    return _next(slots, active=FACTORY, former=former, staged="")


def encode_slots(slots: ModelSlots) -> bytes:
    """The record with its CRC-32."""
    content = msgspec.json.encode(slots)
    return content + zlib.crc32(content).to_bytes(_CRC_BYTES, "big")


def decode_slots(data: bytes) -> ModelSlots | None:
    """The record, or None for anything damaged."""
    content, crc = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
    if zlib.crc32(content).to_bytes(_CRC_BYTES, "big") != crc:
        return None
    try:
        return msgspec.json.decode(content, type=ModelSlots)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _next(slots: ModelSlots, **changes: str) -> ModelSlots:
    return msgspec.structs.replace(slots, count=slots.count + 1, **changes)


class Kept(Protocol):
    """Where models are kept (`ModelStore`)."""

    slots: ModelSlots
    mended: list[str]

    def write_record(self, slots: ModelSlots) -> None:
        """Durable, then in force; raises ``OSError``."""

    def write(self, slot: str, bundle: bytes) -> None:
        """Both copies; raises ``OSError``."""

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
        self._exchange = True
        self.flown = self._readable()

    @property
    def waiting(self) -> bool:
        """Whether a trial or an exchange is due at the next frame boundary."""
        return self._exchange or bool(self._kept.slots.staged)

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
        slots = stage(self._kept.slots)
        try:
            self._kept.write(slots.staged, data)
            self._kept.write_record(slots)
        except OSError:
            return LoadVerdict.NOT_DURABLE
        model = bundle.model
        self._tell("MODEL_STAGED", model=_named(model), slot=slots.staged)
        return LoadVerdict.OK

    def roll_back(self, now_ns: int) -> LoadVerdict:  # noqa: ARG002  a Loadable's
        """Exchanges the model that flies and the former one, at the next frame boundary."""
        return LoadVerdict.OK if self._back("command", give_up=False) else LoadVerdict.NOT_FOUND

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
        try:
            return self._kept.load(staged)
        except (ModelError, OSError) as error:
            self.refuse(f"slot {staged}", str(error))
            return None

    def accept(self, candidate: ModelBytes) -> None:
        """It passed: it flies from now on."""
        self._record(accept(self._kept.slots))
        self.flown, self._failures, self._exchange = candidate, 0, True
        self._tell("MODEL_ACTIVATED", model=_named(candidate), slot=self._kept.slots.active)

    def refuse(self, name: str, reason: str) -> None:
        """It did not pass; what flew flies on."""
        self._record(refuse(self._kept.slots))
        self._tell("MODEL_REFUSED", model=name, reason=reason)

    def exchanged(self) -> None:
        """The engine holds the crew."""
        self._exchange = False

    def answered(self) -> None:
        """A good answer of the model that flies."""
        self._failures = 0

    def failed(self, why: str) -> bool:
        """A job of the model that flies gave nothing; whether the former one flies from now on."""
        self._failures += 1
        if self._failures < FAILURES_MAX:
            return False
        return self._back(f"{self._failures} failures in a row, the last: {why}", give_up=True)

    def mended(self) -> None:
        """Tell of stored copies that were written again."""
        told, self._kept.mended[:] = list(self._kept.mended), []
        for line in told:
            self._tell("MODEL_COPY_MENDED", copy=line)

    def _judged(self, data: bytes) -> tuple[LoadVerdict, Bundle | None]:
        try:
            bundle = unpack_bundle(data)
        except ModelError as error:
            self._tell("MODEL_REFUSED", model="load", reason=str(error))
            return LoadVerdict.UNREADABLE, None
        name = _named(bundle.model)
        if not self._signed_by(bundle.signature, bundle.signed):
            self._tell("MODEL_REFUSED", model=name, reason="not signed by this node's ground")
            return LoadVerdict.REFUSED, None
        try:
            self._fits(bundle.model)
        except ModelError as error:
            self._tell("MODEL_REFUSED", model=name, reason=str(error))
            return LoadVerdict.REFUSED, None
        return LoadVerdict.OK, bundle

    def _back(self, cause: str, *, give_up: bool) -> bool:
        slots = roll_back(self._kept.slots, give_up=give_up)
        if slots is None:
            return False
        try:
            former = self._kept.load(slots.active)
        except (ModelError, OSError) as error:
            self._tell("MODEL_REFUSED", model=f"slot {slots.active}", reason=str(error))
            return False
        left = self.flown
        self._record(slots)
        self.flown, self._failures, self._exchange = former, 0, True
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
        """The active model, or the first that can be read on the way back."""
        while True:
            try:
                return self._kept.load(self._kept.slots.active)
            except (ModelError, OSError) as error:
                reason = str(error)
            slots = roll_back(self._kept.slots, give_up=True)
            old = self._kept.slots.active
            self._record(ModelSlots() if slots is None else slots)
            self._tell("MODEL_REFUSED", model=f"slot {old}", reason=reason)


def _named(model: ModelBytes) -> str:
    return f"{model.name} {model.manifest.version} {model.variant}"
