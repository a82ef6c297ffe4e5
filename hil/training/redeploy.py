"""Make the deployed files of a trained network again: clipped ranges, the half-resolution variant.

For a network that was trained before; `train_cloud_unet` does the same for a new one.
Example: ``python -m hil.training.redeploy --tiles ~/testfiles --model build/cloud_unet``
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from flight.inference.labelled_file import LabelledFileError, read_labelled_file
from flight.inference.model_manifest import Manifest
from hil.training.recipe import Recipe
from hil.training.train_cloud_unet import TILES, measure, say, scene_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Clip, derive, measure and describe the network in a folder; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m hil.training.redeploy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tiles", type=Path, required=True, help="folder of the labelled tiles")
    parser.add_argument("--model", type=Path, required=True, help="folder of the network")
    parser.add_argument("--check-scene", type=Path, help="tile cache, reported only")
    options = parser.parse_args(argv)
    folder: Path = options.model
    try:
        tiles = [read_labelled_file(options.tiles / f"{name}.npz") for name in TILES]
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (LabelledFileError, OSError, msgspec.MsgspecError) as error:
        say(str(error))
        return 2
    from hil.training.describe import check_scene, describe_again, protect  # noqa: PLC0415
    from hil.training.export_onnx import write_small  # noqa: PLC0415

    protection = manifest.protection
    if not protection:
        protection = protect(folder / "fp32.onnx", [scene_of(tile) for tile in tiles], Recipe())
    write_small(folder / "fp32.onnx", folder / "small.onnx")
    metrics: dict[str, Any] = {
        f"training_tile_{tile.name}": measure(folder, tile.pixels, tile.cloud, manifest.threshold)
        for tile in tiles
    }
    if options.check_scene is not None:
        metrics["check_scene"] = check_scene(options.check_scene, folder, manifest.threshold)
    describe_again(folder, manifest, protection, metrics)
    say(json.dumps({"protection": protection, **metrics}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
