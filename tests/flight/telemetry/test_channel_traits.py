from math import isfinite

from flight.commanding.parameters import ParameterTable
from flight.fdir.safety_tables import node_limits
from flight.telemetry.channel_traits import BOUNDS, DEAD_BANDS
from flight.telemetry.definitions import Bounds, Severity
from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS

DIE_LIMIT_C = 85.0


def test_the_bounds_an_operator_sees_are_the_limits_the_node_judges_by():
    defaults = ParameterTable.defaults()
    limits = node_limits(
        die_limit_c=DIE_LIMIT_C,
        soc_safe=defaults["power.soc_safe"],
        soc_floor=defaults["power.soc_floor"],
    )
    names = ("low_red", "low_yellow", "high_yellow", "high_red")
    judged = {}
    for limit in limits:
        given = {name: getattr(limit, name) for name in names}
        judged[limit.channel] = Bounds(**{n: v if isfinite(v) else None for n, v in given.items()})
    assert judged == BOUNDS
    assert all(CHANNELS[CHANNEL_INDEX[name]].bounds == bounds for name, bounds in BOUNDS.items())


def test_a_value_on_a_bound_is_beyond_it():
    bounds = Bounds(low_red=-10.0, low_yellow=0.0, high_yellow=45.0, high_red=55.0)
    told = [bounds.severity(value) for value in (-10.0, 0.0, 1.0, 45.0, 55.0)]
    assert told == [
        Severity.ALARM, Severity.WARNING, Severity.INFO, Severity.WARNING, Severity.ALARM,
    ]  # fmt: skip
    assert Bounds().severity(1e9) is Severity.INFO


def test_every_unit_has_a_dead_band_and_none_is_left_over():
    assert {channel.unit for channel in CHANNELS} - {""} == set(DEAD_BANDS)


def test_what_is_sensed_or_estimated_each_cycle_has_an_age():
    for name in ("power.array_w", "thermal.die_c", "battery.temp_c", "link.rx_power_dbm"):
        assert 0 < CHANNELS[CHANNEL_INDEX[name]].age_s <= 10
