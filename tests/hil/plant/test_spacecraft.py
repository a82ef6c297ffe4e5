"""The composed node: energy, light and heat over real orbits."""

import itertools

import pytest

from hil.plant.array_battery import BusVerdict
from hil.plant.battery import BatteryConfig, CellHealth
from hil.plant.orbit import Orbit, OrbitConfig
from hil.plant.spacecraft import (
    NO_DISTURBANCE,
    Actuators,
    Disturbance,
    Outputs,
    Spacecraft,
    SpacecraftState,
)
from hil.plant.spacecraft_config import SpacecraftConfig
from hil.plant.sun_eclipse import Crossing, find_crossings
from hil.plant.thermal import ThermalNode

ORBIT = Orbit(OrbitConfig(1_782_012_600 * 1_000_000_000))
BUSY = Actuators(payload_w=25.0)
DEFAULT = SpacecraftConfig()


def fly(
    actuators: Actuators,
    seconds: int,
    *,
    disturbance: Disturbance = NO_DISTURBANCE,
    config: SpacecraftConfig = DEFAULT,
    start_s: int = 0,
    state: SpacecraftState | None = None,
) -> tuple[Spacecraft, SpacecraftState, list[Outputs]]:
    craft = Spacecraft(config, ORBIT)
    state = state or craft.initial_state()
    log = []
    for k in range(seconds):
        state, out = craft.step(state, float(start_s + k), 1.0, actuators, disturbance)
        log.append(out)
    return craft, state, log


@pytest.fixture(scope="module")
def busy_orbits() -> list[Outputs]:
    return fly(BUSY, 11_620)[2]


def test_no_joule_comes_from_nowhere_over_two_orbits(busy_orbits: list[Outputs]) -> None:
    ledger = busy_orbits[-1].ledger
    assert ledger.absorbed_j > 1e6
    assert abs(ledger.residual_j) <= 1e-9 * ledger.absorbed_j


def test_the_ledger_closes_through_every_kind_of_trouble() -> None:
    trouble = Disturbance(
        sink_heat_w=30.0,
        array_scale=0.5,
        health=CellHealth(0.05, 4.0),
        payload_extra_w=40.0,
        heater_stuck=True,
        radiator_scale=0.5,
    )
    actuators = Actuators(25.0, laser_on=True)
    _, state, log = fly(actuators, 1500, disturbance=trouble, start_s=3600)
    assert {out.verdict for out in log} >= {BusVerdict.SUPPLIED, BusVerdict.BROWN_OUT}
    ledger = state.ledger
    assert abs(ledger.residual_j) <= 1e-9 * (ledger.absorbed_j + ledger.injected_j)
    assert ledger.unserved_j > 0.0


def test_electric_energy_in_is_energy_served_and_stored(busy_orbits: list[Outputs]) -> None:
    battery_j = sum(out.battery_v * out.battery_a for out in busy_orbits)
    ledger = busy_orbits[-1].ledger
    assert ledger.array_j + battery_j == pytest.approx(ledger.served_j, rel=1e-9)


def test_full_power_runs_between_60_and_70_degrees(busy_orbits: list[Outputs]) -> None:
    hottest_c = max(out.temp_k[ThermalNode.DIE] for out in busy_orbits) - 273.15
    assert 60.0 < hottest_c < 70.0


def test_thirty_watts_more_on_the_sink_overheat_it_unless_it_is_throttled() -> None:
    warm = fly(BUSY, 5000)[1]
    heat = Disturbance(sink_heat_w=30.0)
    _, _, full = fly(BUSY, 5000, disturbance=heat, start_s=5000, state=warm)
    _, _, low = fly(Actuators(7.0), 5000, disturbance=heat, start_s=5000, state=warm)
    assert max(out.temp_k[ThermalNode.DIE] for out in full) > 273.15 + 85.0
    assert max(out.temp_k[ThermalNode.DIE] for out in low[60:]) < 273.15 + 85.0


