"""Software and tools: Python, extension, runtime, models, imagery."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flight.doctor.finding import Finding, State, found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PYTHON_LEAST = (3, 11)
DISK_MB_LEAST = 500
"""The environment, the imagery and a day's run together."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SLOW_PROVIDERS = ("TensorrtExecutionProvider",)
"""Their first session takes minutes and much power: only told, never tried here."""


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
    yield Finding("HAL backends", State.OK, ", ".join(backend_names()), needed=True)
    devices = NativeDevices("sim")
    try:
        valid = devices.snapshot().valid.bit_count()
    finally:
        devices.close()
    yield Finding("sensors (sim)", State.OK, f"{valid} fields valid", needed=True)


def _runtime() -> Iterator[Finding]:
    from flight.inference.model_manifest import ModelError  # noqa: PLC0415

    try:
        from flight.inference.session_ort import runtime_providers  # noqa: PLC0415  may be absent
    except ModelError as error:
        reason, _, remedy = str(error).partition(": ")
        yield Finding("ONNX Runtime", State.MISSING, reason, remedy, needed=True)
        return
    version, providers = runtime_providers()
    yield Finding("ONNX Runtime", State.OK, f"{version}: {', '.join(providers)}", needed=True)
    yield from _providers(providers)


def _providers(built_in: tuple[str, ...]) -> Iterator[Finding]:
    """Each provider runs a network or it does not; that it was built in says nothing."""
    from flight.inference.session_ort import PROVIDERS  # noqa: PLC0415

    for name, wanted in PROVIDERS.items():
        row = f"ONNX provider {name}"
        if wanted[0] not in built_in:
            if name != "cpu":
                remedy = "only for a GPU: install the vendor's build, see docs/jetson.md"
                yield Finding(row, State.UNSUPPORTED, "not in this ONNX Runtime", remedy)
        elif wanted[0] in SLOW_PROVIDERS:
            remedy = "prove it: lumenode models profile with this provider in --config"
            yield Finding(row, State.UNSUPPORTED, "built in, not tried: it takes minutes", remedy)
        else:
            yield _tried(row, wanted, needed=name == "cpu")


def _tried(row: str, wanted: tuple[str, ...], *, needed: bool) -> Finding:
    """The golden tile through a provider, held to the answer in the manifest."""
    from flight.inference.integrity import golden_deviation, golden_tile  # noqa: PLC0415
    from flight.inference.model_manifest import ModelError  # noqa: PLC0415
    from flight.inference.model_registry import ModelRegistry  # noqa: PLC0415
    from flight.inference.session_ort import OrtSession  # noqa: PLC0415

    registry = ModelRegistry()
    try:
        model = registry.load("cloud_unet", "fp32")
        golden = model.manifest.variants["fp32"].golden
        session = OrtSession(model.data, providers=wanted)
        deviation = golden_deviation(golden, session.run(golden_tile(golden.side_px)))
    except ModelError as error:
        return found(row, str(error), "install a build of ONNX Runtime for this board",
                     needed=needed)  # fmt: skip
    detail = f"ran the golden tile, {deviation:.1g} off"
    if deviation <= golden.atol:
        return found(row, detail, needed=needed)
    return found(row, f"{detail}, limit {golden.atol:.1g}", "do not use it", needed=needed)


def _models() -> Iterator[Finding]:
    from flight.inference.model_manifest import ModelError  # noqa: PLC0415
    from flight.inference.model_registry import ModelRegistry  # noqa: PLC0415

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


def _disk() -> Iterator[Finding]:
    free_mb = shutil.disk_usage(Path.cwd()).free // 1_000_000
    if free_mb >= DISK_MB_LEAST:
        yield Finding("free disk", State.OK, f"{free_mb} MB here", needed=True)
    else:
        remedy = f"free {DISK_MB_LEAST} MB"
        yield Finding("free disk", State.MISSING, f"{free_mb} MB here", remedy, needed=True)


def _browser() -> Iterator[Finding]:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found:
        yield Finding("Chromium", State.OK, found)
    else:
        remedy = "only for the browser tests: apt install chromium"
        yield Finding("Chromium", State.MISSING, "not on the path", remedy)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python, _native, _runtime, _models, _imagery, _disk, _browser,
)  # fmt: skip
"""In the order they are told."""
