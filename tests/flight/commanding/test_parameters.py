import math

import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.commanding.parameters import ParameterTable, ParameterVerdict, describe_range
from flight.telemetry.dictionary import PARAMETER_BY_NAME, PARAMETERS

names = st.sampled_from([p.name for p in PARAMETERS])
numbers = st.one_of(st.floats(), st.sampled_from([b for p in PARAMETERS for b in (p.low, p.high)]))


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.tuples(names, numbers), max_size=20))
def test_no_value_outside_its_range_is_ever_in_force(requests):
    table = ParameterTable({})
    for name, value in requests:
        before = table[name]
        definition = PARAMETER_BY_NAME[name]
        inside = definition.low <= value <= definition.high
        verdict = table.set(name, value)
        assert verdict is (ParameterVerdict.SET if inside else ParameterVerdict.OUT_OF_RANGE)
        assert table[name] == (value if inside else before)
        assert math.isfinite(table[name])


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.tuples(names, numbers), max_size=20))
def test_what_differs_rebuilds_the_table(requests):
    table = ParameterTable({})
    for name, value in requests:
        table.set(name, value)
    again = ParameterTable(table.differing())
    assert {p.name: again[p.name] for p in PARAMETERS} == {
        p.name: table[p.name] for p in PARAMETERS
    }
    assert all(table[n] != PARAMETER_BY_NAME[n].default for n in table.differing())


def test_an_unknown_parameter_is_said_to_be_unknown():
    assert ParameterTable({}).set("power.no_such", 1.0) is ParameterVerdict.UNKNOWN
    assert "known are" in describe_range("power.no_such", 1.0)


def test_a_bad_override_names_parameter_value_and_range():
    with pytest.raises(
        ValueError, match=r"^parameter power.soc_floor = 2: allowed is 0.2 to 0.9 1$"
    ):
        ParameterTable({"power.soc_floor": 2.0})
    with pytest.raises(ValueError, match=r"command\.loss_timeout_s = nan: allowed is 600 to"):
        ParameterTable({"command.loss_timeout_s": math.nan})
