"""A command written in a file is the dictionary's, or one line says where it is not."""

import pytest

from flight.command_text import command_from
from flight.config import ConfigError
from flight.telemetry.command_table import LoadPart, NoOp, SetParameter


def test_a_command_is_read_with_its_arguments_and_octets_are_base64():
    assert command_from("NO_OP", {}, "f") == NoOp()
    assert command_from(
        "SET_PARAMETER", {"name": "power.soc_floor", "value": 0.5}, "f"
    ) == SetParameter("power.soc_floor", 0.5)
    assert command_from("LOAD_PART", {"offset": 2, "data": "aGk="}, "f") == LoadPart(2, b"hi")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("WARP", {}, "f.command = 'WARP': no such command; allowed is one of NO_OP, "),
        ("NO_OP", {"x": 1}, "f.arguments.x = 1: NO_OP has no such argument; allowed: none"),
        ("SET_MODE", {"mode": "BOOT"}, "f.arguments.mode = 'BOOT': SET_MODE: Invalid enum value"),
        ("SET_MODE", {}, "f.arguments: SET_MODE: Object missing required field `mode`"),
        ("SET_PARAMETER", {"name": "x", "value": 1.0},
         "f.arguments.name = 'x': no such parameter; allowed is one of "),
        ("SET_PARAMETER", {"name": "power.soc_floor", "value": 2.0},
         "f.arguments.value = 2: power.soc_floor allows 0.2 to 0.9"),
    ],
)  # fmt: skip
def test_what_the_dictionary_does_not_know_is_one_line(name, arguments, said):
    with pytest.raises(ConfigError) as refused:
        command_from(name, arguments, "f")
    assert str(refused.value).startswith(said)
