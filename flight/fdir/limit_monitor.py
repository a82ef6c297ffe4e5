"""Named values against limits from a table; only edges are told.

Hop: "sensor to actuator", the judging step: acquisition → here → `recovery_table`. After the limit
checker of NASA's core flight system: four results and not two, an explicit count of consecutive
samples, and lost data that can neither trip a limit nor clear one. What it lacks is added: a dead
band, so noise on a threshold moves nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final, final

from flight.fdir.limit_row import Band, Limit, LimitEdge, Sample, Verdict


@final
class _State:
    __slots__ = ("band", "candidate", "seen_ns", "since_ns", "streak", "value", "verdict")

    def __init__(self, now_ns: int) -> None:
        self.verdict: Verdict | None = None  # nothing told yet
        self.band = Band.NOMINAL
        self.candidate = Band.NOMINAL
        self.streak = 0
        self.value = math.nan
        self.seen_ns: int | None = None
        self.since_ns = now_ns


@final
class LimitMonitor:
    """All limits of the table; one `evaluate` a period.

    The band found before a gap in the data is kept over it: lost data neither trips nor clears.
    A limit that is fine from the start is never told; one that never sees data is told as STALE.

    Attributes:
        violations: times each limit went into violation, by name, in the order of the table.
    """

    def __init__(self, limits: Sequence[Limit], now_ns: int) -> None:
        self._rows: Final = [(limit, _State(now_ns)) for limit in limits]
        self.violations: dict[str, int] = {limit.name: 0 for limit in limits}
        assert len(self.violations) == len(self._rows), "names of limits repeat"

    def replace(self, limit: Limit) -> None:
        """Other bounds for the limit of this name and channel; what was found so far stays."""
        for i, (row, state) in enumerate(self._rows):
            if row.name == limit.name:
                assert row.channel == limit.channel, f"limit {limit.name} keeps its channel"
                self._rows[i] = (limit, state)
                return
        raise KeyError(limit.name)

    def evaluate(self, samples: Mapping[str, Sample | None], now_ns: int) -> list[LimitEdge]:
        """Judge the newest samples by channel; returns the edges, in the order of the table.

        A sample seen before (by its time) is not counted again, so a monitor that runs faster
        than its sensor keeps the meaning of `persistence`.
        """
        edges: list[LimitEdge] = []
        for limit, state in self._rows:
            previous_band = state.band
            verdict = _judge(limit, state, samples.get(limit.channel), now_ns)
            previous = state.verdict
            if verdict is None or (verdict is previous and state.band is previous_band):
                continue
            state.verdict = verdict
            if previous is None and verdict is Verdict.OK:
                continue
            if previous_band is Band.NOMINAL and state.band is not Band.NOMINAL:
                self.violations[limit.name] += 1
            band = state.band if verdict is Verdict.VIOLATED else previous_band
            edges.append(
                LimitEdge(
                    limit=limit.name,
                    channel=limit.channel,
                    verdict=verdict,
                    previous=previous or Verdict.STALE,
                    band=state.band,
                    previous_band=previous_band,
                    value=state.value,
                    bound=limit.bound(band),
                    at_ns=now_ns,
                )
            )
        return edges

    def verdicts(self) -> dict[str, Verdict]:
        """The present verdict of each limit; STALE before there was a sample."""
        return {limit.name: state.verdict or Verdict.STALE for limit, state in self._rows}

    def conditions(self) -> tuple[str, ...]:
        """What `recovery_table` is fed: `name.yellow`, `name.red`, `name.stale`, `name.error`.

        Red includes yellow. A violated limit whose data stopped stays violated, and stale too.
        """
        found: list[str] = []
        for limit, state in self._rows:
            band, verdict = state.band, state.verdict
            if band is not Band.NOMINAL:
                found.append(f"{limit.name}.yellow")
                if band is Band.RED_LOW or band is Band.RED_HIGH:
                    found.append(f"{limit.name}.red")
            if verdict is Verdict.STALE or verdict is Verdict.ERROR:
                found.append(f"{limit.name}.{verdict.value}")
        return tuple(found)


def _judge(limit: Limit, state: _State, sample: Sample | None, now_ns: int) -> Verdict | None:
    """Feed one row; None while a limit that never had data is still within its first age."""
    if sample is not None and (not math.isfinite(sample.value) or sample.t_ns > now_ns):
        state.streak = 0
        return Verdict.ERROR
    last_ns = state.since_ns if sample is None else sample.t_ns
    if sample is None and state.seen_ns is not None:
        last_ns = state.seen_ns
    if now_ns - last_ns > limit.stale_after_ns:
        state.streak = 0
        return Verdict.STALE
    if sample is None or sample.t_ns == state.seen_ns:
        return state.verdict
    state.seen_ns = sample.t_ns
    state.value = sample.value
    _count(limit, state, limit.band_of(sample.value, state.band))
    return Verdict.OK if state.band is Band.NOMINAL else Verdict.VIOLATED


def _count(limit: Limit, state: _State, band: Band) -> None:
    """Move to another band after `persistence` consecutive samples that speak against this one.

    The band moved to is the mildest of the streak on its side: the one all samples agree upon.
    """
    if band is state.band:
        state.streak = 0
        return
    agreed = _agreed(state.band, state.candidate, band) if state.streak else band
    if agreed is None:
        state.streak = 0
        agreed = band
    state.candidate = agreed
    state.streak += 1
    if state.streak >= limit.persistence:
        state.band = agreed
        state.streak = 0


def _agreed(present: Band, candidate: Band, band: Band) -> Band | None:
    """The least change that both samples support, or None if they pull apart."""
    if (candidate > present) != (band > present):
        return None
    return min(candidate, band) if band > present else max(candidate, band)
