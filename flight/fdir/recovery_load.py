"""What the ground may tune of limits and recoveries, in one load, and the way back.

Pure, but for the port that makes it durable. A set says what differs from the tables that the
software was built with: bounds, dead band, persistence and age of a limit; activity, retries and
sequence of a recovery. Neither a condition nor an action can be made in flight: what the node can
do about a fault stays reviewed and tested; how soon and how often it does it is the operator's.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, final

import msgspec
from msgspec import Meta

from flight.commanding.loadable import LoadVerdict
from flight.fdir.recovery_row import Activity, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flight.fdir.limit_row import Limit
    from flight.fdir.recovery_row import Recovery

_NS_PER_S: Final = 1_000_000_000
BYTES_MAX: Final = 16_384
RULED_BY_PARAMETERS: Final = ("battery",)
"""Limits whose bounds are parameters: two masters of one number would be one too many."""

_USUAL: Final = Retry(times=1, within_ns=3_600 * _NS_PER_S)
"""What a tuning leaves out, of a row that was built without a budget."""

Bound = Annotated[float, Meta(ge=-1e6, le=1e6)]


class LimitTuning(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What differs in one limit, in the unit of its channel; what is left out is as built."""

    low_red: Bound | None = None
    low_yellow: Bound | None = None
    high_yellow: Bound | None = None
    high_red: Bound | None = None
    hysteresis: Annotated[float, Meta(ge=0.0, le=1e6)] | None = None
    persistence: Annotated[int, Meta(ge=1, le=3_600)] | None = None
    stale_after_s: Annotated[float, Meta(gt=0.0, le=86_400.0)] | None = None


