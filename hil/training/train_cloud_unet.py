"""Train, quantise and describe the shipped cloud network from two public Landsat tiles.

Example: ``python -m hil.training.train_cloud_unet --tiles ~/testfiles --out build/cloud_unet``

The tiles (``landsat5.npz``, ``landsat7.npz``, with expert masks, Apache-2.0, DLR) are public:
GitHub repository ``dlr-eoc/ukis-csmask``, folder ``tests/testfiles``. Needs ``lumenode[train]``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flight.inference.accuracy import accuracy_of
from flight.inference.labelled_file import LabelledFileError, LabelledTile, read_labelled_file
from hil.training.augment import Scene, crop_batch
from hil.training.layers import cloud_unet
from hil.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from hil.training.layers import Layer

TILES = ("landsat5", "landsat7")
CALIBRATION_CROPS = 24
CROSS_SEEDS, CROSS_ITERATIONS = 3, 300
"""Runs each way between the tiles, half as long as the shipped run, which has two tiles: one
run alone says little: without recoloured ground six such runs spread from 0.40 to 0.80."""
KEEP_FLOAT = (
    "clipped_Clip",
    "centred_Sub",
    "normalised_Mul",
    "head_Conv",
    "cloud_probability_Sigmoid",
)
"""Cheap nodes at both ends stay in float32: one int8 step of the head is 0.02 in probability."""


def require_extra() -> None:
    """Stop with one line if the training-only packages are not there."""
    try:
        import onnx  # noqa: F401, PLC0415
        import onnxruntime  # noqa: F401, PLC0415
        import torch  # noqa: F401, PLC0415
    except ImportError as error:
        raise SystemExit(
            f"training needs {error.name}: pip install 'lumenode[train,cpu]'"
        ) from error


def scene_of(tile: LabelledTile) -> Scene:
    """Return the training form of a labelled tile (bands first)."""
    planes = np.ascontiguousarray(tile.reflectance.transpose(2, 0, 1))
    return Scene(tile.name, planes, tile.cloud)


def train_variants(
    scenes: Sequence[Scene], layers: tuple[Layer, ...], recipe: Recipe, folder: Path
) -> None:
    """Train on ``scenes`` and write ``fp32.onnx`` and ``int8.onnx`` to ``folder``.

    int8 holds its ranges by itself: every activation is a number of steps of a measured range.
    """
    from hil.training.export_onnx import write_fp32, write_int8  # noqa: PLC0415
    from hil.training.train_loop import train  # noqa: PLC0415

    names = "+".join(scene.name for scene in scenes)
    weights = train(
        scenes, layers, recipe, lambda step, loss: say(f"{names}: step {step}, loss {loss:.3f}")
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_fp32(weights, layers, folder / "fp32.onnx")
    calm = dataclasses.replace(recipe, batch=CALIBRATION_CROPS, crop_px=128, zoom_max=1.0)
    crops, _ = crop_batch(scenes, calm, np.random.default_rng([recipe.seed, 0x43_41_4C]))
    write_int8(folder / "fp32.onnx", folder / "int8.onnx", list(crops), KEEP_FLOAT)


def measure(
    folder: Path, pixels: npt.NDArray[np.uint16], cloud: npt.NDArray[np.bool_], threshold: float
) -> dict[str, dict[str, float]]:
    """Return IoU, F1 and accuracy of the variants in ``folder`` on one labelled image."""
    from flight.inference.session_ort import OrtSession  # noqa: PLC0415

    figures = {}
    for variant in ("fp32", "int8", "small"):
        file = folder / f"{variant}.onnx"
        if not file.exists():
            continue
        session = OrtSession(file.read_bytes())
        mask = session.run(pixels) >= np.float32(threshold)
        figures[variant] = {
            key: round(value, 4)
            for key, value in dataclasses.asdict(accuracy_of(mask, cloud)).items()
        }
    return figures


def cross_check(
    tiles: Sequence[LabelledTile], layers: tuple[Layer, ...], recipe: Recipe, scratch: Path
) -> dict[str, Any]:
    """Train on each tile alone and measure on the other: the honest figure of so little data.

    Every seed's IoU is kept, with mean, least and standard deviation over all runs.
    """
    seeds = [recipe.seed + n for n in range(CROSS_SEEDS)]
    figures: dict[str, Any] = {"iterations": CROSS_ITERATIONS, "seeds": seeds}
    found: dict[str, list[float]] = {"fp32": [], "int8": []}
    for seen, unseen in ((tiles[0], tiles[1]), (tiles[1], tiles[0])):
        key = f"trained_on_{seen.name}_tested_on_{unseen.name}"
        figures[key] = {"fp32_iou": [], "int8_iou": []}
        for seed in seeds:
            short = dataclasses.replace(recipe, seed=seed, iterations=CROSS_ITERATIONS)
            folder = scratch / f"only_{seen.name}_{seed}"
            train_variants([scene_of(seen)], layers, short, folder)
            measured = measure(folder, unseen.pixels, unseen.cloud, recipe.threshold)
            for variant, values in measured.items():
                figures[key][f"{variant}_iou"].append(values["iou"])
                found[variant].append(values["iou"])
        say(f"{key}: {figures[key]}")
    for variant, ious in found.items():
        figures[f"{variant}_iou_over_all"] = {
            "mean": round(float(np.mean(ious)), 4),
            "least": min(ious),
            "std": round(float(np.std(ious)), 4),
        }
    return figures


def say(line: str) -> None:
    """Tell the operator how far it is."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  (command-line progress)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    default = Recipe()
    parser = argparse.ArgumentParser(
        prog="python -m hil.training.train_cloud_unet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tiles", type=Path, required=True, help="folder of the labelled tiles")
    parser.add_argument("--out", type=Path, required=True, help="folder for networks and manifest")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--iterations", type=int, default=default.iterations)
    parser.add_argument("--no-cross-check", action="store_true", help="skip the extra runs")
    parser.add_argument(
        "--check-scene", type=Path, help="tile cache of `lumenode fetch-data`, reported only"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the whole recipe; returns the exit code."""
    options = parse(argv)
    recipe = dataclasses.replace(Recipe(), seed=options.seed, iterations=options.iterations)
    layers = cloud_unet()
    try:
        tiles = [read_labelled_file(options.tiles / f"{name}.npz") for name in TILES]
    except LabelledFileError as error:
        say(f"{error} (public copy: GitHub dlr-eoc/ukis-csmask, tests/testfiles)")
        return 2
    require_extra()
    from hil.training.describe import check_scene, protect, write_manifest  # noqa: PLC0415
    from hil.training.export_onnx import write_small  # noqa: PLC0415

    metrics: dict[str, Any] = {}
    scenes = [scene_of(tile) for tile in tiles]
    train_variants(scenes, layers, recipe, options.out)
    protection = protect(options.out / "fp32.onnx", scenes, recipe)
    write_small(options.out / "fp32.onnx", options.out / "small.onnx")
    for tile in tiles:
        metrics[f"training_tile_{tile.name}"] = measure(
            options.out, tile.pixels, tile.cloud, recipe.threshold
        )
    if not options.no_cross_check:
        metrics["cross"] = cross_check(tiles, layers, recipe, options.out / "cross")
    if options.check_scene is not None:
        metrics["check_scene"] = check_scene(options.check_scene, options.out, recipe.threshold)
    manifest = write_manifest(options.out, recipe, layers, metrics, protection)
    say(json.dumps(metrics, indent=1))
    say(f"wrote {manifest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
