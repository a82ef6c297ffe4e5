"""The manifest beside a trained network: digests, golden answers, figures, recipe, sources."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight.inference.accuracy import accuracy_of
from flight.inference.integrity import encode_expected, golden_tile
from flight.inference.job import REFLECTANCE_SCALE
from flight.inference.model_manifest import Golden, InputLayout, Manifest, Variant
from flight.inference.session_ort import OrtSession
from flight.inference.tile_pixels import pixels_of
from hil.imagery import load_references, load_tiles
from hil.training.layers import BANDS, GRID_PX, SMALL_STEP_PX, parameter_count
from hil.training.range_clip import clip_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hil.training.augment import Scene
    from hil.training.layers import Layer
    from hil.training.recipe import Recipe

VERSION = "1.2.0"
GOLDEN_SIDE_PX = 32
VARIANTS = ("fp32", "int8", "small")
GOLDEN_ATOL = {"fp32": 1e-4, "int8": 2e-2, "small": 1e-4}
"""int8 may differ by single quantisation steps between instruction sets; float32 by rounding."""
CAVEAT = (
    "Two scenes to train on and one to look at: these figures are sanity checks, not science. "
    "Trained on one tile alone the network does clearly worse on the other (cross); the recipe "
    "was chosen by that figure, which therefore flatters it. "
    "The check scene's reference is another algorithm's mask; it took no part in training."
)
TILE_SOURCE = {
    "what": "Landsat-5 TM and Landsat-7 ETM+ scenes, 512 x 512 px, TOA reflectance, expert masks",
    "where": "GitHub dlr-eoc/ukis-csmask, tests/testfiles",
    "sha256": {
        "landsat5.npz": "9e9387fc2236c7a0d9da68d88f027865343750e731ec7f8124547cf7c22c46bf",
        "landsat7.npz": "81cccaf46333d512a26580a1b5e12f2a7823634abe0c83d6973fda3ca2079299",
    },
    "licence": "Apache-2.0, copyright 2020 German Aerospace Center (DLR)",
    "citation": "Wieland, Li, Martinis: Remote Sensing of Environment 230 (2019) 1-12",
}


def check_scene(cache: Path, folder: Path, threshold: float) -> dict[str, Any]:
    """Measure both variants on a fetched scene against its reference mask, tile by tile as flown.

    The scene takes no part in training, in the choice of the recipe or of the threshold.
    """
    tiles, references = load_tiles(cache), load_references(cache)
    figures: dict[str, Any] = {}
    for variant in VARIANTS:
        session = OrtSession((folder / f"{variant}.onnx").read_bytes())
        masks = [session.run(pixels_of(tile)) >= np.float32(threshold) for tile in tiles]
        truth = [references[tile.tile_id] for tile in tiles]
        found = accuracy_of(np.concatenate(masks), np.concatenate(truth))
        figures[variant] = {k: round(v, 4) for k, v in dataclasses.asdict(found).items()}
    return figures


def variant_of(folder: Path, name: str) -> Variant:
    """Describe one network file in ``folder``: digest, size, answer to the golden tile."""
    data = (folder / f"{name}.onnx").read_bytes()
    answer = OrtSession(data).run(golden_tile(GOLDEN_SIDE_PX))
    return Variant(
        file=f"{name}.onnx",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        golden=Golden(GOLDEN_SIDE_PX, GOLDEN_ATOL[name], encode_expected(answer)),
        multiple_px=GRID_PX * SMALL_STEP_PX if name == "small" else 0,
    )


def protect(path: Path, scenes: Sequence[Scene], recipe: Recipe) -> dict[str, Any]:
    """Clip a float32 network in place by the ranges of ``scenes``.

    Returns the manifest's word on it: ceilings, and the accuracy on every scene before and after.
    """
    before = _on_scenes(path, scenes, recipe.threshold)
    ranges = clip_file(path, scenes, recipe)
    after = _on_scenes(path, scenes, recipe.threshold)
    return {"range_clip": {**ranges, "iou_before": before, "iou_after": after}}


def _on_scenes(path: Path, scenes: Sequence[Scene], threshold: float) -> dict[str, float]:
    session = OrtSession(path.read_bytes())
    found = {}
    for scene in scenes:
        planes = np.rint(scene.reflectance.transpose(1, 2, 0) * REFLECTANCE_SCALE)
        pixels = np.clip(planes, 0, 65_535).astype(np.uint16)
        mask = session.run(pixels) >= np.float32(threshold)
        found[scene.name] = round(accuracy_of(mask, scene.cloud).iou, 4)
    return found


def write_manifest(
    folder: Path,
    recipe: Recipe,
    layers: tuple[Layer, ...],
    metrics: dict[str, Any],
    protection: dict[str, Any],
) -> Path:
    """Write ``manifest.json`` for the networks in ``folder`` and return its path."""
    variants = {name: variant_of(folder, name) for name in VARIANTS}
    manifest = Manifest(
        format=1,
        name="cloud_unet",
        version=VERSION,
        input=InputLayout("NCHW float32", BANDS, REFLECTANCE_SCALE, GRID_PX),
        threshold=recipe.threshold,
        classes=("clear", "cloud"),
        variants=variants,
        metrics={"caveat": CAVEAT, **metrics},
        training={
            "script": "hil/training/train_cloud_unet.py",
            "parameters": parameter_count(layers),
            "recipe": dataclasses.asdict(recipe),
            "labels": "mask class 4 is cloud, every other class is clear",
        },
        data_sources=[TILE_SOURCE],
        licence="Apache-2.0",
        protection=protection,
    )
    return _write(folder, manifest)


def describe_again(
    folder: Path, manifest: Manifest, protection: dict[str, Any], metrics: dict[str, Any]
) -> Path:
    """Bring the manifest of ``folder`` in line with its files, adding what is new about them."""
    return _write(
        folder,
        msgspec.structs.replace(
            manifest,
            version=VERSION,
            variants={name: variant_of(folder, name) for name in VARIANTS},
            metrics={**manifest.metrics, **metrics},
            protection=protection,
        ),
    )


def _write(folder: Path, manifest: Manifest) -> Path:
    path = folder / "manifest.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    return path
