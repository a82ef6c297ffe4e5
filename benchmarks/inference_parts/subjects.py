"""The networks that are measured, each with a manifest and a tile that fits it."""

import hashlib
from pathlib import Path

import onnx

from flight.inference.integrity import golden_tile
from flight.inference.job import Job, Tile, pixel_digest
from flight.inference.model_manifest import (
    PER_TILE,
    PLANES,
    InputLayout,
    Manifest,
    ModelBytes,
    OutputLayout,
    Variant,
)
from flight.inference.model_registry import ModelRegistry
from flight.inference.tile_pixels import pixel_bytes
from flight.wire.crc import crc32c

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
"""Networks of the field with weights that a few nodes make up: small files, whole networks."""
CLOUD_SIDE_PX, LIGHT_SIDE_PX = 256, 224


def light(name):
    """A classifier of the `onnx` package, fed red, green and blue."""
    data = (LIGHT / f"light_{name}.onnx").read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    manifest = Manifest(
        format=1, name=name, version="light", threshold=0.5,
        input=InputLayout(PLANES, ("B4", "B3", "B2"), 10_000, LIGHT_SIDE_PX),
        variants={"fp32": Variant(file="", sha256=sha256)}, output=OutputLayout(per=PER_TILE),
    )  # fmt: skip
    return ModelBytes(name, "fp32", sha256, data, manifest)


def subjects():
    """Name -> model and side of its tile in pixels."""
    return {
        "cloud_unet 256 px": (ModelRegistry().load("cloud_unet", "fp32"), CLOUD_SIDE_PX),
        "squeezenet 224 px": (light("squeezenet"), LIGHT_SIDE_PX),
        "resnet50 224 px": (light("resnet50"), LIGHT_SIDE_PX),
    }


def tile_of(side_px, number=0, captured_ns=0):
    """A tile whose picture is a golden one."""
    pixels = pixel_bytes(golden_tile(side_px, number % 4))
    return Tile(
        number, captured_ns, pixels, side_px, side_px, pixel_digest(pixels), "built in",
        crc32c=crc32c(pixels),
    )  # fmt: skip


def job_of(model, tile):
    """The job that the service makes of it."""
    return Job(
        tile.tile_id, tile, model.name, model.variant,
        threshold=model.manifest.threshold, quicklook_cloud_permille_max=700,
    )  # fmt: skip
