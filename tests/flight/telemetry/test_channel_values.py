from math import isnan

import pytest

from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS

S = 1_000_000_000


def test_what_nobody_has_said_yet_is_unknown_and_a_counter_starts_from_zero():
    channels = ChannelValues()
    assert isnan(channels.get("system.restarts"))
    assert channels.values[channels.counter("system.restarts")] == 0
    assert channels.get("system.restarts") == 0


def test_a_name_that_the_dictionary_lacks_is_refused():
    with pytest.raises(KeyError):
        ChannelValues.index("no.such")


def told(channels, name, t_s):
    return channels.row(t_s * S)[CHANNEL_INDEX[name]]


def test_a_value_that_nobody_tells_anew_is_told_as_invalid_within_its_age():
    channels, name = ChannelValues(), "thermal.die_c"
    age_s = int(CHANNELS[CHANNEL_INDEX[name]].age_s)
    channels.values[CHANNEL_INDEX[name]] = 50.0
    assert [told(channels, name, t) for t in range(age_s + 1)] == [50.0] * (age_s + 1)
    assert isnan(told(channels, name, age_s + 1))
    assert told(channels, "system.stale_channels", age_s + 2) == 1
    assert channels.get(name) == 50.0, "what was last said stays readable"
    channels.values[CHANNEL_INDEX[name]] = 50.0
    assert told(channels, name, age_s + 3) == 50.0, "the same value said again is a new one"
    assert told(channels, "system.stale_channels", age_s + 4) == 0


def test_what_holds_until_it_changes_never_grows_stale():
    channels, name = ChannelValues(), "command.accepted_total"
    assert CHANNELS[CHANNEL_INDEX[name]].age_s == 0
    channels.values[CHANNEL_INDEX[name]] = 3
    assert told(channels, name, 0) == told(channels, name, 10**6) == 3


def test_never_set_is_unknown_and_not_counted_as_stale():
    channels = ChannelValues()
    assert isnan(told(channels, "thermal.die_c", 1_000))
    assert told(channels, "system.stale_channels", 2_000) == 0


def test_adding_to_a_value_counts_as_writing_it():
    channels = ChannelValues()
    index = channels.counter("system.cycles")
    for t in range(20):
        channels.values[index] += 1
        assert channels.row(t * S)[index] == t + 1