def test_the_array_goes_dark_with_the_shadow_and_the_battery_takes_over(
    busy_orbits: list[Outputs],
) -> None:
    events = {e.crossing: e.t_s for e in find_crossings(ORBIT, 0.0, 5800.0)}
    dark = busy_orbits[int(events[Crossing.UMBRA_IN]) + 2]
    assert (dark.sunlit, dark.array_w) == (0.0, pytest.approx(0.0, abs=1e-9))
    assert dark.battery_v * dark.battery_a == pytest.approx(37.0, abs=1e-6)
    light = busy_orbits[int(events[Crossing.PENUMBRA_OUT]) + 2]
    assert light.sunlit == 1.0
    assert light.battery_a < 0.0
    ramp = busy_orbits[int(events[Crossing.PENUMBRA_IN]) : int(events[Crossing.UMBRA_IN]) + 1]
    assert all(a.sunlit >= b.sunlit for a, b in itertools.pairwise(ramp))
    assert len({round(out.sunlit, 3) for out in ramp}) > 20


def test_one_eclipse_costs_its_load_times_its_length(busy_orbits: list[Outputs]) -> None:
    start = next(k for k, out in enumerate(busy_orbits) if out.battery_a > 0.0)
    end = next(k for k in range(start, len(busy_orbits)) if busy_orbits[k].battery_a <= 0.0)
    drawn_wh = (busy_orbits[start].soc - busy_orbits[end].soc) * BatteryConfig().energy_wh
    assert drawn_wh == pytest.approx(37.0 * (end - start) / 3600.0, rel=0.15)


def test_the_laser_costs_power_and_leaves_less_heat_than_it_takes() -> None:
    _, off, _ = fly(Actuators(), 600)
    _, on, log = fly(Actuators(laser_on=True), 600)
    assert log[-1].laser_w == 22.0
    assert on.ledger.light_j == pytest.approx(0.10 * 22.0 * 600)
    assert on.temp_k[ThermalNode.TERMINAL] > off.temp_k[ThermalNode.TERMINAL] + 2.0


def test_the_heater_keeps_an_idle_battery_warm_and_may_stick() -> None:
    _, cold, _ = fly(Actuators(), 3000)
    _, warm, _ = fly(Actuators(heater_on=True), 3000)
    stuck = Disturbance(heater_stuck=False)
    _, failed, log = fly(Actuators(heater_on=True), 3000, disturbance=stuck)
    assert warm.temp_k[ThermalNode.BATTERY] > cold.temp_k[ThermalNode.BATTERY] + 20.0
    assert failed.temp_k == cold.temp_k
    assert log[-1].heater_w == 0.0


def test_a_brown_out_serves_nobody_and_heats_nobody() -> None:
    worn = Disturbance(health=CellHealth(0.02, 10.0))
    flat = SpacecraftConfig(initial_soc=0.0)
    _, _, log = fly(BUSY, 5, disturbance=worn, config=flat, start_s=4000)
    assert all(out.verdict is BusVerdict.BROWN_OUT for out in log)
    assert all(out.load_w == out.payload_w == out.bus_w == 0.0 for out in log)
    assert log[-1].ledger.unserved_j == pytest.approx(5 * 37.0)


def test_a_step_is_pure() -> None:
    craft = Spacecraft(SpacecraftConfig(), ORBIT)
    state = craft.initial_state()
    first = craft.step(state, 100.0, 1.0, BUSY)
    craft.step(state, 4200.0, 1.0, BUSY, Disturbance(radiator_scale=0.3))
    assert craft.step(state, 100.0, 1.0, BUSY) == first
    assert state == craft.initial_state()


def test_long_steps_stay_near_short_ones_away_from_the_shadow_edges() -> None:
    craft = Spacecraft(SpacecraftConfig(), ORBIT)
    short = long = craft.initial_state()
    for k in range(600):
        short, _ = craft.step(short, float(k), 1.0, BUSY)
    for k in range(60):
        long, _ = craft.step(long, 10.0 * k, 10.0, BUSY)
    assert long.battery.soc == pytest.approx(short.battery.soc, abs=2e-5)
    assert long.temp_k == pytest.approx(short.temp_k, abs=0.05)


def test_a_step_that_cannot_be_is_refused() -> None:
    craft = Spacecraft(SpacecraftConfig(), ORBIT)
    state = craft.initial_state()
    for dt_s, payload_w in ((0.0, 0.0), (11.0, 0.0), (1.0, -1.0), (1.0, float("nan"))):
        with pytest.raises(ValueError, match="no such step"):
            craft.step(state, 0.0, dt_s, Actuators(payload_w))


@pytest.mark.parametrize("bad", [{"initial_soc": 1.1}, {"bus_w": -1.0}, {"initial_temp_c": (1.0,)}])
def test_a_node_that_cannot_be_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each message names its own figure
        SpacecraftConfig(**bad)  # type: ignore[arg-type]
