"""The house as the checks see it: where its rooms lie, and the exceptions with a reason a line.

Every rule's check is a function over source text, so that each can be shown a planted violation.
To make an exception add a line here, with the reason; an exception nobody needs fails too.
"""

import ast
import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("flight", "hal", "hil")


@dataclass(frozen=True)
class Module:
    """One Python module of the product."""

    name: str
    path: str
    text: str

    @functools.cached_property
    def tree(self):
        return ast.parse(self.text, self.path)

    @property
    def stem(self):
        return Path(self.path).stem


def module_of(path, text):
    """A module from a path relative to the root, e.g. for a planted one."""
    parts = list(Path(path).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return Module(".".join(parts), str(path), text)


@functools.cache
def modules():
    """Every Python module of the product, by name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            relative = path.relative_to(ROOT)
            module = module_of(relative, path.read_text(encoding="utf-8"))
            found[module.name] = module
    return found


@functools.cache
def repository_files():
    """Tracked files and those about to be: everything git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    return [name for name in sorted(set(listed)) if name and (ROOT / name).is_file()]


def type_only_lines(module):
    """Lines of the imports that only a type checker follows."""
    return {
        inner.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }


def imports_of(module):
    """(line, imported name) of every import statement, also inside functions.

    `from a import b` gives `a.b` where that is a module of the product, else `a`.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ("." * node.level) + (node.module or "")
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield node.lineno, whole if whole in modules() else base


def lies_under(name, prefixes):
    """Whether a dotted name is one of the prefixes or inside one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def unused(exceptions, used):
    """Exceptions that nothing needed."""
    return sorted(set(exceptions) - set(used), key=str)


def told(found):
    """One finding a line, for the message of an assertion."""
    return "\n" + "\n".join(str(item) for item in found)
