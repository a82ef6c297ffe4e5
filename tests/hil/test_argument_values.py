"""Numbers on a command line are taken whole and in their range, or refused in one sentence."""

import argparse
import math

import pytest

from hil.argument_values import real, whole


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "0x10", "1e1", "٣", " 1", "11"])
def test_what_is_no_whole_number_of_the_range_is_refused_with_the_range(text):
    with pytest.raises(argparse.ArgumentTypeError, match="allowed is 1 to 10"):
        whole(1, 10)(text)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-0.1", "1.1", "one"])
def test_what_is_no_number_of_the_range_is_refused_with_the_range(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"allowed is 0 to 1$"):
        real(0, 1)(text)


def test_both_ends_of_a_range_are_allowed():
    assert [whole(1, 10)(text) for text in ("1", "10")] == [1, 10]
    assert [real(0, math.inf)(text) for text in ("0", "inf")] == [0.0, math.inf]
