"""The guarded plant of this node: kept up with what the cycle estimates and the ground sets.

Hop: between the estimates of a cycle and the guard. Pure. A limit that the ground moves makes a new
plant; what was learned goes on. A thermometer of sink or radiator without a reading is stood in for
by its warmer neighbour, which costs value and no limit.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from flight.thermal.guarded_plant import RENEW_EVERY_S, GuardedPlant, Load, Seen
from flight.thermal.plan_model import ZERO_C_K, Limits, plan_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.power.power_budget import PowerState
    from flight.telemetry.channel_values import ChannelValues
    from flight.thermal.board_profile import BoardProfile
    from flight.thermal.flight_outlook import ContactAhead, FlightOutlook
    from flight.thermal.horizon import Forecast
    from flight.thermal.plan_model import HeatPath, Work
    from flight.thermal.thermal_estimate import ThermalState

MOVED_J, MOVED_K = 500.0, 0.01
_NS = 1e-9
LEARNED = ("learned.base_w", "learned.array_w", "learned.radiator_w", "learned.capacity")
"""Told each cycle: what is not as the node was built."""


class NodePlant:
    """One `look` a cycle, then `plant.allow` as often as wanted.

    Attributes:
        plant: of the present limits; None before the first estimate of energy.
        seen: the last cycle's readings, None where there was no estimate.
        version: counts the plants.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what the node is made of
        self, profile: BoardProfile, path: HeatPath, work: Work, outlook: FlightOutlook,
        contacts: Callable[[float, float], Sequence[ContactAhead]], link_w: float,
        channels: ChannelValues,
    ) -> None:  # fmt: skip
        self._profile, self._path, self._work = profile, path, work
        self._outlook, self._contacts, self._link_w = outlook, contacts, link_w
        self._limits: Limits | None = None
        self._forecast_s = -RENEW_EVERY_S
        self._before: Seen | None = None
        self.plant: GuardedPlant | None = None
        self.seen: Seen | None = None
        self.version = 0
        self._values = channels.values
        self._index = tuple(map(channels.index, LEARNED))

    def look(  # noqa: PLR0913, PLR0917  all that a cycle estimates
        self, thermal: ThermalState, power: PowerState | None, utc_s: float | None,
        die_c: float, sink_c: float, now_ns: int,
    ) -> Seen | None:  # fmt: skip
        """A cycle's estimates, with the limits of die and sink (degC) that hold now."""
        if power is None or not isfinite(power.soc):
            self.seen = self._before = None
            return None
        now_s = now_ns * _NS
        plant = self._kept_up(power, die_c, sink_c, utc_s, now_s)
        plant.learner.learned.base_w = power.base_w
        self._learn(plant, thermal.payload_now_w)
        kelvin = [t + ZERO_C_K for t in (thermal.die_c, thermal.sink_c, thermal.radiator_c)]
        array_w = power.array_w if power.phase.sunlit else 0.0
        told = Seen(now_s, power.soc * power.energy_full_j, array_w, kelvin)
        self._before = told
        believed = plant.sensed(told)
        self.seen = Seen(now_s, told.energy_j, array_w, _filled(believed.temp_k))
        learned = plant.learner.learned
        row = (learned.base_w, power.array_w, learned.heat_w[-1], power.capacity)
        for index, value in zip(self._index, row, strict=True):
            self._values[index] = value
        return self.seen

    def forecast(self, now_s: float, utc_s: float | None, array_w: float) -> Forecast:
        """What is known of the time ahead."""
        contacts = self._contacts(now_s, now_s + 2.0 * self._outlook.horizon_s)
        return self._outlook.forecast(now_s, utc_s, array_w, contacts)

    def load(self, level: int, *, link: bool) -> Load:
        """What a level draws at most, with or without the laser."""
        watts = self._profile.active_w(level)
        return Load(watts, (watts, 0.0, 0.0), 1.0 if link else 0.0)

    def _kept_up(
        self, power: PowerState, die_c: float, sink_c: float, utc_s: float | None, now_s: float
    ) -> GuardedPlant:
        floor_j = (power.soc_floor + power.margin) * power.energy_full_j
        sink_k = min(sink_c, self._path.sink_c_max) + ZERO_C_K
        limits = Limits(die_c + ZERO_C_K, sink_k, power.energy_full_j, floor_j)
        due = not 0.0 <= now_s - self._forecast_s < RENEW_EVERY_S
        moved = self._limits is None or _moved(self._limits, limits)
        if self.plant is not None and not due and not moved:
            return self.plant
        forecast = self.forecast(now_s, utc_s, power.array_w)
        self._forecast_s = now_s
        if self.plant is None or moved:
            model = plan_model(self._profile, self._path, self._work, limits, self._link_w)
            learner = None if self.plant is None else self.plant.learner
            self.plant = GuardedPlant(model, forecast, learner, levels=True)
            self._limits, self._before = limits, None
            self.version += 1
        self.plant.look_ahead(forecast)
        return self.plant

    def _learn(self, plant: GuardedPlant, payload_w: float) -> None:
        """What the last second's power should have done to the temperatures before it."""
        if self._before is not None and isfinite(payload_w):
            plant.done(self._before, Load(payload_w, (payload_w, 0.0, 0.0), 0.0))


def _moved(a: Limits, b: Limits) -> bool:
    return (
        abs(a.die_k - b.die_k) > MOVED_K
        or abs(a.sink_k - b.sink_k) > MOVED_K
        or abs(a.full_j - b.full_j) > MOVED_J
        or abs(a.floor_j - b.floor_j) > MOVED_J
    )


def _filled(temp_k: Sequence[float]) -> list[float]:
    """Heat flows outwards: a warmer neighbour stands in for what is not seen, on the safe side."""
    filled = list(temp_k)
    for i in range(1, len(filled)):
        if not isfinite(filled[i]):
            filled[i] = filled[i - 1]
    return filled
