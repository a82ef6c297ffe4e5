"""native <- hal <- flight <- hil, and inside flight: leaves <- pure rooms <- skins <- app."""

import exceptions_of_imports as table
import pytest
from house import imports_of, lies_under, module_of, modules, told, type_only_lines, unused


def rank(name):
    """0 leaf, 1 pure room, 2 skin or adapter, 3 composition root."""
    if lies_under(name, table.APP):
        return 3
    if name == "flight":
        return 0
    if lies_under(name, table.LEAVES):
        return 0
    if lies_under(name, table.SKINS) or name.endswith(table.SKIN_SUFFIXES):
        return 2
    return 1


def breaches(module, used=None):
    """Imports of one module that go against the direction.

    Between packages every import counts; between the layers of flight, those that happen at run
    time: a name used only in annotations is knowledge of a shape and not a dependency.
    """
    used = set() if used is None else used
    type_only = type_only_lines(module)
    for line, name in imports_of(module):
        why = None
        top = name.partition(".")[0]
        if name.startswith("."):
            why = "relative import"
        elif top == "onnxruntime" and not _allowed_onnxruntime(module, used):
            why = "only the session may import onnxruntime"
        elif top in {"flight", "hil"} and module.name.startswith("hal"):
            why = "hal knows nothing above it"
        elif top == "hil" and module.name.startswith("flight"):
            why = "flight never imports the bench"
        elif top == "tests":
            why = "the product never imports its tests"
        elif top == "flight" and module.name.startswith("hil"):
            why = _bench_breach(module, name, used)
        elif top == "flight" and line not in type_only and rank(name) > rank(module.name):
            why = "an inner layer imports an outer one"
        if why is not None:
            yield f"{module.path}:{line}: {name}: {why}"


def _allowed_onnxruntime(module, used):
    used.add(("onnxruntime", module.name))
    return module.name in table.ONNXRUNTIME


def _bench_breach(module, name, used):
    if lies_under(name, table.OPEN_TO_THE_BENCH) or name == "flight":
        return None
    for seam in table.BENCH_SEAMS:
        if lies_under(module.name, (seam,)):
            return None
    for room, target in table.BENCH_TO_FLIGHT:
        if lies_under(module.name, (room,)) and lies_under(name, (target,)):
            used.add((room, target))
            return None
    return "the bench may import only flight's wire, dictionary and what the table lists"


def test_every_import_goes_the_right_way():
    found = [line for module in modules().values() for line in breaches(module)]
    assert found == [], told(found)


def test_no_exception_outlives_its_need():
    used = set()
    for module in modules().values():
        list(breaches(module, used))
    assert unused(table.BENCH_TO_FLIGHT, used) == []
    assert unused(table.ONNXRUNTIME, {who for what, who in used if what == "onnxruntime"}) == []
    named = [*table.SKINS, *table.BENCH_SEAMS, *table.LEAVES, *table.OPEN_TO_THE_BENCH]
    assert [name for name in named if name not in modules()] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("flight/power/planted.py", "from hil.simloop import SimLoop"),
        ("flight/power/planted.py", "def f():\n    import hil"),
        ("flight/power/planted.py", "from . import power_budget"),
        ("flight/power/planted.py", "from flight.io.acquisition import Acquisition"),
        ("flight/power/planted.py", "from flight.base import clock, supervisor\nimport flight.app"),
        ("flight/base/planted.py", "from flight.modes.mode_table import ModeMachine"),
        ("flight/planted_service.py", "import onnxruntime as ort"),
        ("hal/planted.py", "from flight.base.clock import Clock"),
        ("hil/planted.py", "from flight.modes.mode_table import ModeMachine"),
        ("hil/planted.py", "from flight.inference.session_ort import OrtSession"),
        ("hil/planted.py", "from tests.hil import anything"),
    ],
)
def test_a_planted_breach_is_found(path, source):
    assert len(list(breaches(module_of(path, source)))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("flight/power/planted.py", "from flight.base.hysteresis import Hysteresis\nimport numpy"),
        (
            "flight/planted_service.py",
            "from flight.modes.mode_table import ModeMachine\nimport hal",
        ),
        ("hil/planted.py", "from flight.wire.crc import crc32c\nfrom flight import __version__"),
    ],
)
def test_what_is_allowed_is_not_flagged(path, source):
    assert list(breaches(module_of(path, source))) == []
