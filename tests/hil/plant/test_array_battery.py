"""Array and bus: the power law, and who gets what."""

import math

import pytest

from hil.plant.array_battery import (
    ArrayConfig,
    BusVerdict,
    Light,
    SolarArray,
    solar_flux_w_m2,
    step_bus,
)
from hil.plant.battery import Battery, BatteryConfig, BatteryState

COOL_K = 301.15  # 28 C, where the array is rated
FULL_SUN = Light(1361.0, 1.0, 0.0)
BATTERY = Battery(BatteryConfig())


def test_the_array_gives_flux_times_area_times_its_efficiencies() -> None:
    config = ArrayConfig(age_years=0.0, offset_deg=0.0)
    expected_w = 1361.0 * 0.22 * 0.90 * 0.295 * 0.97
    assert SolarArray(config).available_w(FULL_SUN, COOL_K) == pytest.approx(expected_w, rel=1e-12)


def test_heat_age_angle_and_strings_each_take_their_share() -> None:
    new = SolarArray(ArrayConfig(age_years=0.0, offset_deg=0.0))
    base_w = new.available_w(FULL_SUN, COOL_K)
    assert new.available_w(FULL_SUN, COOL_K + 50.0) == pytest.approx(base_w * (1 - 0.11))
    assert new.available_w(FULL_SUN, COOL_K, 1.0 - 1.0 / 4.0) == pytest.approx(base_w * 0.75)
    tilted = SolarArray(ArrayConfig(age_years=0.0, offset_deg=60.0))
    assert tilted.available_w(FULL_SUN, COOL_K) == pytest.approx(base_w * 0.5)
    old = SolarArray(ArrayConfig(age_years=3.0, offset_deg=0.0))
    assert old.available_w(FULL_SUN, COOL_K) == pytest.approx(base_w * 0.985**3)


def test_nothing_comes_in_past_the_cutoff_or_from_the_shadow() -> None:
    steep = SolarArray(ArrayConfig(offset_deg=81.0))
    assert steep.available_w(FULL_SUN, COOL_K) == 0.0
    assert SolarArray(ArrayConfig()).available_w(Light(1361.0, 0.0, 0.0), COOL_K) == 0.0


def test_albedo_adds_a_little_by_day() -> None:
    array = SolarArray(ArrayConfig())
    gain = array.available_w(Light(1361.0, 1.0, 0.5), COOL_K) / array.available_w(FULL_SUN, COOL_K)
    assert gain == pytest.approx(1.0 + 0.3 * 0.10 * 0.5 / math.cos(math.radians(3.0)))


def test_the_flux_varies_by_the_square_of_the_distance() -> None:
    assert solar_flux_w_m2(1.0) == 1361.0
    assert solar_flux_w_m2(0.98329) / solar_flux_w_m2(1.01671) == pytest.approx(1.069, abs=1e-3)


def test_the_surplus_charges_the_battery() -> None:
    step = step_bus(BATTERY, BatteryState(0.5), 30.0, array_w=70.0, temp_k=290.0, dt_s=1.0)
    assert step.verdict is BusVerdict.SUPPLIED
    assert step.array_w == pytest.approx(70.0, abs=1e-6)
    assert step.battery.power_w == pytest.approx(-40.0, abs=1e-6)


@pytest.mark.parametrize(("soc", "temp_k"), [(1.0, 290.0), (0.5, 270.0)])
def test_what_a_full_or_frozen_battery_refuses_stays_on_the_array(
    soc: float, temp_k: float
) -> None:
    step = step_bus(BATTERY, BatteryState(soc), 30.0, array_w=70.0, temp_k=temp_k, dt_s=1.0)
    assert step.verdict is BusVerdict.CURTAILED
    assert step.array_w == pytest.approx(30.0, abs=1e-9)
    assert step.served_w == 30.0


def test_the_battery_fills_what_the_array_lacks() -> None:
    step = step_bus(BATTERY, BatteryState(0.5), 60.0, array_w=20.0, temp_k=290.0, dt_s=1.0)
    assert (step.verdict, step.served_w) == (BusVerdict.SUPPLIED, 60.0)
    assert step.battery.power_w == pytest.approx(40.0, abs=1e-6)


def test_a_bus_that_collapses_serves_nothing_and_still_charges() -> None:
    step = step_bus(BATTERY, BatteryState(0.0), 60.0, array_w=20.0, temp_k=290.0, dt_s=1.0)
    assert (step.verdict, step.served_w) == (BusVerdict.BROWN_OUT, 0.0)
    assert step.battery.state.soc > 0.0
    assert step.array_w == pytest.approx(20.0, abs=1e-6)


def test_power_in_is_power_out_in_every_case() -> None:
    for soc in (0.0, 0.3, 0.9999, 1.0):
        for load_w in (0.0, 12.0, 60.0, 3000.0):
            for array_w in (0.0, 25.0, 72.0):
                step = step_bus(
                    BATTERY, BatteryState(soc), load_w, array_w=array_w, temp_k=290.0, dt_s=1.0
                )
                balance_w = step.array_w + step.battery.power_w - step.served_w
                assert balance_w == pytest.approx(0.0, abs=1e-9)
                assert step.array_w <= array_w + 1e-6


@pytest.mark.parametrize("bad", [{"area_m2": 0.0}, {"efficiency": 0.9}, {"packing": 1.1}])
def test_an_array_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each message names its own figure
        ArrayConfig(**bad)
