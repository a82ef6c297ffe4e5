"""Sequences as people write them: one line says what is wrong; the shipped ones are all sound."""

import datetime as dt

import pytest

from flight.commanding.sequence import Sequence, Step, decode_sequence, encode_sequence
from flight.config import ConfigError
from flight.sequence_file import RESPONSES, read_sequence, shipped_sequences
from flight.telemetry.command_table import DisableInference, NoOp, SetMode, SetParameter
from flight.telemetry.dictionary import COMMAND_BY_TYPE

TEXT = """
name = "night"
version = 3
in_safe = true
late_s = 10

[[step]]
command = "DISABLE_INFERENCE"

[[step]]
after_s = 2.5
command = "SET_PARAMETER"
arguments = { name = "telemetry.period_s", value = 60.0 }

[[step]]
at_utc = 2026-06-21T00:10:00Z
command = "SET_MODE"
arguments = { mode = "SAFE" }

[[step]]
command = "NO_OP"
confirm = true
"""


def test_a_file_is_compiled_to_the_millisecond(tmp_path):
    path = tmp_path / "night.toml"
    path.write_text(TEXT)
    instant = dt.datetime(2026, 6, 21, 0, 10, tzinfo=dt.UTC)
    assert read_sequence(path) == Sequence(
        "night", 3,
        (
            Step(DisableInference()),
            Step(SetParameter("telemetry.period_s", 60.0), 2_500),
            Step(SetMode("SAFE"), 0, round(instant.timestamp() * 1000)),
            Step(NoOp(), confirmed=True),
        ),
        in_safe=True, late_s=10,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"night"', '"Night"', ": name = 'Night': "),
        ("version = 3", "version = -1", ": version = -1: "),
        ("late_s = 10", "late_s = 1e9", ": late_s = 1000000000.0: "),
        ("in_safe", "is_safe", "unknown field `is_safe`; allowed: keys name, version, in_safe"),
        ("after_s = 2.5", "after_s = -2.5", ": step[1].after_s = -2.5: "),
        ("after_s = 2.5", "after_s = 700000", "; allowed: a number from 0 to 604800"),
        ("after_s = 2.5", "at_utc = 2030-01-01T00:00:00Z", "step[2]: its instant is before"),
        ("2026-06-21T00:10:00Z", "2026-06-21T00:10:00", ": step[2].at_utc"),
        ("2026-06-21T00:10:00Z", "1999-06-21T00:10:00Z", "allowed: 2020 to 2099"),
        ('"DISABLE_INFERENCE"', '"WARP"', "step[0].command = 'WARP': no such command; allowed is"),
        ("60.0", "1e9", "step[1].arguments.value = 1e+09: telemetry.period_s allows 1 to 600 s"),
        ('mode = "SAFE"', "", "step[2].arguments: SET_MODE: Object missing"),
        ('"DISABLE_INFERENCE"', '"LOAD_ROLL_BACK"\narguments = { kind = "sequence" }',
         "step[0]: LOAD_ROLL_BACK is dangerous and not confirmed"),
        ('name = "night"', "", ": Object missing required field `name`"),
        ("[[step]]", "[step]", "not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_file_step_key_and_range(tmp_path, old, new, said):
    path = tmp_path / "night.toml"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(ConfigError) as refused:
        read_sequence(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_more_than_a_load_can_hold_is_refused_with_its_size(tmp_path):
    path = tmp_path / "long.toml"
    step = '[[step]]\ncommand = "SET_PARAMETER"\n'
    step += 'arguments = { name = "telemetry.period_s", value = 60.0 }\n'
    path.write_text('name = "long"\n' + 128 * step)
    with pytest.raises(ConfigError, match=r"octets on the wire; allowed: 8192"):
        read_sequence(path)


def test_every_shipped_response_is_sound_runs_in_safe_and_says_what_it_is_for():
    shipped = shipped_sequences()
    assert [each.name for each in shipped] == sorted(p.stem for p in RESPONSES.glob("*.toml"))
    assert {"go-safe", "rest-payload", "restart-payload"} <= {each.name for each in shipped}
    for each in shipped:
        assert decode_sequence(encode_sequence(each)) == each
        assert each.in_safe
        assert not any(COMMAND_BY_TYPE[type(s.command)].dangerous for s in each.steps)
        assert (RESPONSES / f"{each.name}.toml").read_text().startswith("# ")
