import json

import pytest

from flight.config import ConfigError
from hil.score.case_format import BYTES_MAX, HIDDEN, case_id, check_case, public_part, read_case
from hil.score.day_families import FAMILIES, make_day

DAY = make_day("sunlit", 1, 3600)


def changed(*path, to):
    day = json.loads(json.dumps(DAY))
    part = day
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = to
    return day


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_makes_days_that_its_own_reader_takes(family, tmp_path):
    day = make_day(family, 5, 7200)
    path = tmp_path / "day.json"
    path.write_text(json.dumps(day))
    assert read_case(path) == day
    assert make_day(family, 5, 7200) == day
    assert make_day(family, 6, 7200) != day


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("version",), 2, "version"),
        (("power", "battery_capacity_j"), 0.0, "power.battery_capacity_j = 0"),
        (("power", "array_w"), float("nan"), "power.array_w"),
        (("compute", "modes", 0, "variant"), "huge", "allowed: small, medium, large"),
        (("compute", "modes", 0, "watts"), 1.0, "must not be under compute.idle_w"),
        (("thermal", "conductances", 0, "a"), "moon", "allowed: two of die, sink, radiator"),
        (("truth", "arrivals", "event"), [0, 0], "needs 3600 numbers"),
        (("classes", 1, "value"), {"small": 1.0}, "needs value and result_bits"),
        (("forecast", "environment_heat_w"), {"moon": [[0, 1]]}, "allowed: die, sink, radiator"),
        (("forecast", "arrival_fps_hourly"), {"routine": [1.0]}, "missing"),
        (("duration_s",), 61, "duration_s = 61"),
        (
            ("thermal", "nodes", 0, "capacity_j_per_k"),
            1e-9,
            "nodes[0].capacity_j_per_k: too little",
        ),
        (("thermal", "conductances", 0, "w_per_k"), 1e15, "nodes[0].capacity_j_per_k: too little"),
        (("thermal", "nodes", 2, "radiator_area_m2"), 1e9, "nodes[2].capacity_j_per_k: too little"),
    ],
)
def test_a_day_that_is_none_is_refused_in_one_line_with_its_key(path, value, told):
    with pytest.raises(ConfigError) as refused:
        check_case(changed(*path, to=value), "day.json")
    text = str(refused.value)
    assert text.startswith("day.json: ")
    assert told in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("9" * 5_000, "not valid JSON"),
        ("[1]", "object"),
        (" " * (BYTES_MAX + 1), "allowed are"),
    ],
)
def test_a_file_that_is_no_day_is_refused_with_its_name(tmp_path, text, told):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told) as refused:
        read_case(path)
    assert str(path) in str(refused.value)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not readable"):
        read_case(path)
    with pytest.raises(ConfigError, match="no such file"):
        read_case(tmp_path / "none.json")


def test_a_governor_sees_neither_the_truth_nor_what_the_day_was_made_from():
    assert set(DAY) - set(public_part(DAY)) == set(HIDDEN)


def test_the_identity_of_a_day_is_that_of_its_content():
    assert case_id(DAY) == case_id(dict(reversed(list(DAY.items()))))
    assert case_id(DAY) != case_id(changed("power", "array_w", to=1.0))
