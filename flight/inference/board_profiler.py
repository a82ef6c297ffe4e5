"""Measures what each variant of a model costs at each level of the board at hand.

The networks run in the worker process that flies, one tile after the other; the levels are set
through the hardware layer and put back afterwards. What the board cannot measure is left out.
"""

from __future__ import annotations

import asyncio
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from flight import __version__
from flight.base.clock import LoopClock, host_correlation
from flight.inference.integrity import golden_tile
from flight.inference.job import Job, Tile, pixel_digest
from flight.inference.profile_figures import (
    LevelRun,
    PowerMeter,
    Run,
    in_rising_power,
    measured_level,
)
from flight.inference.worker_process import WorkerEngine
from hal.sample import SensorBit, ThrottleBit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.inference.model_manifest import ModelBytes
    from flight.thermal.board_profile import BoardProfile, Level
    from hal.protocols import NodeDevices
    from hal.sample import SensorFrame

TILE_PX = 128
WARM_UP_TILES = 5
WARM_UP_SHARE = 0.2
"""Of a run's time, at most, before its figures count: caches, clocks and the governor settle."""
SAMPLE_NS = 100_000_000
LEVEL_WAIT_NS = 3_000_000_000
QUICKLOOK_PERMILLE_MAX = 1000
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """The measured profile, and what has to be said about it."""

    profile: BoardProfile
    notes: tuple[str, ...]


class BoardWatch:
    """Looks at the board ten times a second while something runs.

    Args:
        trusted: the hardware layer's sensors are a board's own; simulated ones measure nothing.
    """

    def __init__(self, devices: NodeDevices, clock: LoopClock, *, trusted: bool) -> None:
        self._devices = devices
        self._clock = clock
        self._trusted = trusted
        self.throttle = 0

    async def over(self, work: asyncio.Task[None] | None, until_ns: int) -> PowerMeter:
        """Samples until `work` has ended, or without one until a time; returns what was drawn."""
        meter = PowerMeter()
        while work is None or not work.done():
            self._sample(meter)
            now_ns = self._clock.now_ns()
            if work is None and now_ns >= until_ns:
                break
            await self._clock.sleep_until(now_ns + SAMPLE_NS)
        return meter

    def die_c(self) -> float | None:
        """The die now, if it is measured."""
        frame = self._devices.snapshot()
        known = self._trusted and frame.is_valid(SensorBit.DIE_TEMP)
        return frame.die_mdegc / 1000.0 if known else None

    def _sample(self, meter: PowerMeter) -> None:
        frame = self._devices.snapshot()
        if self._trusted and frame.is_valid(SensorBit.THROTTLE):
            self.throttle |= frame.throttle_live
        meter.feed(frame.t_ns, self._watts(frame), estimated=_is_estimated(frame))

    def _watts(self, frame: SensorFrame) -> float | None:
        known = self._trusted and frame.is_valid(SensorBit.PAYLOAD)
        return frame.payload_mw / 1000.0 if known else None


def _is_estimated(frame: SensorFrame) -> bool:
    return bool(frame.estimated & SensorBit.PAYLOAD)


