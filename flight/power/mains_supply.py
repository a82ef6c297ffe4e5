"""Energy of a node that is fed from outside: a board on a bench supply has no battery to spare.

Pure; stands in for `EnergyEstimator` where the configuration says that there is no battery. There
is no state of charge then, none is made up, and no payload power is too much.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from flight.power.energy_estimate import EnergyState
from flight.power.power_budget import NO_ECLIPSE

if TYPE_CHECKING:
    from flight.io.acquisition import Readings


class MainsSupply:
    """The same `update` as `EnergyEstimator`; always ready, never a figure."""

    soc_quality = 0

    def update(
        self,
        readings: Readings,
        utc_s: float | None,
        now_ns: int,
        *,
        soc_floor: float,
        laser_j: float,
    ) -> EnergyState:
        """One step; nothing that is sensed matters."""
        del readings, utc_s, now_ns, soc_floor, laser_j
        return MAINS


MAINS = EnergyState(
    soc=nan, soc_valid=False, phase=NO_ECLIPSE, power=None, reserve_soc=nan, ready=True
)
