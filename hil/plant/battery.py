"""The battery: an NMC cell as voltage source, series resistance and one RC pair, N x M times.

Over a step the current is constant, the RC pair is updated exactly, and the current is
solved so that the *mean* terminal power of the step is the power asked for. Every joule of a
step is then accounted for: chemical, RC, heat and terminal energy sum to zero to rounding.
Parameters: section 5 of Plett, Battery Management Systems I, fitted to 18650 NMC cells.
"""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from hil.plant.constants import GAS_CONSTANT_J_MOLK, ZERO_CELSIUS_K
from hil.plant.ocv_curve import NMC_OCV_V, NMC_SOC, MonotoneCurve

_T_REF_K = 298.15
_SOLVES = 2
"""From a mid-step guess; each solve cuts the source voltage's error by 1e-4 or better."""


class BatteryVerdict(IntEnum):
    """What became of the power asked for."""

    SUPPLIED = 0
    """Discharging, or charging with all that was offered."""
    LIMITED = 1
    """Charging, but with less than was offered: full, current or voltage limit."""
    TOO_COLD = 2
    """Charging refused below the freezing limit."""
    BROWN_OUT = 3
    """No current gives this power, or the cell is empty: nothing was supplied."""


@dataclass(frozen=True, slots=True)
class BatteryConfig:
    """A pack of `series` x `parallel` cells; all electrical figures are of one cell at 25 C."""

    series: int = 6
    parallel: int = 2
    cell_capacity_ah: float = 3.5
    r0_ohm: float = 0.035
    r1_ohm: float = 0.020
    tau_s: float = 40.0
    activation_j_mol: float = 20_000.0
    """Arrhenius energy of both resistances: 1.86x at 5 C, 2.1x at 0 C."""
    charge_efficiency: float = 0.99
    """Share of the charge that arrives; the rest is heat."""
    charge_c_rate_max: float = 0.5
    cell_voltage_v_max: float = 4.2
    cell_voltage_v_min: float = 2.8
    """Protection opens below this: a brown-out like the one of the discriminant."""
    charge_temp_k_min: float = ZERO_CELSIUS_K
    capacity_loss_per_k: float = 0.20 / 35.0
    """Below 25 C: 20 % less at -10 C."""

    def __post_init__(self) -> None:
        """Refuse a pack that no maths below could hold."""
        if self.series < 1 or self.parallel < 1:
            raise ValueError("a pack has at least one cell")
        if min(self.cell_capacity_ah, self.r0_ohm, self.r1_ohm, self.tau_s) <= 0.0:
            raise ValueError("capacity, resistances and time constant must be positive")
        if not 0.5 < self.charge_efficiency <= 1.0:
            raise ValueError("charge efficiency must lie in 0.5..1")

    @property
    def energy_wh(self) -> float:
        """Energy between empty and full at rest, 25 C."""
        mean_v = Battery.curve.mean(0.0, 1.0)
        return self.series * self.parallel * self.cell_capacity_ah * mean_v


class BatteryState(NamedTuple):
    """State of one cell; the pack is that many equal cells."""

    soc: float
    v1_v: float = 0.0
    """Voltage of the RC pair, positive after discharge."""


class CellHealth(NamedTuple):
    """What faults and age leave of the cells; 1 is new."""

    capacity_scale: float = 1.0
    resistance_scale: float = 1.0


HEALTHY = CellHealth()


class BatteryStep(NamedTuple):
    """What one step did; figures of the whole pack, means over the step."""

    state: BatteryState
    verdict: BatteryVerdict
    current_a: float
    """Positive when discharging."""
    voltage_v: float
    power_w: float
    """Terminal power, positive when discharging."""
    heat_w: float
    stored_j: float
    """Growth of chemical and RC energy over the step."""


class _Step(NamedTuple):
    """Cell quantities that hold for one step."""

    ohmic_ohm: float
    pair_ohm: float
    decay: float
    share: float
    """Mean of the RC decay over the step."""
    capacity_as: float
    dt_s: float


def constant_power_current_a(emf_v: float, r_ohm: float, power_w: float) -> float | None:
    """Current of a source `emf_v` behind `r_ohm` that delivers `power_w`; None if none does.

    The lesser root of `r i^2 - emf i + p = 0`, written so that it does not cancel.
    """
    discriminant = emf_v * emf_v - 4.0 * r_ohm * power_w
    if discriminant < 0.0:
        return None
    return 2.0 * power_w / (emf_v + math.sqrt(discriminant))