class BoardProfiler:
    """One measurement of a whole board.

    Args:
        devices: opened with a profile without watts, so that nothing is estimated from them.
        trusted: see `BoardWatch`.
        seconds: of each variant at each level, and half as long of nothing.
        board: its model, for the record.
        tell: told what is going on, for people.
    """

    def __init__(  # noqa: PLR0913  what a measurement consists of
        self,
        base: BoardProfile,
        models: Sequence[ModelBytes],
        devices: NodeDevices,
        *,
        trusted: bool,
        seconds: float,
        board: str = "",
        provider: str = "cpu",
        threads: int = 1,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._base = base
        self._models = models
        self._devices = devices
        self._trusted = trusted
        self._run_ns = round(seconds * _NS_PER_S)
        self._board = board or platform.machine()
        self._provider, self._threads = provider, threads
        self._tell = tell
        self._tile = _tile(TILE_PX)
        self._estimated = False
        self._notes: list[str] = []

    async def measure(self) -> Answer:
        """All levels; raises HalError, InferenceError. The level is put back however it ends."""
        self._clock = LoopClock()
        self._engine = WorkerEngine(
            self._models, self._clock, provider=self._provider, threads=self._threads
        )
        before = self._devices.snapshot().payload_level
        try:
            found = [
                (level, await self._level(number, level))
                for number, level in enumerate(self._base.levels, 1)
            ]
        finally:
            self._engine.close()
            self._devices.set_payload_level(before)
        return self._answer([(level, run) for level, run in found if run is not None])

    async def _level(self, number: int, level: Level) -> LevelRun | None:
        if not await self._set(number):
            self._notes.append(f"level {level.name}: the board does not take it; left out")
            return None
        watch = BoardWatch(self._devices, self._clock, trusted=self._trusted)
        first_c = watch.die_c()
        # The worker is up before idle is measured: it is part of what idles in flight.
        await self._tiles(self._models[0], WARM_UP_TILES, self._clock.now_ns() + self._run_ns)
        idle = await watch.over(None, self._clock.now_ns() + self._run_ns // 2)
        runs: dict[str, Run] = {}
        for model in self._models:
            runs[model.variant] = await self._variant(model, watch)
            told = runs[model.variant]
            self._tell(f"{level.name:<12} {model.variant:<6} median {told.median_ms:8.2f} ms")
        last_c = watch.die_c()
        bits = tuple(bit.name.lower() for bit in ThrottleBit if watch.throttle & bit)
        if bits:
            self._notes.append(f"level {level.name}: slowed down meanwhile by {', '.join(bits)}")
        temps = () if first_c is None or last_c is None else (first_c, last_c)
        self._estimated = self._estimated or idle.estimated
        return LevelRun(TILE_PX, idle.mean_w, runs, temps, bits)

    async def _variant(self, model: ModelBytes, watch: BoardWatch) -> Run:
        warm_ns = round(WARM_UP_SHARE * self._run_ns)
        await self._tiles(model, WARM_UP_TILES, self._clock.now_ns() + warm_ns)
        times: list[float] = []
        until_ns = self._clock.now_ns() + self._run_ns

        async def run() -> None:
            while self._clock.now_ns() < until_ns or not times:
                times.append(await self._one(model))

        work = asyncio.ensure_future(run())
        try:
            # Give way once: the first sample is of a board that works.
            await self._clock.sleep_until(self._clock.now_ns())
            meter = await watch.over(work, until_ns)
            await work
        finally:
            work.cancel()
        return Run(times, meter.mean_w)

    async def _tiles(self, model: ModelBytes, count: int, until_ns: int) -> None:
        """Up to so many tiles whose times do not count, at least one."""
        for _ in range(count):
            await self._one(model)
            if self._clock.now_ns() >= until_ns:
                return

    async def _one(self, model: ModelBytes) -> float:
        job = Job(
            job_id=1,
            tile=self._tile,
            model_name=model.name,
            variant=model.variant,
            threshold=model.manifest.threshold,
            quicklook_cloud_permille_max=QUICKLOOK_PERMILLE_MAX,
        )
        result = await self._engine.run(job)
        return (result.finished_ns - result.started_ns) / 1e6

    async def _set(self, number: int) -> bool:
        """Sets a level and waits until the board shows it."""
        self._devices.set_payload_level(number)
        until_ns = self._clock.now_ns() + LEVEL_WAIT_NS
        while self._devices.snapshot().payload_level != number:
            if self._clock.now_ns() >= until_ns:
                return False
            await self._clock.sleep_until(self._clock.now_ns() + SAMPLE_NS)
        return True

    def _answer(self, found: list[tuple[Level, LevelRun]]) -> Answer:
        levels = in_rising_power([measured_level(level, run) for level, run in found])
        drawn = found and all(run.idle_w is not None for _, run in found)
        power = ("estimated" if self._estimated else "measured") if drawn else "not measured"
        if not drawn:
            kept = self._base.power_source if self._base.watts_known else "none"
            self._notes.append(
                "this board does not measure its power: no joules; watts "
                + ("left out" if kept == "none" else f"stay {kept}")
            )
        profile = msgspec.structs.replace(
            self._base,
            source="measured",
            power=power,
            levels=tuple(levels),
            measured_on=self._measured_on(),
        )
        return Answer(profile, tuple(self._notes))

    def _measured_on(self) -> str:
        correlation = host_correlation()
        at = datetime.fromtimestamp(correlation.utc_ns(correlation.set_at_ns) / 1e9, UTC)
        threads = f", {self._threads} threads" if self._threads > 1 else ""
        what = f"lumenode {__version__}, {self._provider}{threads}"
        return f"{self._board} ({at:%Y-%m-%d}, {what})"


def _tile(side_px: int) -> Tile:
    pixels = golden_tile(side_px).tobytes()
    return Tile(
        tile_id=1,
        captured_ns=0,
        pixels=pixels,
        height_px=side_px,
        width_px=side_px,
        sha256=pixel_digest(pixels),
        origin="golden tile",
        synthetic=True,
    )
