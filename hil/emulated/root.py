"""Makes the arm64 root once and keeps it in the user's cache.

From the host's own package mirror and package index; about half a minute and 450 MB. A root is
made beside its place and moved there whole, so an interrupted one is never used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from flight.inference.tile_cache import default_cache_dir
from hil.emulated.recipe import (
    HOST_TOOLS,
    PLATFORMS,
    PYTHON,
    WHEELS,
    EmulationError,
    Recipe,
    mirror_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

APT_SOURCES = Path("/etc/apt")


def missing_tools() -> dict[str, str]:
    """Host commands that are not there, each with the Debian package that brings it."""
    return {tool: package for tool, package in HOST_TOOLS.items() if shutil.which(tool) is None}


def require_tools() -> None:
    """Raises EmulationError with the line that installs what is missing."""
    missing = missing_tools()
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise EmulationError(f"missing {', '.join(sorted(missing))}: apt install {packages}")


def host_recipe() -> Recipe:
    """The recipe with the versions of the packages that this interpreter has."""
    try:
        return Recipe({name: version(name) for name in WHEELS})
    except PackageNotFoundError as error:
        raise EmulationError(f"package {error.name} is not installed: run `make setup`") from None


def emulated_root(told: Callable[[str], None] = lambda _line: None) -> Path:
    """The root of this host's recipe, made if it is not there; `told` hears of the steps.

    Raises:
        EmulationError: a tool, the mirror or a wheel cannot be had.
    """
    require_tools()
    recipe = host_recipe()
    place = default_cache_dir() / f"aarch64-root-{recipe.digest()}"
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="aarch64-root-") as scratch:
        making = Path(scratch) / "root"
        told(f"unpacking an arm64 {recipe.suite} root (once, about a minute)")
        _unpack_system(recipe, making)
        told("fetching wheels for aarch64")
        unpack_wheels(recipe, making / "opt" / "site", Path(scratch) / "wheels")
        for name, text in recipe.files.items():
            (making / name).parent.mkdir(parents=True, exist_ok=True)
            (making / name).write_text(text)
        try:
            making.rename(place)
        except OSError:  # another run was faster; its root is as good
            if not place.exists():
                raise
    return place


def _unpack_system(recipe: Recipe, root: Path) -> None:
    sources = sorted([*APT_SOURCES.glob("sources.list"), *APT_SOURCES.glob("sources.list.d/*")])
    texts = [path.read_text() for path in sources if "debian" in path.read_text()]
    mirror = mirror_of("\n".join(texts))
    if mirror is None:
        raise EmulationError(f"{APT_SOURCES}: names no Debian mirror to take {recipe.suite} from")
    _run(
        "debootstrap", "--foreign", "--arch=arm64", "--variant=minbase",
        f"--include={','.join(recipe.packages)}", recipe.suite, str(root), mirror,
    )  # fmt: skip
    archives = root / "var" / "cache" / "apt" / "archives"
    for package in sorted(archives.glob("*.deb")):
        _run("dpkg", "-x", str(package), str(root))
    shutil.rmtree(archives)
    # With a device folder of its own the root would hide the host's pseudo-terminals.
    shutil.rmtree(root / "dev", ignore_errors=True)


def unpack_wheels(recipe: Recipe, site: Path, wheels: Path) -> None:
    """Puts the recipe's packages for aarch64 into `site`; `wheels` is scratch for the archives."""
    platforms = [word for name in PLATFORMS for word in ("--platform", f"{name}_aarch64")]
    _run(
        sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", *platforms, "--platform", "manylinux2014_aarch64",
        "--python-version", PYTHON, "--implementation", "cp",
        "--abi", f"cp{PYTHON.replace('.', '')}", "--abi", "abi3", "--abi", "none",
        "-d", str(wheels), *recipe.requirements(),
    )  # fmt: skip
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)


def _run(*command: str) -> None:
    """One step; its last line of complaint becomes the error."""
    done = _finished(command)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise EmulationError(f"{Path(command[0]).name} ended with {done.returncode}: {said}")


def _finished(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  fixed commands, no shell
        command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
