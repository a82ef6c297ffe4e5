import re

import msgspec
import pytest

from flight.config import ConfigError, load_profile, shipped_profiles
from flight.thermal.board_profile import BoardProfile, Level, contradiction, fits_board

SHIPPED = shipped_profiles()
KNOWN = [name for name in SHIPPED if load_profile(name).watts_known]


def test_the_boards_that_were_asked_for_are_shipped():
    assert {"raspberry-pi-4", "raspberry-pi-5", "orin-nano", "agx-orin", "generic-pc"} <= set(
        SHIPPED
    )


@pytest.mark.parametrize("name", KNOWN)
def test_level_zero_costs_nothing_and_every_level_above_costs_more(name):
    profile = load_profile(name)
    assert (profile.active_w(0), profile.idle_w(0)) == (0.0, 0.0)
    powers = [profile.active_w(level) for level in range(profile.top + 1)]
    assert powers == sorted(set(powers))
    for level in range(1, profile.top + 1):
        assert 0.0 < profile.idle_w(level) <= profile.active_w(level)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_higher_level_is_never_slower(name):
    profile = load_profile(name)
    for variant in profile.levels[0].ms_per_tile:
        times = [profile.tile_ms(level, variant) for level in range(1, profile.top + 1)]
        assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_shipped_profile_claims_to_be_measured(name):
    profile = load_profile(name)
    assert profile.source in {"modelled", "published", "unknown"}
    assert profile.power_source in {"modelled", "published", "unknown"}
    assert profile.measured_on == ""
    assert profile.name == name
    if profile.power:
        assert all(each.source for each in profile.levels) == profile.watts_known


@pytest.mark.parametrize("name", SHIPPED)
def test_caps_rise_with_the_levels(name):
    caps = [each.cpu_khz_max for each in load_profile(name).levels]
    assert caps == sorted(caps)


def test_a_board_whose_watts_nobody_knows_says_so_and_predicts_nothing():
    profile = load_profile("generic-pc")
    assert not profile.watts_known
    assert (profile.active_w(1), profile.idle_w(1)) == (0.0, 0.0)
    assert profile.power_source == "unknown"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4", "raspberry-pi-4"),
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi-5"),
        ("Raspberry Pi Compute Module 4 Rev 1.1", "raspberry-pi-4"),
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super", "orin-nano"),
        ("NVIDIA Jetson AGX Orin Developer Kit", "agx-orin"),
        ("Jetson AGX Orin", "agx-orin"),
    ],
)
def test_a_model_as_the_device_tree_writes_it_finds_its_profile_and_only_that(model, name):
    fits = {each: fits_board(load_profile(each), model) for each in SHIPPED}
    assert [each for each, fit in fits.items() if fit] == [name]


@pytest.mark.parametrize("model", ["", "Raspberry Pi 3 Model B", "PowerEdge R640", "Virtual"])
def test_a_model_nobody_knows_finds_none(model):
    assert not any(fits_board(load_profile(each), model) for each in SHIPPED)


LEVEL = Level("a", 1.0, 2.0, {"fp32": 1.0})


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ((), "need one or more"),
        ((LEVEL, Level("b", 0.5, 1.5, {"fp32": 1.0})), "rising active_w"),
        ((Level("b", None, None), LEVEL), "in all of them, or in none"),
        ((Level("b", None, 1.5, {"fp32": 1.0}),), r"levels\[0\]: idle_w and active_w go together"),
        ((Level("b", 2.0, 1.0),), r"levels\[0\].idle_w = 2: allowed: up to active_w = 1"),
        ((LEVEL, Level("b", 2.0, 3.0)), r"levels\[1\].ms_per_tile: needs the variants"),
    ],
)
def test_levels_that_contradict_each_other_are_named(levels, said):
    profile = BoardProfile("x", "modelled", 80.0, 1.0, 1.0, levels)
    assert re.search(said, contradiction(profile))
    assert contradiction(BoardProfile("x", "modelled", 80.0, 1.0, 1.0, (LEVEL,))) == ""


def test_a_source_that_is_none_of_the_known_is_refused(tmp_path):
    fields = msgspec.to_builtins(BoardProfile("x", "modelled", 80.0, 1.0, 1.0, (LEVEL,)))
    with pytest.raises(msgspec.ValidationError, match="source"):
        msgspec.convert(fields | {"source": "guessed"}, BoardProfile)
    with pytest.raises(msgspec.ValidationError, match="power"):
        msgspec.convert(fields | {"power": "guessed"}, BoardProfile)
    path = tmp_path / "board.toml"
    path.write_text('name = "x"\nspeed = 1\n')
    with pytest.raises(ConfigError, match="speed"):
        load_profile(str(path))
