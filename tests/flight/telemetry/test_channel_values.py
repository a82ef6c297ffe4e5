from math import isnan

import pytest

from flight.telemetry.channel_values import ChannelValues


def test_what_nobody_has_said_yet_is_unknown_and_a_counter_starts_from_zero():
    values = ChannelValues()
    assert isnan(values.get("system.restarts"))
    index = values.counter("system.restarts")
    assert values.get("system.restarts") == values.values[index] == 0


def test_a_name_that_the_dictionary_lacks_is_refused():
    with pytest.raises(KeyError):
        ChannelValues().counter("system.nothing")
