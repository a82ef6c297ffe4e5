"""The bench's node as a day has it, on the side that earns more wherever the two differ.

What a bound must not undersell: the array as cold as it gets, no heat of chargers and converters,
no heater, a battery without resistance. The array's own temperature is no state of the day: what
it gives the radiator is reckoned for the coldest array beside the hottest radiator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil.plant.battery import Battery
from hil.plant.constants import STEFAN_BOLTZMANN_W_M2K4, ZERO_CELSIUS_K
from hil.plant.thermal import ThermalNode

if TYPE_CHECKING:
    from hil.plant.spacecraft import Spacecraft

NAMES = ("die", "sink", "radiator", "battery", "terminal")
"""Heat nodes of the day, in the plant's order; the array is left out."""
NO_LIMIT_K = 400.0
COLDEST_RADIATOR_K = 250.0
DISCHARGE_W_MAX = 1000.0


@dataclass(frozen=True, slots=True)
class FlownSky:
    """By seconds, at the middle of each, where the bench looks, too.

    Attributes:
        array_w: in the light that there is.
        heat_w: from outside, by node.
        daylight: whether the ground below is lit.
    """

    t_s: list[float]
    array_w: list[float]
    heat_w: dict[str, list[float]]
    daylight: list[bool]


def flown_sky(craft: Spacecraft, seconds: int, radiator_k_max: float, dusk: float) -> FlownSky:
    """The light and heat of a whole flight; the ground is lit above `dusk` (cosine).

    `radiator_k_max` is what the radiator never is: no warmer than what heats it.
    """
    config = craft.config
    array = int(ThermalNode.ARRAY)
    node = config.nodes[array]
    radiance = STEFAN_BOLTZMANN_W_M2K4 * node.area_m2 * node.emissivity
    to_radiator_w_k = sum(
        each.conductance_w_k
        for each in config.links
        if {each.a, each.b} == {array, int(ThermalNode.RADIATOR)}
    )
    array_k = config.initial_temp_c[array] + ZERO_CELSIUS_K
    sky = FlownSky([], [], {name: [] for name in NAMES}, [])
    for second in range(seconds):
        t_s = second + 0.5
        light = craft.light(t_s)
        heat_w = craft.surface_heat_w(light)
        array_w = craft.array.available_w(light, array_k)
        sky.t_s.append(t_s)
        sky.array_w.append(array_w)
        sky.daylight.append(light.day_cosine > dusk)
        for name, watts in zip(NAMES, heat_w, strict=False):
            sky.heat_w[name].append(watts)
        sky.heat_w["radiator"][-1] += to_radiator_w_k * (array_k - radiator_k_max)
        flow_w = heat_w[array] - array_w / config.array.tracker_efficiency
        flow_w += to_radiator_w_k * (COLDEST_RADIATOR_K - array_k) - radiance * array_k**4
        array_k += flow_w / node.capacity_j_k
    return sky


def power_part(craft: Spacecraft, soc_floor: float, array_w: float) -> dict[str, Any]:
    """Battery and array of a day's file."""
    config, cells = craft.config, craft.config.battery
    count = cells.series * cells.parallel
    charge_as = count * cells.cell_capacity_ah * 3600.0

    def energy_j(soc: float) -> float:
        return charge_as * soc * Battery.curve.mean(0.0, soc)

    full_j = energy_j(1.0)
    charge_w = count * cells.cell_capacity_ah * cells.charge_c_rate_max * cells.cell_voltage_v_max
    return {
        "array_w": array_w, "base_load_w": config.bus_w, "base_heat_fraction": {"radiator": 1.0},
        "battery_capacity_j": full_j, "battery_start_j": energy_j(config.initial_soc),
        "depth_of_discharge_max": 1.0 - energy_j(soc_floor) / full_j,
        "charge_efficiency": cells.charge_efficiency, "discharge_efficiency": 1.0,
        "charge_max_w": charge_w, "discharge_max_w": DISCHARGE_W_MAX,
    }  # fmt: skip


def thermal_part(craft: Spacecraft, limit_c: dict[str, float]) -> dict[str, Any]:
    """The network of a day's file; nodes without a limit in `limit_c` (degC) have none."""
    config, array = craft.config, int(ThermalNode.ARRAY)
    nodes = [
        {
            "name": name,
            "capacity_j_per_k": config.nodes[i].capacity_j_k,
            "start_k": config.initial_temp_c[i] + ZERO_CELSIUS_K,
            "max_k": limit_c[name] + ZERO_CELSIUS_K if name in limit_c else NO_LIMIT_K,
            "radiator_area_m2": config.nodes[i].area_m2,
            "emissivity": config.nodes[i].emissivity,
        }
        for i, name in enumerate(NAMES)
    ]
    edges = [
        {"a": NAMES[each.a], "b": NAMES[each.b], "w_per_k": each.conductance_w_k}
        for each in config.links
        if array not in {each.a, each.b}
    ]
    return {"nodes": nodes, "conductances": edges}
