"""`lumenode models pack`: model, manifest and the ground's signature in one file to send up."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from flight.inference.integrity import SOUND, encode_expected, golden_tile, judge_output
from flight.inference.job import BANDS
from flight.inference.model_manifest import (
    Golden,
    ModelBytes,
    ModelError,
    bundle_of,
    layout_fault,
    unpack_bundle,
)
from flight.keys import KeyFileError
from flight.model_keys import load_private, sign
from flight.telemetry.command_table import LOAD_BYTES_MAX

if TYPE_CHECKING:
    import argparse

    from flight.inference.model_registry import ModelRegistry
    from flight.one_line_parser import OneLineParser

GOLDEN_SIDE_PX, GOLDEN_ATOL = 32, 1e-3


def add_pack(actions: argparse._SubParsersAction[OneLineParser], common: OneLineParser) -> None:
    """The action with its options."""
    parser = actions.add_parser(
        "pack",
        parents=[common],
        help="one file to send up, signed by the ground",
        description="Put a network and its manifest into one file, signed with the ground's key. "
        "A manifest without a golden answer gets this machine's.",
        epilog="example: lumenode models pack --variant int8 --key keys/models-ground.json "
        "--out cloud.lmdl, then lumenode send load model cloud.lmdl --format 1",
    )
    parser.add_argument("--model", default="cloud_unet", help="model (default: %(default)s)")
    parser.add_argument("--variant", default="fp32", help="of it (default: %(default)s)")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the ground's half")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.lmdl", help="write it")
    parser.add_argument("--bands", default=",".join(BANDS), help="of the node's camera, in order")


def pack(registry: ModelRegistry, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Write the bundle; raises ModelError."""
    model = with_golden(registry.load(options.model, options.variant), options.bands.split(","))
    try:
        private = load_private(options.key)
    except KeyFileError as error:
        raise ModelError(str(error)) from error
    bundle = bundle_of(model, sign(private, unpack_bundle(bundle_of(model)).signed))
    if len(bundle) > LOAD_BYTES_MAX:
        raise ModelError(
            f"{options.model}/{options.variant}: {len(bundle)} octets with its manifest; "
            f"allowed: up to {LOAD_BYTES_MAX} over the link"
        )
    try:
        options.out.write_bytes(bundle)
    except OSError as error:
        raise ModelError(f"{options.out}: {error.strerror}") from error
    answer = {"file": str(options.out), "bytes": len(bundle), "sha256": model.sha256}
    return answer, [f"{options.out}: {len(bundle)} octets, {model.name}/{model.variant}, signed"]


def with_golden(model: ModelBytes, bands: list[str]) -> ModelBytes:
    """The model with a golden answer in its manifest; raises ModelError for one that cannot run."""
    fault = layout_fault(model.manifest, bands)
    if fault:
        raise ModelError(fault)
    entry = model.manifest.variants[model.variant]
    if entry.golden.expected_b64:
        return model
    # The runtime is heavy and may be missing.
    from flight.inference.network_interface import interface_of  # noqa: PLC0415
    from flight.inference.session_ort import OrtSession  # noqa: PLC0415

    session = OrtSession(model.data, interface=interface_of(model.manifest, bands))
    step_px = entry.multiple_px or model.manifest.input.multiple_px
    side_px = -(-GOLDEN_SIDE_PX // step_px) * step_px
    answer = session.run(golden_tile(side_px, bands=bands))
    verdict = judge_output(answer, (side_px, side_px))
    if verdict not in SOUND:
        raise ModelError(f"golden tile: answer is {verdict.value}")
    golden = Golden(side_px, GOLDEN_ATOL, encode_expected(answer))
    variants = {model.variant: msgspec.structs.replace(entry, golden=golden)}
    manifest = msgspec.structs.replace(model.manifest, variants=variants)
    return dataclasses.replace(model, manifest=manifest)
