"""The laser terminal's pointing, acquisition and tracking, as the flight software meets it.

Flight points the terminal and switches the laser; this machine answers with lock flags. The
sequence BEACON, COARSE, FINE follows the other side's beacon; SYNC needs our laser as well.
Transitions happen at their own millisecond inside a step, so the flags do not depend on how
often the plant is stepped.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

from hal.sample import TermFlag
from hil.plant._plant_native import ffi, lib
from hil.plant.optical_channel import ContactTrace, Stream, stream

_MS_PER_S = 1000


class PatState(IntEnum):
    """Where acquisition stands."""

    IDLE = 0
    """Stowed, slewing, or nothing to point at."""
    SEARCH = 1
    """Pointed, no beacon seen: behind a cloud."""
    ACQUIRE = 2
    """Beacon in the field, scan and coarse lock under way."""
    TRACK = 3
    """Fine lock."""
    FAILED = 4
    """This contact will not lock, however long one waits."""


@dataclass(frozen=True, slots=True)
class AcquisitionConfig:
    """Times of the terminal; log-normal, as flown terminals report them."""

    first_median_s: float = 8.0
    again_median_s: float = 4.0
    log_sigma: float = 0.5
    first_s_min: float = 2.0
    again_s_min: float = 1.0
    second_scan_probability: float = 0.10
    second_scan_factor: float = 4.0
    sync_s: float = 0.5
    """From fine lock and laser on to frame synchronisation on the far side."""
    lost_below_db: float = -10.0
    lost_hold_ms: int = 500
    failure_probability: float = 0.0
    """Share of contacts that never lock; flown systems report about 0.03."""

    def __post_init__(self) -> None:
        """Medians and hold must be positive, probabilities inside 0..1."""
        if min(self.first_median_s, self.again_median_s, self.lost_hold_ms) <= 0:
            raise ValueError("acquisition times must be positive")
        if not (0.0 <= self.second_scan_probability <= 1.0):
            raise ValueError("second-scan probability must lie in 0..1")
        if not (0.0 <= self.failure_probability <= 1.0):
            raise ValueError("failure probability must lie in 0..1")


_PROGRESS = (
    (0.40, int(TermFlag.BEACON)),
    (0.65, int(TermFlag.BEACON | TermFlag.COARSE)),
)
"""Flags shown once this share of the acquisition time has passed, in rising order."""
_LOCKED = int(TermFlag.BEACON | TermFlag.COARSE | TermFlag.FINE)


class TerminalModel:
    """One contact seen through the terminal; one `step` a plant step."""

    def __init__(self, trace: ContactTrace, config: AcquisitionConfig | None = None) -> None:
        self.trace = trace
        self.config = config or AcquisitionConfig()
        self.state = PatState.IDLE
        self.locks = 0
        """Fine locks reached."""
        self.losses = 0
        """Locks or acquisitions lost to the channel."""
        self._rng = stream(trace.seeds, Stream.ACQUISITION)
        self._fails = float(self._rng.random()) < self.config.failure_probability
        self._cursor = 0
        self._begun = 0
        self._locks_at = 0
        self._acquisition_ms = 0
        self._laser_since: int | None = None
        self._synced = False
        self._run_ms = ffi.new("int32_t *")

    def step(self, now_ns: int, pointed_ok: bool, laser_on: bool) -> int:  # noqa: FBT001
        """Advance to `now_ns` and tell the lock as `TermFlag` bits.

        `pointed_ok`: the terminal looks at this contact's peer. Both inputs are taken to have
        held since they were last seen changed; time must not run backwards.
        """
        now = self.trace.sample(now_ns)
        if laser_on and self._laser_since is None:
            self._laser_since = now
        elif not laser_on:
            self._laser_since = None
        emitting = int(TermFlag.TX) if laser_on else 0
        if not pointed_ok or not 0 <= now < self.trace.count:
            self.state, self._synced = PatState.IDLE, False
            return emitting
        if self.state is PatState.IDLE:
            self.state = PatState.FAILED if self._fails else PatState.SEARCH
            self._cursor = now
            self._acquisition_ms = self._draw_ms(first=True)
            self._run_ms[0] = 0
        self._advance(now)
        return emitting | self._lock_flags(now)

    @property
    def in_sync(self) -> bool:
        """Whether the last step ended in frame synchronisation."""
        return self._synced

    def _draw_ms(self, *, first: bool) -> int:
        """Length of an acquisition; the same number of draws each time."""
        config = self.config
        median_s = config.first_median_s if first else config.again_median_s
        z, u = float(self._rng.standard_normal()), float(self._rng.random())
        time_s = median_s * math.exp(config.log_sigma * z)
        if first and u < config.second_scan_probability:
            time_s *= config.second_scan_factor
        floor_s = config.first_s_min if first else config.again_s_min
        return round(max(floor_s, time_s) * _MS_PER_S)

    def _first_hold(self, end: int, *, above: bool, hold_ms: int) -> int:
        return int(
            lib.plant_first_hold(
                self.trace.down.channel,
                self._cursor,
                end,
                self.config.lost_below_db,
                above,
                hold_ms,
                self._run_ms,
            )
        )

    def _advance(self, now: int) -> None:
        """Walk the machine over the samples since the last step; each turn moves on."""
        while self._cursor < now and self.state is not PatState.FAILED:
            if self.state is PatState.SEARCH:
                seen = self._first_hold(now, above=True, hold_ms=1)
                self._cursor = now if seen < 0 else seen + 1
                if seen >= 0:
                    self._enter(PatState.ACQUIRE)
                    self._begun, self._locks_at = seen, seen + self._acquisition_ms
                continue
            acquiring = self.state is PatState.ACQUIRE
            end = max(self._cursor, min(now, self._locks_at)) if acquiring else now
            lost = self._first_hold(end, above=False, hold_ms=self.config.lost_hold_ms)
            if lost >= 0:
                self.losses += 1
                self._acquisition_ms = self._draw_ms(first=acquiring)
                self._cursor = lost + 1
                self._enter(PatState.SEARCH)
                continue
            self._cursor = end
            if acquiring and end >= self._locks_at:
                self.locks += 1
                self._enter(PatState.TRACK)

    def _enter(self, state: PatState) -> None:
        self.state = state
        self._run_ms[0] = 0

    def _lock_flags(self, now: int) -> int:
        self._synced = False
        if self.state is PatState.TRACK:
            since = self._laser_since
            ready = None if since is None else max(since, self._locks_at)
            self._synced = ready is not None and now >= ready + self.config.sync_s * _MS_PER_S
            return _LOCKED | (int(TermFlag.SYNC) if self._synced else 0)
        flags = 0
        if self.state is PatState.ACQUIRE:
            for share, mask in _PROGRESS:
                if now >= self._begun + share * (self._locks_at - self._begun):
                    flags = mask
        return flags
