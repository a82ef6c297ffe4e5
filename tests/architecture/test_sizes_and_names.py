"""Files fit a screen or two, functions a screen, and names say what a thing is."""

import ast
from pathlib import Path

import pytest
from house import ROOT, module_of, modules, repository_files, told

FILE_LINES_MAX = 300
FILE_LINES_NEVER = 400
FUNCTION_LINES_MAX = 45
FORBIDDEN_STEMS = ("utils", "util", "common", "helpers", "helper", "manager", "misc", "stuff")

LONG_FILES = {
    "native/include/hal.h": "an interface is its manual: more prose than declarations",
}

LONG_FUNCTIONS = {}


def product_files():
    """Python and C of the product, not of its tests; generated and vendored files are ignored."""
    return [
        name
        for name in repository_files()
        if name.startswith(("flight/", "hal/", "hil/", "native/"))
        and name.endswith((".py", ".c", ".h"))
        and not name.startswith("native/tests/")
    ]


def functions_of(module):
    """(name, line, length) of every function, its docstring not counted: prose is welcome."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node, clean=False) is not None:
                length -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield node.name, node.lineno, length


def test_files_are_short():
    lines = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in product_files()}
    long = {name: count for name, count in lines.items() if count > FILE_LINES_MAX}
    assert {name: n for name, n in long.items() if name not in LONG_FILES} == {}
    assert {name: n for name, n in long.items() if n > FILE_LINES_NEVER} == {}
    assert sorted(set(LONG_FILES) - set(long)) == []


def test_functions_are_short():
    long = {
        f"{module.path}:{name}": length
        for module in modules().values()
        for name, _, length in functions_of(module)
        if length > FUNCTION_LINES_MAX
    }
    assert {where: n for where, n in long.items() if where not in LONG_FUNCTIONS} == {}
    assert sorted(set(LONG_FUNCTIONS) - set(long)) == []


def test_no_file_has_a_name_that_says_nothing():
    def says_nothing(name):
        stem = Path(name).stem
        return any(stem == word or stem.endswith("_" + word) for word in FORBIDDEN_STEMS)

    assert [name for name in repository_files() if says_nothing(name)] == []


def test_every_module_says_what_it_is():
    missing = [
        module.path
        for module in modules().values()
        if module.text.strip() and ast.get_docstring(module.tree) is None
    ]
    assert missing == [], told(missing)


@pytest.mark.parametrize(("body", "long"), [(45, True), (44, False)])
def test_a_planted_long_function_is_found(body, long):
    source = "def f():\n" + '    """One.\n    Two.\n    """\n' + "    x = 1\n" * body
    ((_, _, length),) = functions_of(module_of("flight/planted.py", source))
    assert (length > FUNCTION_LINES_MAX) is long
