"""Hypothesis strategies for the whole dictionary, made from the types themselves.

A command that is added to the dictionary is thereby in every test that draws from here.
"""

import msgspec
from hypothesis import strategies as st

from flight.telemetry.command_table import SetParameter
from flight.telemetry.dictionary import COMMANDS, PARAMETERS


def _of_type(kind):
    inspect = msgspec.inspect
    match kind:
        case inspect.IntType():
            return st.integers(kind.ge, kind.le)
        case inspect.FloatType():
            return st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False)
        case inspect.StrType(pattern=str()):
            return st.from_regex(kind.pattern, fullmatch=True)
        case inspect.StrType():
            return st.text(min_size=kind.min_length or 0, max_size=kind.max_length)
        case inspect.BytesType():
            return st.binary(min_size=kind.min_length or 0, max_size=kind.max_length)
        case inspect.BoolType():
            return st.booleans()
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
    raise AssertionError(f"no strategy for {kind}")


def of(definition):
    """Every value of one command."""
    if definition.arguments is SetParameter:
        return st.sampled_from(PARAMETERS).flatmap(
            lambda p: st.builds(SetParameter, st.just(p.name), st.floats(p.low, p.high))
        )
    fields = msgspec.inspect.type_info(definition.arguments).fields
    return st.builds(definition.arguments, **{f.name: _of_type(f.type) for f in fields})


commands = st.one_of([of(definition) for definition in COMMANDS])
"""Any command of the dictionary, in range."""
