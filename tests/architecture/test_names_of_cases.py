"""A case of a test has the same name in every process, or parallel runs can't divide the cases.

What differs from process to process (its number, the hour, a draw, a fresh folder, the order of a
set) may be in the case, but not among the values that parametrise it.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest
from house import ROOT

DIFFER_BY_PROCESS = frozenset({"getpid", "getppid", "time", "monotonic", "now", "uuid4", "mkdtemp"})
DRAWS = frozenset({"random", "secrets", "tempfile"})


def unsteady(text):
    """Lines of parametrised values that differ from process to process."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("parametrize")):
            continue
        for value in node.args[1:2]:
            if isinstance(value, ast.Set):
                found.append(value.lineno)
            for part in ast.walk(value):
                if isinstance(part, ast.Call):
                    *owner, name = ast.unparse(part.func).split(".")
                    if name in DIFFER_BY_PROCESS or DRAWS.intersection(owner):
                        found.append(part.lineno)
    return found


def test_every_case_has_the_same_name_in_every_process():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for line in unsteady(path.read_text(encoding="utf-8"))
    ]
    assert not found, f"move into the test what differs between processes: {found}"


@pytest.mark.parametrize(
    "planted",
    [
        '@pytest.mark.parametrize("pid", [1, str(os.getpid())])\ndef test_it(pid): ...',
        '@pytest.mark.parametrize("name", {"a", "b"})\ndef test_it(name): ...',
        '@pytest.mark.parametrize("n", [random.random()])\ndef test_it(n): ...',
    ],
)
def test_a_planted_case_is_found(planted):
    assert unsteady(planted)


def named_twice(paths):
    """File names that more than one folder has: one of them would hide the other."""
    return sorted(name for name, count in Counter(path.name for path in paths).items() if count > 1)


def test_every_file_of_tests_has_a_name_of_its_own():
    found = named_twice((ROOT / "tests").rglob("test_*.py"))
    assert not found, f"a test is imported by its file name: {found}"


def test_a_name_in_two_folders_is_found():
    planted = [Path("tests/a/test_x.py"), Path("tests/b/test_x.py"), Path("tests/b/test_y.py")]
    assert named_twice(planted) == ["test_x.py"]
