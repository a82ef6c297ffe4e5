from flight.fdir.safety_tables import node_limits
from flight.io.absent_sensors import FIELDS, absent_in, mask_of
from flight.io.acquisition import _FIELDS
from hal.sample import SENSOR_ALL, SensorBit


def test_every_reading_of_the_cycle_can_be_absent():
    covered = mask_of(tuple(FIELDS))
    assert covered == sum(bit for _, bit, _ in _FIELDS)


def test_nothing_is_absent_in_a_frame_where_all_is_valid_and_all_in_an_empty_one():
    assert absent_in(SENSOR_ALL) == ()
    assert absent_in(0) == tuple(FIELDS)


def test_a_battery_with_one_of_its_two_sensors_is_not_absent():
    without = SENSOR_ALL & ~SensorBit.BATTERY_I
    assert absent_in(without) == ()
    assert absent_in(without & ~SensorBit.BATTERY_V) == ("battery",)


def test_every_limit_can_be_taken_out_by_its_own_name():
    rows = node_limits(die_limit_c=85.0, soc_safe=0.3, soc_floor=0.5)
    assert {row.name for row in rows} <= set(FIELDS)
