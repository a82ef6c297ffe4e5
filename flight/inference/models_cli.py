"""The command ``lumenode models``: list, verify, profile a board, evaluate a labelled tile.

ONNX Runtime is loaded only when a network is run.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flight.inference.accuracy import Accuracy, accuracy_of
from flight.inference.inject_cli import add_inject, inject
from flight.inference.integrity import SOUND, golden_deviation, golden_tile, judge_output
from flight.inference.job import BANDS
from flight.inference.labelled_file import LabelledFileError, read_labelled_file
from flight.inference.model_manifest import ModelBytes, ModelError
from flight.inference.model_registry import DEFAULT_ROOT, MANIFEST_NAME, ModelRegistry
from flight.inference.pack_cli import add_pack, pack
from flight.inference.profile_cli import ProfileError, add_action, profile, told
from flight.one_line_parser import OneLineParser

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from flight.inference.session_ort import OrtSession

EXIT_OK, EXIT_FAILED, EXIT_BAD_INPUT = 0, 1, 2


def main_models(argv: Sequence[str]) -> int:
    """Run the command.

    Returns 0; 1 if a model fails verification; 2 for bad input or a missing runtime, with one line
    on stderr.
    """
    options = _parser().parse_args(argv)
    registry = ModelRegistry(options.root)
    try:
        if options.action == "evaluate":
            return _evaluate(registry, options)
        if options.action == "profile":
            return _profile(registry, options)
        if options.action in {"inject", "pack"}:
            act = inject if options.action == "inject" else pack
            answer, lines = act(registry, options)
            _print(answer, lines, as_json=options.json)
            return EXIT_OK
        if options.action == "verify":
            return _verify(registry, as_json=options.json)
        return _list(registry, as_json=options.json)
    except (ModelError, LabelledFileError, ProfileError) as error:
        print(f"lumenode models: {error}", file=sys.stderr)  # noqa: T201  (command output)
        return EXIT_BAD_INPUT


def whole_image(
    session: OrtSession, pixels: npt.NDArray[np.uint16], multiple_px: int
) -> npt.NDArray[np.float32]:
    """Return the probability (H, W) of an image of any size, edge-padded to the multiple."""
    height, width = pixels.shape[:2]
    padding = ((0, -height % multiple_px), (0, -width % multiple_px), (0, 0))
    return session.run(np.pad(pixels, padding, mode="edge"))[:height, :width]


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode models",
        description="The networks on board: list them, verify them, measure them.",
        epilog="example: lumenode models evaluate landsat7.npz --json",
    )
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="folder of the models")
    # The flag is taken before and after the action; a default there would undo the one before.
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    late = OneLineParser(add_help=False)
    late.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print the result as JSON"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser(
        "list",
        parents=[late],
        help="name, version, size (the default)",
        epilog="example: lumenode models list --json",
    )
    actions.add_parser(
        "verify",
        parents=[late],
        help="digests, and a run on the golden tile",
        epilog="example: lumenode models verify --json",
    )
    add_action(actions, late)
    add_inject(actions, late)
    add_pack(actions, late)
    evaluate = actions.add_parser(
        "evaluate",
        parents=[late],
        help="IoU, F1 and accuracy of each variant on a labelled tile",
        description="Measure each variant against an expert mask: cloud is mask class 4.",
        epilog="FILE.npz holds img (H, W, 6) float32 reflectance 0..1 and msk (H, W, 1) uint8. "
        "example: lumenode models evaluate landsat7.npz --json",
    )
    evaluate.add_argument("file", type=Path, metavar="FILE.npz")
    evaluate.add_argument("--model", default="cloud_unet", help="model (default: %(default)s)")
    return parser


def _session(model: ModelBytes, bands: Sequence[str]) -> OrtSession:
    from flight.inference.network_interface import interface_of  # noqa: PLC0415
    from flight.inference.session_ort import OrtSession  # noqa: PLC0415  (heavy, may be missing)

    return OrtSession(model.data, interface=interface_of(model.manifest, bands))


def _list(registry: ModelRegistry, *, as_json: bool) -> int:
    listed: dict[str, Any] = {}
    for name in registry.names():
        manifest = registry.manifest(name)
        sizes = {key: variant.size_bytes for key, variant in sorted(manifest.variants.items())}
        listed[name] = {
            "version": manifest.version,
            "variants": sizes,
            "threshold": manifest.threshold,
            "licence": manifest.licence,
        }
    lines = [
        f"{name} {entry['version']}: "
        + ", ".join(f"{key} {size} bytes" for key, size in entry["variants"].items())
        for name, entry in listed.items()
    ]
    _print(listed, lines, as_json=as_json)
    return EXIT_OK


def _verify(registry: ModelRegistry, *, as_json: bool) -> int:
    """Check every variant of every model; a failing one is reported and the rest still checked."""
    import flight.inference.session_ort  # noqa: F401, PLC0415  ModelError where it is missing

    answers: dict[str, dict[str, dict[str, Any]]] = {}
    lines: list[str] = []
    passed = True
    for name in registry.names():
        for key, answer in _answers(registry, name).items():
            passed = passed and bool(answer["ok"])
            answers.setdefault(name, {})[key] = answer
            words = "ok" if answer["ok"] else f"FAILED: {answer['error']}"
            lines.append(f"{name}/{key}: {words}")
    if not answers:
        raise ModelError("no model found")
    _print(answers, lines, as_json=as_json)
    return EXIT_OK if passed else EXIT_FAILED


def _answers(registry: ModelRegistry, name: str) -> dict[str, dict[str, Any]]:
    """What each variant of a model says, or what is wrong with it, or with its manifest."""
    try:
        keys = sorted(registry.manifest(name).variants)
    except ModelError as error:
        return {MANIFEST_NAME: {"ok": False, "error": str(error)}}
    answers: dict[str, dict[str, Any]] = {}
    for key in keys:
        try:
            answers[key] = _judged(registry.load(name, key))
        except ModelError as error:
            answers[key] = {"ok": False, "error": str(error)}
    return answers


def _judged(model: ModelBytes) -> dict[str, Any]:
    """What a model that can be read says to its golden tile; raises ``ModelError``."""
    entry, bands = model.manifest.variants[model.variant], model.manifest.input.bands
    golden, recorded = entry.golden, bool(entry.golden.expected_b64)
    step_px = 1 if recorded else entry.multiple_px or model.manifest.input.multiple_px
    side_px = -(-golden.side_px // step_px) * step_px
    probability = _session(model, bands).run(golden_tile(side_px, bands=bands))
    verdict = judge_output(probability, (side_px, side_px))
    deviation = golden_deviation(golden, probability) if recorded else 0.0
    answer: dict[str, Any] = {
        "ok": verdict in SOUND and deviation <= golden.atol,
        "sha256": model.sha256,
        "golden_deviation": deviation if np.isfinite(deviation) else None,
    }
    if verdict not in SOUND:
        answer["error"] = f"golden tile: answer is {verdict.value}"
    elif not answer["ok"]:
        answer["error"] = f"golden tile deviates {deviation:.3g}, limit {golden.atol:.3g}"
    return answer


def _evaluate(registry: ModelRegistry, options: argparse.Namespace) -> int:
    tile = read_labelled_file(options.file)
    manifest = registry.manifest(options.model)
    figures: dict[str, Accuracy] = {}
    for key in sorted(manifest.variants):
        session = _session(registry.load(options.model, key), BANDS)
        multiple_px = manifest.variants[key].multiple_px or manifest.input.multiple_px
        probability = whole_image(session, tile.pixels, multiple_px)
        mask = probability >= np.float32(manifest.threshold)
        figures[key] = accuracy_of(mask, tile.cloud)
    answer = {key: dataclasses.asdict(figure) for key, figure in figures.items()}
    lines = [
        f"{key}: IoU {f.iou:.4f}  F1 {f.f1:.4f}  accuracy {f.accuracy:.4f}"
        for key, f in figures.items()
    ]
    _print(answer, lines, as_json=options.json)
    return EXIT_OK


def _profile(registry: ModelRegistry, options: argparse.Namespace) -> int:
    answer, lines = told(profile(registry, options), options.profile_out)
    _print(answer, lines, as_json=options.json)
    return EXIT_OK


def _print(answer: dict[str, Any], lines: Sequence[str], *, as_json: bool) -> None:
    text = json.dumps(answer, indent=1) if as_json else "\n".join(lines)
    print(text)  # noqa: T201  (command output)
