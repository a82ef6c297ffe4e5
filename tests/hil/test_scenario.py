import tomllib
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.config import ConfigError, NodeConfig, OrbitConfig, convert
from flight.link_config import ContactConfig, LinksConfig
from hil.scenario import (
    DEFAULT,
    Expectation,
    ExpectKind,
    GroundSection,
    Scenario,
    TimelineEntry,
    as_flown,
    load_scenario,
    shipped_names,
    with_overrides,
)
from hil.scenario_check import check_for_line, check_scenario

BASE = 'name = "a"\ntitle = "t"\nduration_s = 100\nepoch_utc = 2026-06-21T00:00:00Z\n'
RICH = Scenario(
    name="rich",
    title='quotes " and \\ and # and \x7f and \u2028',
    description="two\nlines\tand a tab",
    duration_s=86_400.0,
    seed=2**63 - 1,
    epoch_utc=datetime(2026, 6, 21, 5, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=2))),
    ground=GroundSection(stations=(), rate_bps=1e11, report_loss=0.0),
    node=NodeConfig(
        orbit=OrbitConfig(epoch_utc_s=1.78e9, inclination_deg=97.8, raan_deg=1e-5),
        contacts=(
            ContactConfig(
                contact_id=1, peer_id=3, peer_name="A, B", kind="OGS", start_utc_s=1e9,
                end_utc_s=1.1e9, rate_bps=1e-300,
            ),
            ContactConfig(
                contact_id=2, peer_id=3, peer_name="", kind="RELAY", start_utc_s=1e9,
                end_utc_s=1.1e9, rate_bps=1e12, authorised=False,
            ),
        ),
        parameters={"power.soc_floor": 0.5, "governor.die_target_c": 70.0},
    ),
    timeline=(
        TimelineEntry(at_s=1.0, action="heat", watts=-0.5, for_s=3.0),
        TimelineEntry(
            at_s=2.0, action="command", command="SET_PARAMETER",
            arguments={"name": "power.soc_floor", "value": 0.6},
        ),
        TimelineEntry(at_s=3.0, action="command", command="NO_OP"),
    ),
    expect=(
        Expectation(id="E-1", kind=ExpectKind.NEVER, value="thermal.die_c", op=">", limit=85.0),
        Expectation(id="E-2", kind=ExpectKind.WITHIN, value="MODE_CHANGED", limit=1e-3),
    ),
)  # fmt: skip
texts = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]), st.sampled_from('"\\#\x7f\n\r\t\x00=[]{}.')
    ),
    max_size=12,
)
plain = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), texts,
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
anything = st.recursive(
    plain,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=10,
)


def read_back(scenario):
    return convert(tomllib.loads(as_flown(scenario)), Scenario, "as flown")


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_scenario_can_be_repeated_from_what_it_wrote(name):
    scenario = load_scenario(name)
    assert read_back(scenario) == scenario
    assert as_flown(read_back(scenario)) == as_flown(scenario)


def test_a_rich_scenario_round_trips_with_every_default_written_out():
    assert read_back(RICH) == RICH
    written = tomllib.loads(as_flown(RICH))
    assert written["node"]["camera"]["cadence_s"] == RICH.node.camera.cadence_s
    assert written["ground"]["stations"] == []
    assert written["epoch_utc"] == RICH.epoch_utc
    assert as_flown(RICH).count("2026-06-21T03:30:00.250000Z") == 1


