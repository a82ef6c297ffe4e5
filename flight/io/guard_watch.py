"""The dead-man seen from the cycle: arms it, tells its trips, ends them; keeps the tick's figures.

A trip happens without us: C has switched payload and laser off while this software stood still.
Here it is found out about, told, and answered as a danger like any other (`fdir/safety_tables`).
The hardware stays held off until the guard is armed again, which happens only after several cycles
in a row have read payload and laser as off. The mode it led to is left by command, as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from hal.guard import GuardCause, GuardState
from hal.sample import HalError, SensorBit

if TYPE_CHECKING:
    from flight.board_tick import BoardTick
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from hal.guard import GuardStatus
    from hal.protocols import NodeDevices

REARM_CYCLES: Final = 3
"""Cycles in a row that find the hardware off before the guard is armed again."""
RESTART_CYCLES: Final = 60
"""Cycles between two attempts to start a supervisor that was lost."""
WATCHERS: Final = 2
_NS: Final = 1e-9
_CAUSES: Final = {
    GuardCause.NONE: "no cause",
    GuardCause.SILENCE: "no sign of life",
    GuardCause.DEATH: "the flight process ended",
}


@final
class GuardWatch:
    """Stepped first in the cycle; its first step arms the guard.

    Attributes:
        tripped: payload and laser are held off.
    """

    name = "guard"

    def __init__(
        self, tick: BoardTick, devices: NodeDevices, channels: ChannelValues, events: EventLog
    ) -> None:
        self._source = tick.source
        self._guard = tick.guard
        self._tick = tick
        self._devices = devices
        self._values = channels.values
        self._events = events
        self._begun = False
        self._trips = 0
        self._off_cycles = 0
        self._watchers = WATCHERS
        self._ticks = (-1, -1)
        self._restart_in = RESTART_CYCLES
        self._failing = ""
        self.tripped = False
        self._tick_index = tuple(
            channels.index(name)
            for name in ("tick.overruns", "tick.missed", "tick.lateness_max_us")
        )
        self._guard_index = tuple(
            channels.index(name) for name in ("guard.trips", "guard.tripped", "guard.watchers")
        )

    def step(self, now_ns: int) -> None:
        """One cycle's look at tick and guard."""
        self._tell_ticks()
        guard = self._guard
        if not self._begun:
            self._begin(now_ns)
        if guard is None:
            return
        status = guard.status()
        self._count_watchers(status, now_ns)
        if status.trips > self._trips:
            self._trips = status.trips
            self._events.emit(
                "GUARD_TRIPPED",
                now_ns,
                watcher=status.watcher.name.lower(),
                cause=_CAUSES[status.cause],
                ticks=status.silent_ticks,
            )
        self.tripped = status.state is GuardState.TRIPPED
        if self.tripped:
            self._try_rearm(status, now_ns)
        self._store(self._guard_index, status.trips, self.tripped, self._watchers)

    def _store(self, index: tuple[int, ...], *row: float) -> None:
        for channel, value in zip(index, row, strict=True):
            self._values[channel] = value

    def _begin(self, now_ns: int) -> None:
        """Arms the guard; tells what there is less than was asked for."""
        self._begun = True
        tick, refused = self._tick, list(self._tick.refused)
        refused.extend(f"tick: {wish}" for wish in self._source.status().grant.refused)
        if self._guard is not None:
            self._guard.arm()
            status = self._guard.status()
            if status.process_ticks and status.process_priority != tick.priority:
                refused.append("supervisor: SCHED_FIFO")
        for reason in tick.unguarded:
            self._events.emit("GUARD_DEGRADED", now_ns, reason=reason)
        for wish in refused:
            self._events.emit("REALTIME_REFUSED", now_ns, wish=wish)

    def _tell_ticks(self) -> None:
        ticks = self._source.status()
        self._store(self._tick_index, ticks.overruns, ticks.missed, ticks.late_max_ns / 1000)

    def _count_watchers(self, status: GuardStatus, now_ns: int) -> None:
        """A watcher is at work when it ticked since the last cycle; a lost one is started again."""
        before, self._ticks = self._ticks, (status.thread_ticks, status.process_ticks)
        at_work = [now > then for now, then in zip(self._ticks, before, strict=True)]
        watchers = sum(at_work)
        if watchers < self._watchers:
            lost = ("thread", "process")[at_work.index(False)]
            self._events.emit("GUARD_DEGRADED", now_ns, reason=f"watcher lost: {lost}")
        self._watchers = watchers
        self._restart_in -= 1
        if not at_work[1] and self._restart_in <= 0:
            self._restart_in = RESTART_CYCLES
            self._restart()

    def _restart(self) -> None:
        assert self._guard is not None, "only a guard has a supervisor"
        try:
            if not self._guard.supervisor_runs():
                self._guard.start_supervisor()
        except HalError:
            return  # told already as a watcher less; tried again later

    def _try_rearm(self, status: GuardStatus, now_ns: int) -> None:
        assert self._guard is not None, "only a guard trips"
        self._off_cycles = self._off_cycles + 1 if status.safe and self._reads_off() else 0
        if self._off_cycles < REARM_CYCLES:
            return
        try:
            self._guard.rearm()
        except HalError as error:
            if self._failing != error.kind.name:
                self._events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)
            self._failing = error.kind.name
            return
        self._failing = ""
        self._off_cycles = 0
        self.tripped = False
        # The guard goes by the machine's clock, which may be behind mission time.
        seconds = (now_ns - self._tick.clock.offset_ns - status.trip_t_ns) * _NS
        self._events.emit("GUARD_REARMED", now_ns, seconds=seconds)

    def _reads_off(self) -> bool:
        """Whether the hardware was read, and nothing that it can tell is on."""
        try:
            frame = self._devices.snapshot()
        except HalError:
            return False
        level = frame.payload_level if frame.valid & SensorBit.PAYLOAD_LEVEL else 0
        laser = frame.laser_on if frame.valid & SensorBit.LASER_ON else 0
        return level == 0 and laser == 0
