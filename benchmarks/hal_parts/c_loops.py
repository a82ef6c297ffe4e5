"""Compiles a program of native/bench once and runs it; the parts of hal.py compare with it."""

import atexit
import functools
import os
import runpy
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def built(name):
    """Path of the compiled program, gone when this process ends."""
    build = runpy.run_path(str(ROOT / "hal" / "build.py"))
    folder = Path(tempfile.mkdtemp(prefix="lumenode-bench-"))
    atexit.register(shutil.rmtree, folder)
    sources = [f"native/bench/{name}.c", *build["SOURCES"]]
    includes = [f"-I{name}" for name in build["INCLUDES"]]
    command = [os.environ.get("CC", "cc"), *build["COMPILE_ARGS"], *includes, *sources]
    subprocess.run([*command, "-lm", "-lutil", "-o", str(folder / "loops")], check=True, cwd=ROOT)
    return folder / "loops"


def run(*arguments, program="hal_loops"):
    """Its lines, as numbers."""
    told = subprocess.run(
        [built(program), *map(str, arguments)], check=True, capture_output=True, text=True
    )
    return [float(line) for line in told.stdout.split()]
