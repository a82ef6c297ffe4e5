"""What names a root, how its interpreter is started, where its packages come from."""

from dataclasses import replace
from pathlib import Path

import pytest

from hil.emulated.recipe import EmulationError, Recipe, board_files, launcher, mirror_of

RECIPE = Recipe({"numpy": "2.4.6", "cffi": "2.1.1"})


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, versions={"numpy": "2.4.7", "cffi": "2.1.1"}),
        replace(RECIPE, suite="trixie"),
        replace(RECIPE, packages=("python3",)),
        replace(RECIPE, files=board_files(4)),
    ],
)
def test_whatever_differs_in_a_root_gives_it_another_name(other):
    assert other.digest() != RECIPE.digest()


def test_the_order_of_the_versions_does_not_matter():
    same = Recipe({"cffi": "2.1.1", "numpy": "2.4.6"})
    assert same.digest() == RECIPE.digest()
    assert same.requirements() == ["cffi==2.1.1", "numpy==2.4.6"]


def test_the_board_shows_as_many_cores_everywhere():
    files = board_files(3)
    assert files["proc/cpuinfo"].count("processor\t:") == 3
    assert files["sys/devices/system/cpu/online"] == "0-2\n"
    assert files["sys/devices/system/cpu/kernel_max"] == "2\n"


def test_the_launcher_names_itself_as_the_interpreter():
    text = launcher(Path("/s/python3"), Path("/r"), Path("/s"))
    assert text.startswith("#!/bin/sh\n")
    assert "-0 '/s/python3'" in text
    assert "'/r/usr/bin/python3.11' \"$@\"" in text


@pytest.mark.parametrize("bad", ["/it's", "/a:b", "/$HOME", '/"', "/`x`"])
def test_a_path_that_a_shell_would_take_apart_is_refused(bad):
    with pytest.raises(EmulationError, match="no quotes"):
        launcher(Path("/s/python3"), Path(bad), Path("/s"))


@pytest.mark.parametrize(
    ("sources", "mirror"),
    [
        (
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: x\n",
            "http://mirror.example/debian",
        ),
        ("deb http://mirror.example/debian bookworm main\n", "http://mirror.example/debian"),
        ("deb [signed-by=/k arch=amd64] https://m.example/d x main", "https://m.example/d"),
        ("# deb http://commented.example/debian x main\n", None),
        ("", None),
    ],
)
def test_the_mirror_is_the_one_the_host_itself_uses(sources, mirror):
    assert mirror_of(sources) == mirror
