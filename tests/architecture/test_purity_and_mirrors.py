"""A plain noun is pure, every pure file has its mirror test, and no file is dead."""

import ast
from pathlib import Path

import pytest
from exceptions_of_imports import APP, SKIN_SUFFIXES, SKINS
from house import ROOT, imports_of, lies_under, module_of, modules, told, type_only_lines

IMPURE_MODULES = (
    "asyncio",
    "logging",
    "os",
    "pathlib",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
)

# Pure files without a mirror of their own; the test that covers them instead.
MIRRORED_ELSEWHERE = {}

# Modules that nothing imports because something outside Python starts them.
ENTRY_POINTS = {
    "flight.__main__": "the console script",
    "hal.build": "the build of the native extension",
    "hal.fake_camera": "a product for tests, held to the same contract as the real thing",
    "hal.fake_devices": "a product for tests, held to the same contract as the real thing",
    "flight.downlink.file_store_memory": "a product for tests, held to the same contract",
    "hil.plant.build": "the build of the plant's native extension",
    "hil.report.convert_coastlines": "made the committed coastline, by hand",
}


def is_skin(name):
    return lies_under(name, SKINS) or lies_under(name, APP) or name.endswith(SKIN_SUFFIXES)


def _declared_in_protocols(module):
    """Methods of protocols: a declared `async` is somebody else's doing."""
    return {
        method
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(getattr(base, "id", "") == "Protocol" for base in node.bases)
        for method in node.body
    }


def impurities(module):
    """(line, what) of what a plain noun must not hold; type-only imports are no effect."""
    type_only = type_only_lines(module)
    declared = _declared_in_protocols(module)
    for line, name in imports_of(module):
        if lies_under(name, IMPURE_MODULES) and line not in type_only:
            yield line, f"import of {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await) and node not in declared:
            yield node.lineno, "async"
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "open":
            yield node.lineno, "open()"


def flight_modules():
    return [module for name, module in modules().items() if name.startswith("flight.")]


def test_a_plain_noun_is_pure():
    found = [
        f"{module.path}:{line}: {what}"
        for module in flight_modules()
        if not is_skin(module.name)
        for line, what in impurities(module)
    ]
    assert found == [], told(found)


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio",
        "async def f(): ...",
        "from pathlib import Path",
        "import logging",
        "def f(): return open('x')",
    ],
)
def test_a_planted_impurity_is_found(source):
    assert len(list(impurities(module_of("flight/power/planted.py", source)))) == 1


def holds_logic(module):
    """False for tables and values: nothing in them decides or repeats."""
    deciding = (ast.If, ast.For, ast.While, ast.Try, ast.Match, ast.IfExp, ast.BoolOp, ast.Compare)
    return any(
        isinstance(inner, deciding)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    )


def has_mirror(module):
    """tests/<the same folders>/test_<stem>.py, or with more words before or after the stem."""
    folder = ROOT / "tests" / Path(module.path).parent
    stem = module.stem
    return any(
        f"_{stem}_" in f"_{test.stem.removeprefix('test_')}_" for test in folder.glob("test_*.py")
    )


def test_every_pure_file_of_flight_has_its_mirror_test():
    missing = [
        module.path
        for module in flight_modules()
        if not is_skin(module.name)
        and module.stem != "__init__"
        and holds_logic(module)
        and module.path not in MIRRORED_ELSEWHERE
        and not has_mirror(module)
    ]
    assert missing == [], told(missing)
    for test in MIRRORED_ELSEWHERE.values():
        assert (ROOT / test).is_file()


def named_in_text(module):
    """Modules named by a string: the command tables, and processes started with `-m`."""
    return {
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_file_is_dead():
    imported = {name for module in modules().values() for _, name in imports_of(module)}
    imported |= {name for module in modules().values() for name in named_in_text(module)}
    dead = [
        module.path
        for name, module in modules().items()
        if name not in imported
        and name not in ENTRY_POINTS
        and not module.path.endswith("__init__.py")
        and not lies_under(name, ("hil.training",))
    ]
    assert dead == [], told(dead)
    assert [name for name in ENTRY_POINTS if name not in modules()] == []