@settings(deadline=None, max_examples=150)
@given(
    title=texts,
    arguments=st.dictionaries(texts, anything, max_size=4),
    parameters=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    epoch=st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_any_text_number_and_table_survives_being_written_and_read(
    title, arguments, parameters, epoch
):
    entry = TimelineEntry(at_s=0.0, action="command", command="X", arguments=arguments)
    scenario = msgspec.structs.replace(
        RICH,
        title=title,
        epoch_utc=epoch,
        timeline=(entry, entry),
        node=NodeConfig(parameters=parameters),
    )
    assert read_back(scenario) == scenario


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[spacecraft]\naltitude_km = 200", "spacecraft.altitude_km = 200: .*from 300 to 1500"),
        ("[spacecraft]\naltitude_km = 2000", "spacecraft.altitude_km = 2000: .*from 300 to 1500"),
        ("[spacecraft]\naltitude_km = inf", "altitude_km = inf: not a finite.*from 300 to 1500"),
        ("[spacecraft]\nltan_h = 24", "spacecraft.ltan_h = 24: .*from 0 to below 24"),
        ("[ground]\nreport_loss = 1.5", "ground.report_loss = 1.5: .*from 0 to 1"),
        ("[node.camera]\ncadence_s = 0", "node.camera.cadence_s = 0: .*from 0.05 to 3600"),
        ("[imagery]\nsource = 'nasa'", "imagery.source = 'nasa': .*one of sentinel2, synthetic"),
        ("[[timeline]]\nat_s = 1\naction = 'boom'", r"timeline\[0\].action = 'boom': .*one of "),
        ("[[timeline]]\nat_s = 1\naction = 'actuator_stuck'", r"timeline\[0\].actuator: is needed"),
        (
            "[[timeline]]\nat_s = 1\naction = 'actuator_stuck'\nactuator = 'knob'",
            r"timeline\[0\].actuator = 'knob': .*one of ",
        ),
        ("[[timeline]]\nat_s = 1\naction = 'utc_step'", r"timeline\[0\].step_s: is needed by"),
        (
            "[[timeline]]\nat_s = 1\naction = 'utc_step'\nstep_s = 86401",
            r"timeline\[0\].step_s = 86401: .*-86400 to 86400",
        ),
        (
            "[[timeline]]\nat_s = 1\naction = 'engine_lost'\nactuator = 'laser'",
            r"timeline\[0\].actuator = 'laser': does not belong to 'engine_lost'",
        ),
        ("[[timeline]]\nat_s = 1\naction = 'radiator'", r"timeline\[0\].share: is needed by"),
        (
            "[[timeline]]\nat_s = 1\naction = 'camera'\npace = 101",
            r"timeline\[0\].pace = 101: .*0 to 100",
        ),
        ("[[timeline]]\nat_s = 101\naction = 'reset'", r"timeline\[0\].at_s = 101: .*0 to "),
        ("[node.parameters]\n'power.soc_floor' = 7", "power.soc_floor = 7: allowed is 0.2 to 0.9"),
        ("[[expect]]\nid='A'\nkind='always'\nvalue='x'\nlimit=nan", r"expect\[0\].limit = nan"),
        ("speed = 3", "unknown field `speed`; allowed: keys name, title, "),
    ],
)
def test_an_error_is_one_line_with_file_key_value_and_what_is_allowed(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(BASE + text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_scenario(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_an_epoch_without_a_zone_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(BASE.replace("00Z", "00"))
    with pytest.raises(ConfigError, match="epoch_utc: needs a time zone"):
        load_scenario(str(path))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=DEFAULT):
        load_scenario("no-such")


def test_only_a_seed_that_was_given_overrides():
    assert with_overrides(RICH, seed=None) is RICH
    assert with_overrides(RICH, seed=0) == msgspec.structs.replace(RICH, seed=0)


@pytest.mark.parametrize("year", ["1900", "1970", "2100", "9998"])
def test_an_epoch_without_ephemerides_is_refused(tmp_path, year):
    path = tmp_path / "s.toml"
    path.write_text(BASE.replace("= 2026", f"= {year}"))
    with pytest.raises(ConfigError, match=f"epoch_utc = {year}-06-21: allowed is 1971 to 2099"):
        load_scenario(str(path))


@pytest.mark.parametrize("action", ["engine_lost", "camera"])
def test_what_a_node_brings_along_is_not_the_benchs_to_change(action):
    lost = TimelineEntry(at_s=1.0, action=action)
    scenario = msgspec.structs.replace(RICH, timeline=(*RICH.timeline, lost))
    with pytest.raises(ConfigError, match=r"a.toml: timeline\[3\].*target pty.*sim only"):
        check_for_line(scenario, "a.toml", "pty")
    check_for_line(RICH, "a.toml", "pty")


def test_a_node_at_the_end_of_a_line_has_no_radio():
    node = msgspec.structs.replace(RICH.node, links=LinksConfig(radio=True))
    with pytest.raises(ConfigError, match=r"a.toml: node.links.radio = true.*target pty.*sim only"):
        check_for_line(msgspec.structs.replace(RICH, node=node), "a.toml", "pty")


@pytest.mark.parametrize("key", ["stations", "radio_stations"])
@pytest.mark.parametrize(
    ("keys", "said"),
    [(("atlantis",), "no such station; allowed is one of"), (("nemea",) * 2, "stands twice")],
)
def test_a_station_that_is_not_known_or_stands_twice_is_refused(key, keys, said):
    ground = msgspec.structs.replace(RICH.ground, **{key: keys})
    with pytest.raises(ConfigError, match=rf"a.toml: ground.{key}\[\d\] = .*{said}"):
        check_scenario(msgspec.structs.replace(RICH, ground=ground), "a.toml")


@pytest.mark.parametrize(
    ("for_s", "ends_s"), [(0.0, 1e9), (5.0, 15.0)], ids=["without an end", "for a while"]
)
def test_an_injection_holds_from_its_time_to_its_end(for_s, ends_s):
    entry = TimelineEntry(at_s=10.0, action="heat", watts=1.0, for_s=for_s)
    assert [entry.holds(t_s) for t_s in (9.999, 10.0, 14.999)] == [False, True, True]
    assert entry.holds(15.0) is (ends_s > 15.0)


def test_the_camera_s_pace_is_that_of_the_entry_that_began_last():
    camera = [
        TimelineEntry(at_s=1.0, action="camera", pace=0.0),
        TimelineEntry(at_s=5.0, for_s=2.0, action="camera", pace=20.0),
    ]
    flown = msgspec.structs.replace(load_scenario("first-flight"), timeline=tuple(camera))
    assert [flown.camera_pace(t_s) for t_s in (0.0, 2.0, 6.0, 8.0)] == [1.0, 0.0, 20.0, 0.0]
