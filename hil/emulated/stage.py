"""The flight software for the emulated processor: its sources beside a cross-compiled HAL.

A folder a version of the sources, in the user's cache: the repository's own extension is the
host's, and one package cannot hold both.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from flight.inference.tile_cache import default_cache_dir
from hil.emulated.recipe import (
    CROSS_COMPILER,
    FORMAT,
    PYTHON,
    EmulationError,
    launcher,
    program_launcher,
)
from hil.emulated.root import emulated_root

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = Path(__file__).resolve().parents[2]
PACKAGES = ("flight", "hal")
EXTENSION = "hal/_native.abi3.so"
KEPT = 4
"""Staged versions that stay; older ones go."""


def emulated_python(told: Callable[[str], None] = lambda _line: None) -> Path:
    """The emulated interpreter that has this version of the flight software; made if need be.

    It is a script: call it as one calls `python`. Raises EmulationError in one line.
    """
    root = emulated_root(told)
    if not (SOURCE / "native" / "src").is_dir():
        raise EmulationError(f"{SOURCE}: no native/ here: emulation needs the repository")
    place = default_cache_dir() / f"aarch64-stage-{_digest(root)}"
    if not place.exists():
        told("compiling the hardware layer for aarch64")
        _make(root, place)
        _forget_old(place)
    return place / "python3"


def compile_command(root: Path, glue: Path, target: Path) -> list[str]:
    """The cross-compiler's command line: the host's flags, warnings as errors."""
    from hal.build import (  # noqa: PLC0415  needs cffi's parser
        COMPILE_ARGS,
        INCLUDES,
        LIBRARIES,
        SOURCES,
    )

    include = root / "usr" / "include"
    return [
        CROSS_COMPILER, *COMPILE_ARGS, "-Werror", "-shared", "-fPIC",
        *(f"-I{place}" for place in INCLUDES),
        "-isystem", str(include / f"python{PYTHON}"), "-isystem", str(include),
        "-isystem", str(include / "aarch64-linux-gnu"),
        str(glue), *SOURCES, "-o", str(target), *(f"-l{name}" for name in LIBRARIES),
    ]  # fmt: skip


def guard_command(root: Path, target: Path) -> list[str]:
    """The same for the guard's program, which is a process of its own."""
    from hal.build import COMPILE_ARGS, GUARD_SOURCES, INCLUDES  # noqa: PLC0415  as above

    return [
        CROSS_COMPILER, *COMPILE_ARGS, "-Werror", *(f"-I{place}" for place in INCLUDES),
        "-isystem", str(root / "usr" / "include"), *GUARD_SOURCES, "-o", str(target),
    ]  # fmt: skip


def _digest(root: Path) -> str:
    """Names what is staged: every source that goes in, and the root it is made for."""
    total = hashlib.sha256(f"{FORMAT} {root.name}".encode())
    files = [path for package in PACKAGES for path in (SOURCE / package).rglob("*")]
    files += (SOURCE / "native").glob("*/*")
    for path in sorted(files):
        if path.is_file() and path.suffix not in (".pyc", ".so", ".o", ".a"):
            total.update(f"{path.relative_to(SOURCE)}\0".encode() + path.read_bytes())
    return total.hexdigest()[:16]


def _make(root: Path, place: Path) -> None:
    from hal.build import GUARD_PROGRAM, make_ffi  # noqa: PLC0415  needs cffi's parser

    with tempfile.TemporaryDirectory(dir=place.parent, prefix="aarch64-stage-") as scratch:
        making = Path(scratch) / "stage"
        for package in PACKAGES:
            shutil.copytree(
                SOURCE / package,
                making / package,
                ignore=shutil.ignore_patterns("*.so", "*.pyc", "lumenode-guard"),
            )
        glue = Path(scratch) / "_native.c"
        with contextlib.redirect_stdout(io.StringIO()):  # it says so on standard output
            make_ffi().emit_c_code(str(glue))
        _compile(compile_command(root, glue, making / EXTENSION))
        guard = making / "hal" / GUARD_PROGRAM
        machine_code = guard.with_suffix(".aarch64")
        _compile(guard_command(root, machine_code))
        _script(guard, program_launcher(root, place / machine_code.relative_to(making)))
        _script(making / "python3", launcher(place / "python3", root, place))
        try:
            making.rename(place)
        except OSError:  # another run was faster with the same sources
            if not place.exists():
                raise


def _compile(command: list[str]) -> None:
    built = subprocess.run(  # noqa: S603  fixed command, no shell
        command, cwd=SOURCE, capture_output=True, text=True, check=False
    )
    if built.returncode != 0:
        lines = built.stderr.strip().splitlines()
        error = next((line for line in lines if "error" in line), lines[-1])
        raise EmulationError(f"{CROSS_COMPILER}: {error}")


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _forget_old(newest: Path) -> None:
    staged = sorted(newest.parent.glob("aarch64-stage-????????????????"), key=_age)
    for old in staged[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _age(path: Path) -> float:
    return path.stat().st_mtime
