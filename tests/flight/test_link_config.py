"""The section [link]: what a frame may be with and without coding."""

import msgspec
import pytest

from flight.link_config import CODED_FRAME_BYTES, LinkConfig
from flight.wire import channel_coding


def test_without_coding_a_frame_takes_what_the_line_gives_it():
    assert LinkConfig(frame_bytes=32_768).sealed_bytes == 32_768
    assert LinkConfig(frame_bytes=32_768).contradiction() is None


def test_with_coding_a_frame_is_what_eight_codewords_hold():
    link = LinkConfig(coding="rs", frame_bytes=2_048)
    assert link.sealed_bytes == CODED_FRAME_BYTES == channel_coding.CODED_FRAME_BYTES
    assert link.frame_bytes >= channel_coding.CODED_LINE_BYTES
    assert link.contradiction() is None


def test_a_coded_frame_of_another_length_is_refused_by_key_value_and_what_is_allowed():
    told = LinkConfig(coding="rs", frame_bytes=8_192).contradiction()
    assert told == 'link.frame_bytes = 8192: with coding = "rs" allowed: 2048'


def test_a_half_life_of_nought_means_that_results_keep_their_value():
    assert LinkConfig().half_life_ns is None
    assert LinkConfig(half_life_s=1.5).half_life_ns == 1_500_000_000
    assert LinkConfig(half_life_s=1e-12).half_life_ns == 1


def test_an_unknown_coding_is_refused():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"coding": "turbo"}, LinkConfig)
