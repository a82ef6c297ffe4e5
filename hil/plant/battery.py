"""The battery: an NMC cell as voltage source, series resistance and one RC pair, N x M times.

Over a step the current is constant, the RC pair is updated exactly, and the current is
solved so that the *mean* terminal power of the step is the power asked for. Every joule of a
step is then accounted for: chemical, RC, heat and terminal energy sum to zero to rounding.
Parameters: section 5 of Plett, Battery Management Systems I, fitted to 18650 NMC cells.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import isnan
from struct import Struct
from typing import Any, NamedTuple

from hil.plant._plant_native import ffi, lib
from hil.plant.constants import GAS_CONSTANT_J_MOLK, ZERO_CELSIUS_K
from hil.plant.ocv_curve import NMC_OCV_V, NMC_SOC, MonotoneCurve

_NATIVE_FIELDS = (
    "series", "parallel", "cell_capacity_ah", "r0_ohm", "r1_ohm", "tau_s", "charge_efficiency",
    "charge_c_rate_max", "cell_voltage_v_max", "cell_voltage_v_min", "charge_temp_k_min",
    "capacity_loss_per_k",
)  # fmt: skip


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


_VERDICTS = tuple(BatteryVerdict)
_IN = Struct("=6d")
_OUT = Struct("=7di4x")
assert _IN.size == ffi.sizeof("struct plant_battery_in"), "the step's layout is the ABI"
assert _OUT.size == ffi.sizeof("struct plant_battery_out"), "the step's layout is the ABI"


def constant_power_current_a(emf_v: float, r_ohm: float, power_w: float) -> float | None:
    """Current of a source `emf_v` behind `r_ohm` that delivers `power_w`; None if none does.

    The lesser root of `r i^2 - emf i + p = 0`, written so that it does not cancel.
    """
    current_a = float(lib.plant_constant_power_a(emf_v, r_ohm, power_w))
    return None if isnan(current_a) else current_a


class Battery:
    """Pure step functions over `BatteryState`; the object holds only its configuration.

    The arithmetic is the C kernel's (`plant_battery.c`): the current of constant power is the
    lesser root of `r i^2 - emf i + p = 0`, solved twice against the source's mean voltage.
    """

    curve = MonotoneCurve(NMC_SOC, NMC_OCV_V)

    def __init__(self, config: BatteryConfig) -> None:
        self.config = config
        self.native = native = ffi.new("struct plant_battery *")
        native.ocv = self.curve.native
        native.activation_k = config.activation_j_mol / GAS_CONSTANT_J_MOLK
        for name in _NATIVE_FIELDS:
            setattr(native, name, getattr(config, name))
        self._in = ffi.new("struct plant_battery_in *")
        self._in_view = ffi.buffer(self._in)
        self._out = ffi.new("struct plant_battery_out *")
        self._out_view = ffi.buffer(self._out)

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
        lib.plant_battery_step(
            self.native, self.fill(state, temp_k, dt_s, health), power_w, self._out
        )
        return step_of(*_OUT.unpack(self._out_view))

    def fill(self, state: BatteryState, temp_k: float, dt_s: float, health: CellHealth) -> Any:
        """The kernel's `struct plant_battery_in` of one step, valid until the next."""
        _IN.pack_into(self._in_view, 0, *state, temp_k, dt_s, *health)
        return self._in


def step_of(  # noqa: PLR0913, PLR0917 - the kernel's figures in its order
    soc: float,
    v1_v: float,
    current_a: float,
    voltage_v: float,
    power_w: float,
    heat_w: float,
    stored_j: float,
    verdict: int,
) -> BatteryStep:
    """The kernel's `struct plant_battery_out` as a value."""
    return BatteryStep(
        BatteryState(soc, v1_v),
        _VERDICTS[verdict],
        current_a,
        voltage_v,
        power_w,
        heat_w,
        stored_j,
    )