class RowTuning(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What differs in one recovery; `times` 0 is no budget, `sequence` "" is none."""

    activity: Literal["active", "shadow", "disabled"] = "active"
    times: Annotated[int, Meta(ge=0, le=100)] | None = None
    within_s: Annotated[float, Meta(ge=1.0, le=604_800.0)] | None = None
    every_s: Annotated[float, Meta(ge=0.0, le=86_400.0)] | None = None
    sequence: Annotated[str, Meta(pattern="^[a-z0-9_-]{0,32}$")] | None = None


class RecoverySet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A whole set: everything that it does not name is as built."""

    limits: dict[str, LimitTuning] = {}
    recoveries: dict[str, RowTuning] = {}


AS_BUILT: Final = RecoverySet()


def limit_of(base: Limit, tuning: LimitTuning | None) -> Limit:
    """The limit as tuned; ValueError when it would contradict itself."""
    if tuning is None:
        return base
    changed: dict[str, Any] = {
        name: value
        for name, value in msgspec.structs.asdict(tuning).items()
        if value is not None and name != "stale_after_s"
    }
    if tuning.stale_after_s is not None:
        changed["stale_after_ns"] = round(tuning.stale_after_s * _NS_PER_S)
    return replace(base, **changed)


def recovery_of(base: Recovery, tuning: RowTuning | None) -> Recovery:
    """The recovery as tuned; ValueError when its retries would be no budget."""
    if tuning is None:
        return base
    sequence = base.sequence if tuning.sequence is None else tuning.sequence
    return replace(base, retry=_retry_of(base, tuning), sequence=sequence)


def _retry_of(base: Recovery, tuning: RowTuning) -> Retry | None:
    built = base.retry or _USUAL
    if tuning.times is None and tuning.within_s is None and tuning.every_s is None:
        return base.retry
    if tuning.times == 0 and base.escalates_to:
        raise ValueError(f"{base.name} escalates: it needs a budget")
    if tuning.times == 0:
        return None
    within_ns, every_ns = built.within_ns, built.every_ns
    return Retry(
        times=built.times if tuning.times is None else tuning.times,
        within_ns=within_ns if tuning.within_s is None else round(tuning.within_s * _NS_PER_S),
        every_ns=every_ns if tuning.every_s is None else round(tuning.every_s * _NS_PER_S),
    )


@final
class RecoveryLoad:
    """The kind of load "recoveries".

    Args:
        limits, recoveries: as built.
        apply: puts a set in force.
        keep: makes the set in force and the former one durable; False when it could not.

    Attributes:
        in_force: the set in force.
    """

    kind = "recoveries"
    version = 1
    bytes_max = BYTES_MAX

    def __init__(
        self,
        limits: Sequence[Limit],
        recoveries: Sequence[Recovery],
        apply: Callable[[RecoverySet], None],
        keep: Callable[[bytes, int], bool],
    ) -> None:
        self._limits: Final = {limit.name: limit for limit in limits}
        self._recoveries: Final = {recovery.name: recovery for recovery in recoveries}
        self._apply = apply
        self._keep = keep
        self._former: RecoverySet | None = None
        self.in_force = AS_BUILT

    def validate(self, data: bytes) -> LoadVerdict:
        """Whether the set could be activated: readable, of known names, free of contradiction."""
        verdict, _ = self._judge(data)
        return verdict

    def activate(self, data: bytes, now_ns: int) -> LoadVerdict:
        """Puts the set in force once it is durable, and keeps the former one."""
        verdict, wanted = self._judge(data)
        if wanted is None:
            return verdict
        return self._exchange(wanted, self.in_force, now_ns)

    def roll_back(self, now_ns: int) -> LoadVerdict:
        """Exchanges the set in force and the former one."""
        if self._former is None:
            return LoadVerdict.NOT_FOUND
        return self._exchange(self._former, self.in_force, now_ns)

    def dump(self) -> bytes:
        """The set in force, as JSON."""
        return msgspec.json.encode(self.in_force)

    def restore(self, blob: bytes) -> bool:
        """What `keep` was given before a reset; False, and all as built, when it says nothing.

        The activity of rows is not taken from here: the table remembers its own.
        """
        try:
            in_force, former = msgspec.json.decode(blob, type=tuple[RecoverySet, RecoverySet])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        if any(self._fault(each) is not LoadVerdict.OK for each in (in_force, former)):
            return False
        self.in_force, self._former = in_force, former
        return True

    def _exchange(self, wanted: RecoverySet, former: RecoverySet, now_ns: int) -> LoadVerdict:
        if not self._keep(msgspec.json.encode((wanted, former)), now_ns):
            return LoadVerdict.NOT_DURABLE
        self.in_force, self._former = wanted, former
        self._apply(wanted)
        return LoadVerdict.OK

    def _judge(self, data: bytes) -> tuple[LoadVerdict, RecoverySet | None]:
        try:
            wanted = msgspec.json.decode(data, type=RecoverySet)
        except msgspec.ValidationError:
            return LoadVerdict.OUT_OF_RANGE, None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return LoadVerdict.UNREADABLE, None
        verdict = self._fault(wanted)
        return verdict, wanted if verdict is LoadVerdict.OK else None

    def _fault(self, wanted: RecoverySet) -> LoadVerdict:
        if not wanted.limits.keys() <= self._limits.keys():
            return LoadVerdict.NOT_FOUND
        if not wanted.recoveries.keys() <= self._recoveries.keys():
            return LoadVerdict.NOT_FOUND
        if any(_moves_bounds(wanted.limits.get(name)) for name in RULED_BY_PARAMETERS):
            return LoadVerdict.REFUSED
        try:
            for name, tuning in wanted.limits.items():
                limit_of(self._limits[name], tuning)
            for name, row in wanted.recoveries.items():
                recovery_of(self._recoveries[name], row)
        except ValueError:
            return LoadVerdict.REFUSED
        return LoadVerdict.OK


def _moves_bounds(tuning: LimitTuning | None) -> bool:
    if tuning is None:
        return False
    bounds = (tuning.low_red, tuning.low_yellow, tuning.high_yellow, tuning.high_red)
    return any(bound is not None and not math.isnan(bound) for bound in bounds)


def activities(wanted: RecoverySet, recoveries: Mapping[str, Recovery]) -> dict[str, Activity]:
    """The activity of every row in a set; what is not named is active."""
    return {
        name: Activity(wanted.recoveries[name].activity)
        if name in wanted.recoveries
        else Activity.ACTIVE
        for name in recoveries
    }
