import re
import tomllib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.config import (
    PROFILES,
    SPANS_MAX,
    BatteryConfig,
    ConfigError,
    ContactConfig,
    KeepOutConfig,
    NodeConfig,
    check_node,
    convert,
    load_profile,
    read_toml,
)

PROFILE = PROFILES / "orin-nano-modelled.toml"


def refused(text):
    with pytest.raises(ConfigError) as caught:
        convert(tomllib.loads(text), NodeConfig, "node.toml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[camera]\ncadence_s = 0.01", "camera.cadence_s = 0.01: .*from 0.05 to 3600$"),
        ("[camera]\ncadence_s = 4000", "camera.cadence_s = 4000: .*from 0.05 to 3600$"),
        ("[camera]\ncadence_s = nan", "camera.cadence_s = nan: not a finite.*from 0.05 to 3600$"),
        ("[camera]\ncadence_s = -inf", "camera.cadence_s = -inf: not a finite"),
        ("[camera]\ncadence_s = '4'", "camera.cadence_s = '4': .*a number from 0.05 to 3600$"),
        ("[camera]\ntiles_per_frame = 2.5", "tiles_per_frame = 2.5: .*whole number from 1 to"),
        ("[camera]\ntiles_per_frame = true", "tiles_per_frame = True: .*whole number from 1"),
        ("[camera]\ncadence = 4", "camera: .*unknown field `cadence`; allowed: keys bands, "),
        ("[inference]\ngovernor = 'ai'", "governor = 'ai': .*one of guard, planner, none$"),
        ("[battery]\ncell_capacity_ah = 0", "capacity_ah = 0: .*above 0 to 500$"),
        ("[orbit]\nepoch_utc_s = 1\nraan_deg = 360\ninclination_deg = 97",
         "orbit.raan_deg = 360: .*from 0 to below 360$"),
        ("[parameters]\n'power.soc_floor' = 'x'", "parameters.power.soc_floor = 'x': .*a number$"),
        ("[battery]\nocv_soc = [0.0, 1.5]", r"battery.ocv_soc\[1\] = 1.5: .*from 0 to 1$"),
        ("contacts = 3", "contacts = 3: "),
    ],
)  # fmt: skip
def test_an_error_is_one_line_with_file_key_value_and_the_whole_range(text, said):
    message = refused(text)
    assert message.startswith("node.toml: ")
    assert re.search(said, message), message


@settings(deadline=None, max_examples=200)
@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["camera", "battery", "cadence_s", "parameters", "contacts", "a.b"]),
            inner, max_size=4,
        ),
    ),
    max_leaves=12,
))  # fmt: skip
def test_any_content_is_a_node_or_one_line(content):
    try:
        assert isinstance(convert(content, NodeConfig, "x"), NodeConfig)
    except ConfigError as error:
        said = str(error)
        assert said.startswith("x: ")
        assert "\n" not in said


def test_a_long_value_is_shown_shortened():
    assert len(refused("name = 5\n[camera]\ncadence_s = '" + "y" * 5_000 + "'")) < 250


def test_unreadable_files_are_told_in_one_line(tmp_path):
    broken = tmp_path / "a.toml"
    broken.write_bytes(b"\xff\xfe = 3")
    with pytest.raises(ConfigError, match=r"a\.toml: not readable"):
        read_toml(broken)
    broken.write_text("x = = 3")
    with pytest.raises(ConfigError, match=r"a\.toml: not valid TOML"):
        read_toml(broken)
    with pytest.raises(ConfigError, match=r"b\.toml: no such file"):
        read_toml(tmp_path / "b.toml")


def test_the_defaults_are_a_node_that_can_be_flown():
    check_node(NodeConfig(), "default")
    assert load_profile(NodeConfig().inference.profile).top >= 1


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (NodeConfig(battery=BatteryConfig(ocv_soc=(0.0, 1.0))), "two or more points, as many"),
        (
            NodeConfig(battery=BatteryConfig(ocv_soc=(0.0, 0.5, 0.5), ocv_v=(3.0, 3.5, 4.0))),
            "must rise",
        ),
        (NodeConfig(parameters={"power.soc_floor": 5.0}), "soc_floor = 5: allowed is 0.2 to 0.9"),
        (NodeConfig(parameters={"no.such": 5.0}), "no.such: unknown"),
        (
            NodeConfig(
                contacts=(
                    ContactConfig(
                        contact_id=1,
                        peer_id=1,
                        peer_name="a",
                        kind="OGS",
                        start_utc_s=20.0,
                        end_utc_s=20.0,
                        rate_bps=1.0,
                    ),
                )
            ),
            r"contacts\[0\].end_utc_s = 20: must be after",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(config, said):
    with pytest.raises(ConfigError, match=said) as caught:
        check_node(config, "node.toml")
    assert str(caught.value).startswith("node.toml: ")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("active_w = 25.0", "active_w = 1.0", "rising active_w"),
        ("idle_w = 4.6", "idle_w = 46.0", r"levels\[3\].idle_w = 46: allowed: up to active_w = 25"),
        (
            "{ fp32 = 2.6, int8 = 1.9, small = 0.65 }",
            "{ fp32 = 2.6 }",
            r"levels\[3\].ms_per_tile: needs",
        ),
        ("die_limit_c = 85.0", "die_limit_c = 850.0", "die_limit_c = 850.0: .*from 30 to 125"),
    ],
)
def test_a_board_profile_that_cannot_be_flown_is_refused(tmp_path, old, new, said):
    text = PROFILE.read_text()
    assert text.count(old) == 1
    path = tmp_path / "board.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=said):
        load_profile(str(path))
    with pytest.raises(ConfigError, match=r"known: .*orin-nano-modelled"):
        load_profile("no-such-board")


def test_a_configuration_round_trips_through_its_own_types():
    config = NodeConfig(parameters={"power.soc_floor": 0.5})
    assert convert(msgspec.to_builtins(config) | {"orbit": None}, NodeConfig, "x") == config


def test_a_keep_out_ends_after_it_begins_and_a_plan_has_room_for_so_many():
    window = KeepOutConfig(start_utc_s=20.0, end_utc_s=20.0)
    with pytest.raises(ConfigError, match=r"keep_outs\[0\].end_utc_s = 20: must be after"):
        check_node(NodeConfig(keep_outs=(window,)), "x")
    good = msgspec.structs.replace(window, end_utc_s=30.0)
    check_node(NodeConfig(keep_outs=(good,) * SPANS_MAX), "x")
    with pytest.raises(ConfigError, match=rf"keep_outs: 1025 of them; allowed: up to {SPANS_MAX}"):
        check_node(NodeConfig(keep_outs=(good,) * (SPANS_MAX + 1)), "x")