class Battery:
    """Pure step functions over `BatteryState`; the object holds only its configuration."""

    curve = MonotoneCurve(NMC_SOC, NMC_OCV_V)

    def __init__(self, config: BatteryConfig) -> None:
        self.config = config
        self._cells = config.series * config.parallel

    def _prepare(self, temp_k: float, dt_s: float, health: CellHealth) -> _Step:
        config = self.config
        warm = math.exp(
            config.activation_j_mol / GAS_CONSTANT_J_MOLK * (1.0 / temp_k - 1.0 / _T_REF_K)
        )
        cold_k = max(0.0, _T_REF_K - temp_k)
        capacity = max(0.5, 1.0 - config.capacity_loss_per_k * cold_k) * health.capacity_scale
        decay = math.exp(-dt_s / config.tau_s)
        return _Step(
            config.r0_ohm * warm * health.resistance_scale,
            config.r1_ohm * warm * health.resistance_scale,
            decay,
            config.tau_s * (1.0 - decay) / dt_s,
            3600.0 * config.cell_capacity_ah * capacity,
            dt_s,
        )

    def step(
        self,
        state: BatteryState,
        power_w: float,
        *,
        temp_k: float,
        dt_s: float,
        health: CellHealth = HEALTHY,
    ) -> BatteryStep:
        """Draw `power_w` (charge with `-power_w` when negative) for `dt_s`.

        On a brown-out the pack rests for the step. Never raises for physics; the verdict
        says what happened.
        """
        at = self._prepare(temp_k, dt_s, health)
        if power_w > 0.0:
            return self._discharge(state, power_w / self._cells, at)
        if power_w < 0.0 and temp_k < self.config.charge_temp_k_min:
            return self._settle(state, 0.0, BatteryVerdict.TOO_COLD, at)
        return self._charge(state, -power_w / self._cells, at)

    def _first_source_v(self, soc: float, power_w: float, at: _Step) -> float:
        """Source voltage in the middle of the step, were there no resistance."""
        half_as = 0.5 * power_w / self.curve.value(soc) * at.dt_s
        return self.curve.value(soc - half_as / at.capacity_as)

    def _mean_source_v(self, soc: float, current_a: float, at: _Step) -> float:
        efficiency = 1.0 if current_a > 0.0 else self.config.charge_efficiency
        return self.curve.mean(soc, soc - efficiency * current_a * at.dt_s / at.capacity_as)

    def _discharge(self, state: BatteryState, power_w: float, at: _Step) -> BatteryStep:
        resistance = at.ohmic_ohm + at.pair_ohm * (1.0 - at.share)
        source_v = self._first_source_v(state.soc, power_w, at)
        current = 0.0
        for _ in range(_SOLVES):
            root = constant_power_current_a(source_v - at.share * state.v1_v, resistance, power_w)
            if root is None or root * at.dt_s > state.soc * at.capacity_as:
                return self._settle(state, 0.0, BatteryVerdict.BROWN_OUT, at)
            current = root
            source_v = self._mean_source_v(state.soc, current, at)
        if power_w < current * self.config.cell_voltage_v_min:
            return self._settle(state, 0.0, BatteryVerdict.BROWN_OUT, at)
        return self._settle(state, current, BatteryVerdict.SUPPLIED, at)

    def _charge(self, state: BatteryState, power_w: float, at: _Step) -> BatteryStep:
        config = self.config
        resistance = at.ohmic_ohm + at.pair_ohm * (1.0 - at.share)
        room_a = (1.0 - state.soc) * at.capacity_as / (config.charge_efficiency * at.dt_s)
        most_a = max(0.0, min(room_a, config.charge_c_rate_max * at.capacity_as / 3600.0))
        source_v = self._first_source_v(state.soc, -power_w, at)
        current, verdict = 0.0, BatteryVerdict.SUPPLIED
        for _ in range(_SOLVES):
            emf_v = source_v - at.share * state.v1_v
            taper_a = max(0.0, (config.cell_voltage_v_max - emf_v) / resistance)
            wanted_a = -(constant_power_current_a(emf_v, resistance, -power_w) or 0.0)
            current = -min(wanted_a, most_a, taper_a)
            verdict = BatteryVerdict.SUPPLIED if -current == wanted_a else BatteryVerdict.LIMITED
            source_v = self._mean_source_v(state.soc, current, at)
        return self._settle(state, current, verdict, at)

    def _settle(
        self, state: BatteryState, current_a: float, verdict: BatteryVerdict, at: _Step
    ) -> BatteryStep:
        """Carry a constant cell current through the step and account for every joule."""
        efficiency = 1.0 if current_a > 0.0 else self.config.charge_efficiency
        soc = state.soc - efficiency * current_a * at.dt_s / at.capacity_as
        source_v = self.curve.mean(state.soc, soc)
        final_v = at.pair_ohm * current_a
        swing_v = state.v1_v - final_v
        v1_v = final_v + at.decay * swing_v
        mean_v1 = final_v + at.share * swing_v
        mean_square = (
            final_v * final_v
            + 2.0 * final_v * swing_v * at.share
            + swing_v * swing_v * at.share * 0.5 * (1.0 + at.decay)
        )
        heat_w = (
            current_a * current_a * at.ohmic_ohm
            + mean_square / at.pair_ohm
            + (efficiency - 1.0) * current_a * source_v
        )
        pair_f = self.config.tau_s / at.pair_ohm
        stored_j = -efficiency * current_a * at.dt_s * source_v + 0.5 * pair_f * (
            v1_v * v1_v - state.v1_v * state.v1_v
        )
        voltage_v = source_v - current_a * at.ohmic_ohm - mean_v1
        cells, config = self._cells, self.config
        return BatteryStep(
            BatteryState(min(1.0, max(0.0, soc)), v1_v),
            verdict,
            current_a * config.parallel,
            voltage_v * config.series,
            voltage_v * current_a * cells,
            heat_w * cells,
            stored_j * cells,
        )
