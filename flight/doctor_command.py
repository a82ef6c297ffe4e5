"""`lumenode doctor`: what works on this machine, what does not, and what to do about it.

Looks and loads, changes nothing. Only what `make run` cannot do without makes it fail.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from flight.base.clock import host_resolution_ns
from flight.one_line_parser import OneLineParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

EXIT_GOOD, EXIT_FAILED = 0, 1
PYTHON_LEAST = (3, 11)
CLOCK_RESOLUTION_NS_MAX = 1_000_000
DISK_MB_LEAST = 500
"""The environment, the imagery and a day's run together."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLANNED_BACKENDS = ("linux", "link")
_NODE_KEYS = Path("keys/link-node.json")


class State(Enum):
    """What a check found."""

    OK = "ok"
    MISSING = "missing"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer.

    Attributes:
        detail: what was found.
        remedy: what to do about it; empty when nothing needs to be done.
        needed: `make run` cannot do without.
    """

    name: str
    state: State
    detail: str
    remedy: str = ""
    needed: bool = False


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info >= PYTHON_LEAST:
        yield Finding("python", State.OK, f"{version} on {platform.machine()}", needed=True)
    else:
        remedy = "install Python 3.11 or later: apt install python3.11"
        yield Finding("python", State.UNSUPPORTED, version, remedy, needed=True)


def _native() -> Iterator[Finding]:
    """Extension, compiler (needed as long as the extension is not built), backends, sensors."""
    try:
        from hal.native_devices import NativeDevices, backend_names  # noqa: PLC0415  may be absent
    except ImportError as error:
        built = False
        yield Finding(
            "native extension", State.MISSING, str(error), "run `make setup`", needed=True
        )
    else:
        built = True
        yield Finding("native extension", State.OK, "loaded", needed=True)
    for tool, package in ((os.environ.get("CC") or "gcc", "gcc"), ("make", "make")):
        found = shutil.which(tool)
        if found:
            yield Finding(tool, State.OK, found)
        else:
            remedy = f"apt install {package}"
            yield Finding(tool, State.MISSING, "not on the path", remedy, needed=not built)
    if not built:
        return
    backends = backend_names()
    yield Finding("HAL backends", State.OK, ", ".join(backends), needed=True)
    for name in PLANNED_BACKENDS:
        if name not in backends:
            yield Finding(
                f"HAL {name}", State.UNSUPPORTED, "not in this version", 'use hal = "sim"'
            )
    devices = NativeDevices("sim")
    try:
        valid = devices.snapshot().valid.bit_count()
    finally:
        devices.close()
    yield Finding("sensors (sim)", State.OK, f"{valid} fields valid", needed=True)


def _runtime() -> Iterator[Finding]:
    from flight.inference.model_registry import ModelError  # noqa: PLC0415

    try:
        from flight.inference.session_ort import runtime_providers  # noqa: PLC0415  may be absent
    except ModelError as error:
        reason, _, remedy = str(error).partition(": ")
        yield Finding("ONNX Runtime", State.MISSING, reason, remedy, needed=True)
        return
    version, providers = runtime_providers()
    yield Finding("ONNX Runtime", State.OK, f"{version}: {', '.join(providers)}", needed=True)


def _models() -> Iterator[Finding]:
    from flight.inference.model_registry import ModelError, ModelRegistry  # noqa: PLC0415

    registry = ModelRegistry()
    for name in registry.names():
        try:
            variants = sorted(registry.manifest(name).variants)
            for variant in variants:
                registry.load(name, variant)
        except ModelError as error:
            remedy = "bring the file back: git checkout flight/inference/models"
            yield Finding(f"model {name}", State.MISSING, str(error), remedy, needed=True)
        else:
            yield Finding(f"model {name}", State.OK, ", ".join(variants), needed=True)


def _imagery() -> Iterator[Finding]:
    from flight.inference.tile_cache import (  # noqa: PLC0415
        REMEDY,
        ImageryError,
        default_cache_dir,
        default_tiles_path,
        read_tile_cache,
    )

    folder, path = default_cache_dir(), default_tiles_path()
    above = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    if not os.access(above, os.W_OK):
        remedy = "set LUMENODE_CACHE to a folder that can be written"
        yield Finding("user cache", State.MISSING, f"{above}: not writable", remedy, needed=True)
    else:
        yield Finding("user cache", State.OK, str(folder))
    if not path.exists():
        remedy = "run `lumenode fetch-data` (`make run` does it)"
        yield Finding("imagery", State.MISSING, f"{path}: not fetched", remedy)
        return
    try:
        tiles = len(read_tile_cache(path).tiles)
    except ImageryError as error:
        yield Finding("imagery", State.MISSING, str(error), REMEDY, needed=True)
    else:
        yield Finding("imagery", State.OK, f"{tiles} tiles in {path}")


def _clock() -> Iterator[Finding]:
    resolution_ns = host_resolution_ns()
    fine = resolution_ns <= CLOCK_RESOLUTION_NS_MAX
    yield Finding(
        "clock",
        State.OK if fine else State.UNSUPPORTED,
        f"monotonic, resolution {resolution_ns} ns",
        "" if fine else "boot a kernel with high-resolution timers",
    )


def _disk() -> Iterator[Finding]:
    free_mb = shutil.disk_usage(Path.cwd()).free // 1_000_000
    if free_mb >= DISK_MB_LEAST:
        yield Finding("free disk", State.OK, f"{free_mb} MB here", needed=True)
    else:
        remedy = f"free {DISK_MB_LEAST} MB"
        yield Finding("free disk", State.MISSING, f"{free_mb} MB here", remedy, needed=True)


def _keys() -> Iterator[Finding]:
    if _NODE_KEYS.exists():
        yield Finding("link keys", State.OK, f"{_NODE_KEYS} (for `lumenode fly` from here)")
    else:
        remedy = "only for `lumenode fly`: lumenode keys init keys"
        yield Finding("link keys", State.MISSING, f"no {_NODE_KEYS} here", remedy)


def _browser() -> Iterator[Finding]:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found:
        yield Finding("Chromium", State.OK, found)
    else:
        remedy = "only for the browser tests: apt install chromium"
        yield Finding("Chromium", State.MISSING, "not on the path", remedy)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python, _native, _runtime, _models, _imagery, _clock, _disk, _keys, _browser,
)  # fmt: skip


def findings() -> list[Finding]:
    """Everything, in the order of the table."""
    return [finding for check in CHECKS for finding in check()]


def main_doctor(argv: Sequence[str]) -> int:
    """Exit code: 0 unless something is not there that `make run` needs."""
    parser = OneLineParser(
        prog="lumenode doctor",
        description="Say what works on this machine and what does not. Fails (1) only when "
        "something is missing that `make run` needs.",
        epilog="example: lumenode doctor --json",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    arguments = parser.parse_args(argv)
    found = findings()
    ready = all(each.state is State.OK for each in found if each.needed)
    if arguments.json:
        rows = [{**asdict(each), "state": each.state.value} for each in found]
        sys.stdout.write(json.dumps({"ready": ready, "checks": rows}) + "\n")
    else:
        width = max(len(each.name) for each in found)
        for each in found:
            sys.stdout.write(told(each, width) + "\n")
    return EXIT_GOOD if ready else EXIT_FAILED


def told(finding: Finding, width: int) -> str:
    """One line for people."""
    line = f"{finding.state.value:<11}  {finding.name:<{width}}  {finding.detail}"
    return f"{line}; {finding.remedy}" if finding.remedy else line
