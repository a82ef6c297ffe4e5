"""docs/hal.md holds all that hal.h declares, as the compiler reads it and not the page."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from flight.board_config import load_fly_config
from flight.io.acquisition import _FIELDS
from hal.linux_devices import LinuxDevices
from hal.native_devices import backend_names
from hal.native_library import ffi, lib
from hal.sample import SensorBit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import header_parts  # noqa: E402  a script, found by its folder

HEADER = (ROOT / "native" / "include" / "hal.h").read_text(encoding="ascii")
PAGE = (ROOT / "docs" / "hal.md").read_text(encoding="utf-8")
BACKENDS_OWN = re.compile(r"hal_(sim|linux|link|terminal)_")

SETTERS = ("hal_set_payload_level", "hal_set_heater", "hal_point_terminal", "hal_set_laser")


def rows(cell: str) -> list[list[str]]:
    """Rows of the page's tables that have this cell."""
    found = [
        [part.strip() for part in line.strip().strip("|").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("|")
    ]
    return [row for row in found if cell in row]


def functions() -> list[str]:
    """What the extension exports of hal.h."""
    return [
        name
        for name in dir(lib)
        if name.startswith("hal_") and not BACKENDS_OWN.match(name) and f"{name}(" in HEADER
    ]


def said_about(function: str) -> str:
    """The header's text in front of a prototype, back to the one before it."""
    before = re.split(rf"\n(?:const )?\w+ \*?{function}\(", HEADER)[0]
    return " ".join(re.split(r"\);\n", before)[-1].replace("\n *", "").split())


def test_the_page_has_a_row_for_every_function_and_for_no_other() -> None:
    assert len(functions()) > 15
    for name in functions():
        assert len(rows(f"`{name}`")) == 1, name
    named = set(re.findall(r"^\| `(hal_\w+)`", PAGE, re.MULTILINE))
    assert named == set(functions())


def test_every_call_tells_its_worst_case_as_the_header_does() -> None:
    setters = re.search(r"Worst case (\d+ us) each", HEADER)
    assert setters is not None
    for name in functions():
        ((_, _, _, worst),) = rows(f"`{name}`")
        own = said_about(name)
        assert f"Worst case {worst}" in own or worst == setters[1], name
        assert re.match(r"\d+ (us|ms)", worst), name


def test_every_error_that_the_header_names_for_a_call_is_in_its_row() -> None:
    for name in functions():
        ((_, _, errors, _),) = rows(f"`{name}`")
        own = set(re.findall(r"(?<!\")HAL_E_(\w+)", said_about(name).rpartition("/*")[2]))
        own |= {"RANGE", "STATE", "IO", "TIMEOUT", "UNSUPPORTED"} if name in SETTERS else set()
        assert own == set(re.findall(r"`(\w+)`", errors)), name


def test_the_page_has_every_code_with_its_number_and_its_kind() -> None:
    codes = [name for name in dir(lib) if name.startswith("HAL_E_")]
    assert len(codes) == 11
    for name in codes:
        ((_, number, kind, words),) = rows(f"`{name}`")
        assert (int(number), kind) == (getattr(lib, name), f"`{name.removeprefix('HAL_E_')}`")
        assert words


def test_the_page_has_every_bit_with_its_number_and_words() -> None:
    for prefix in ("HAL_SENSOR_", "HAL_THROTTLE_"):
        names = [n for n in dir(lib) if n.startswith(prefix) and n != "HAL_SENSOR_ALL"]
        assert names
        for name in names:
            ((shift, _, *_, words),) = rows(f"`{name}`")
            assert 1 << int(shift) == getattr(lib, name)
            assert words


def test_a_bit_stands_beside_the_field_that_it_vouches_for() -> None:
    fields = [name for name, _ in ffi.typeof("struct hal_frame").fields]
    shown = {}
    for bit in SensorBit:
        ((_, _, field, _),) = rows(f"`HAL_SENSOR_{bit.name}`")
        assert field.strip("`") in fields
        shown[field.strip("`")] = bit
    assert {name: bit for name, bit, _ in _FIELDS}.items() <= shown.items()


def test_the_page_has_every_counter_state_and_operation() -> None:
    counters = [name for name, _ in ffi.typeof("struct hal_counters").fields]
    states = [name for name in dir(lib) if name.startswith("HAL_VALUE_")]
    header = (ROOT / "native" / "include" / "hal_backend.h").read_text(encoding="ascii")
    operations = re.findall(r"\(\*(\w+)\)\(", header)
    assert min(len(counters), len(states), len(operations)) > 5
    for name in (*counters, *states, *operations):
        (row,) = rows(f"`{name}`")
        assert row[-1], name


def test_the_page_has_every_backend_of_the_extension() -> None:
    assert backend_names()
    for name in backend_names():
        assert len(rows(f"`{name}`")) >= 1, name


def test_a_call_without_a_worst_case_does_not_get_onto_the_page() -> None:
    silent = header_parts.Call("hal_mute", "Says nothing.", "")
    with pytest.raises(AssertionError, match="hal_mute"):
        _ = silent.worst
    spoken = header_parts.Call("hal_loud", "Does. HAL_E_IO: it broke. Worst case 3 us.", "")
    assert (spoken.does, spoken.errors, spoken.worst) == ("Does.", ["HAL_E_IO"], "3 us")


def test_the_example_of_a_board_is_one_that_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "lumenode.toml").write_text(example)
    linux = load_fly_config(tmp_path / "lumenode.toml").linux
    assert (linux.watchdog, linux.roles.sun, len(linux.monitors)) == ("device", "sun sensor", 1)
    LinuxDevices(linux.looking()).close()
