from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from flight.config_ranges import (
    MISSING,
    allowed,
    as_shown,
    numbers_not_finite,
    path_of,
    spelled,
    value_at,
)


class Inner(msgspec.Struct):
    low: Annotated[float, Meta(ge=1.5)] = 2.0
    high: Annotated[int, Meta(lt=8)] = 2
    open: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.5
    name: Annotated[str, Meta(min_length=1, max_length=4)] = "a"
    flag: bool = False


class Outer(msgspec.Struct):
    inner: Inner | None = None
    items: tuple[Inner, ...] = ()
    table: dict[str, Annotated[float, Meta(ge=0.0, le=1.0)]] = {}
    choice: Literal["x", "y"] = "x"
    octets: Annotated[bytes, Meta(max_length=896)] = b""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("inner", "low"), "a number from 1.5 on"),
        (("inner", "high"), "a whole number below 8"),
        (("inner", "open"), "a number above 0 to below 1"),
        (("items", 3, "name"), "text of 1 to 4 characters"),
        (("octets",), "base64 of 0 to 896 octets"),
        (("items", 3, "flag"), "true or false"),
        (("table", "any.key"), "a number from 0 to 1"),
        (("choice",), "one of x, y"),
        (("inner",), "keys low, high, open, name, flag"),
        (("nowhere", "at", 3), ""),
    ],
)
def test_the_range_told_is_that_of_the_type(path, said):
    assert allowed(Outer, path) == said


def test_every_bound_that_is_told_is_one_that_is_enforced():
    for value, good in ((1.5, True), (1.499, False)):
        try:
            msgspec.convert({"inner": {"low": value}}, Outer)
            assert good
        except msgspec.ValidationError:
            assert not good


def test_a_path_is_read_and_spelled_as_it_was_written():
    assert path_of("$.a.b[2].c") == ("a", "b", 2, "c")
    assert path_of("$[...]") == ("...",)
    assert path_of("$") == path_of("") == ()
    assert spelled(("a", "b", 2, "c")) == "a.b[2].c"
    assert spelled(()) == "(top level)"


def test_values_are_looked_up_and_tables_are_not_shown():
    content = {"a": [{"b": 5}], "c.d": 7}
    assert value_at(content, ("a", 0, "b")) == 5
    assert value_at(content, ("c.d",)) == 7
    for path in ((), ("a",), ("a", 0), ("a", 9, "b"), ("a", "b"), ("x", "y")):
        assert value_at(content, path) is MISSING


def test_numbers_that_are_not_finite_are_found_wherever_they_stand():
    nan, inf = float("nan"), float("inf")
    content = {"a": [1.0, {"b": nan}], "c": -inf, "d": "nan", "e": 3}
    assert list(numbers_not_finite(content)) == [("a", 1, "b"), ("c",)]


def test_a_long_value_is_cut():
    assert as_shown("ab") == "'ab'"
    assert len(as_shown("x" * 1_000)) == 60
