"""A plain noun is pure, every pure file has its mirror test, and no file is dead."""

import ast
from pathlib import Path

import pytest
from exceptions_of_imports import APP, SKIN_SUFFIXES, SKINS
from house import ROOT, imports_of, lies_under, module_of, modules

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
    "flight.inference.worker_main": "started as a process of its own",
}


def is_skin(name):
    return lies_under(name, SKINS) or lies_under(name, APP) or name.endswith(SKIN_SUFFIXES)


def impurities(module):
    """(line, what) of what a plain noun must not hold; type-only imports are no effect."""
    type_only = {
        line
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
        for line in [inner.lineno]
    }
    for line, name in imports_of(module):
        if lies_under(name, IMPURE_MODULES) and line not in type_only:
            yield line, f"import of {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield node.lineno, "async"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "open":
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
    assert found == []


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
        and module.path not in MIRRORED_ELSEWHERE
        and not has_mirror(module)
    ]
    assert missing == []
    for test in MIRRORED_ELSEWHERE.values():
        assert (ROOT / test).is_file()


def test_no_file_is_dead():
    imported = {name for module in modules().values() for _, name in imports_of(module)}
    dead = [
        module.path
        for name, module in modules().items()
        if name not in imported
        and name not in ENTRY_POINTS
        and not module.path.endswith("__init__.py")
        and not lies_under(name, ("hil.training",))
    ]
    assert dead == []
    assert [name for name in ENTRY_POINTS if name not in modules()] == []
