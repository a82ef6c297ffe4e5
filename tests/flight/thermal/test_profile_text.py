"""What is written is read back as the same profile."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.config import convert, load_profile, shipped_profiles
from flight.thermal.board_profile import BoardProfile, Level, Measured
from flight.thermal.profile_text import profile_text


def read_back(profile):
    return convert(tomllib.loads(profile_text(profile)), BoardProfile, "written")


@pytest.mark.parametrize("name", shipped_profiles())
def test_every_shipped_profile_comes_back_as_it_was(name):
    profile = load_profile(name)
    assert read_back(profile) == profile


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
watts = st.floats(0.0, 500.0)
millis = st.dictionaries(st.sampled_from(["fp32", "int8"]), st.floats(0.001, 600_000.0), min_size=1)
measured = st.builds(
    Measured, tile_px=st.integers(16, 4096),
    frames=st.dictionaries(st.sampled_from(["fp32", "int8"]), st.integers(1, 10**6)),
    p95_ms=millis, j_per_tile=st.dictionaries(st.just("fp32"), st.floats(0.0, 10.0)),
    die_c=st.sampled_from([(), (40.5, 41.0)]), throttle=st.sampled_from([(), ("thermal",)]),
)  # fmt: skip
levels = st.builds(
    Level, name=words, idle_w=st.none(), active_w=st.none(), ms_per_tile=millis,
    cpu_khz_max=st.integers(0, 5_000_000), gpu_khz_max=st.integers(0, 5_000_000),
    power_mode=st.text("ABC 15W_", max_size=23), source=words,
    measured=st.none() | measured,
)  # fmt: skip
profiles = st.builds(
    BoardProfile, name=words, source=st.just("measured"), die_limit_c=st.floats(30.0, 125.0),
    die_k_per_w=st.floats(0.01, 20.0), sink_j_per_k=st.floats(0.1, 1e5),
    levels=st.lists(levels, min_size=1, max_size=3).map(tuple),
    power=st.sampled_from(["", "measured", "not measured"]),
    boards=st.lists(words, max_size=2).map(tuple), measured_on=words,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(profile=profiles)
def test_whatever_was_measured_comes_back_as_it_was(profile):
    assert read_back(profile) == profile


def test_a_power_of_zero_is_a_figure_and_a_cap_of_zero_is_none():
    text = profile_text(BoardProfile("x", "measured", 80.0, 1.0, 1.0, (Level("on", 0.0, 0.0),)))
    assert "idle_w = 0.0" in text
    assert "cpu_khz_max" not in text
    assert "boards" not in text
