"""A network as a value: its manifest, its verified bytes, and both in one piece. Pure.

The piece, a bundle, is how a model is handed over, sent up and kept. Layout, big-endian: magic
"LMDL", version u8, reserved u8, length of the variant's name u16, of the manifest u32, of the
network u32, Ed25519 signature (64 octets, zero where there is none); then these three one after
the other; then CRC-32 (zlib's) u32 of all that. The manifest is JSON and names the network's
SHA-256.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MODEL_BYTES_MAX = 256 * 1024 * 1024
MULTIPLE_PX_MAX = 256
GOLDEN_PX_MAX = 512
SCALE_MAX = 2**31
NESTED_MAX = 16
"""Lists within lists that a manifest may have: what is read has to be written again."""
WORD_CHARS_MAX = 64
"""Of a model's name and version, which are told in events."""
LAYOUTS = PLANES, PIXEL_ROWS = ("NCHW float32", "pixels float32")
ACTIVATIONS = ("none", "sigmoid", "softmax")
REACHES = PER_PIXEL, PER_TILE = ("pixel", "tile")
MAGIC, VERSION = b"LMDL", 1
SIGNATURE_BYTES = 64
UNSIGNED = bytes(SIGNATURE_BYTES)
_HEAD = struct.Struct(f">4sBBHII{SIGNATURE_BYTES}s")
_CRC = struct.Struct(">I")
NAME_BYTES_MAX = 32
_SIGNED_AS = b"lumenode model 1\0"


class ModelError(Exception):
    """A model is missing, corrupt or not understood; the message is one line naming the file."""


class Golden(msgspec.Struct, frozen=True):
    """Expected answer of one variant to the built-in golden tile of 1 to `GOLDEN_PX_MAX` a side.

    ``expected_b64`` is base64 of little-endian float32 probabilities, row by row; empty where none
    was recorded: then the network is held against its own first answers alone.
    """

    side_px: int = 32
    atol: float = 1e-3
    expected_b64: str = ""


class Variant(msgspec.Struct, frozen=True):
    """One file of a model: name in its folder, digest, size and golden answer.

    ``multiple_px`` is what the tile's sides must be multiples of, 0 where the model's own holds.
    """

    file: str
    sha256: str
    size_bytes: int = 0
    golden: Golden = Golden()
    multiple_px: int = 0


class InputLayout(msgspec.Struct, frozen=True):
    """What a network wants to be fed: reflectance = digital number / scale, as float32.

    ``layout`` is `PLANES`, (1, bands, H, W), or `PIXEL_ROWS`, (H * W, bands).
    """

    layout: str
    bands: tuple[str, ...]
    scale: int
    multiple_px: int


class OutputLayout(msgspec.Struct, frozen=True):
    """Where the cloud probability lies in what a network answers.

    ``name`` is the output's, the first one if empty; ``channel`` its plane or column;
    ``activation`` what is still to be done: "none", "sigmoid", or "softmax" over the channels;
    ``per`` whether it says one thing of each pixel or of the whole tile, as classifiers do.
    """

    name: str = ""
    channel: int = 0
    activation: str = "none"
    per: str = PER_PIXEL


class Manifest(msgspec.Struct, frozen=True):
    """The manifest beside the network files: identity, interface, provenance, figures."""

    format: int
    name: str
    version: str
    input: InputLayout
    threshold: float
    variants: dict[str, Variant]
    classes: tuple[str, ...] = ("clear", "cloud")
    metrics: dict[str, Any] = {}
    training: dict[str, Any] = {}
    data_sources: list[dict[str, Any]] = []
    licence: str = ""
    protection: dict[str, Any] = {}
    output: OutputLayout = OutputLayout()


def decode_manifest(data: bytes) -> Manifest:
    """Return the manifest in ``data``; raises ``ModelError`` only, whatever the bytes."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ModelError(f"manifest not readable: {error}") from error
    if manifest.format != 1:
        raise ModelError(f"manifest format {manifest.format} is not 1")
    for word in (manifest.name, manifest.version):
        if len(word) > WORD_CHARS_MAX or not word.isprintable():
            raise ModelError(
                f"name and version of a manifest: allowed: up to {WORD_CHARS_MAX} printable "
                f"characters, found {word[:WORD_CHARS_MAX]!r}"
            )
    freely = (manifest.metrics, manifest.training, manifest.data_sources, manifest.protection)
    if any(_deeper(each, NESTED_MAX) for each in freely):
        raise ModelError(f"manifest not readable: nested deeper than {NESTED_MAX}")
    return manifest


def _deeper(value: Any, than: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return not than or any(_deeper(each, than - 1) for each in inner)


def layout_fault(manifest: Manifest, tile_bands: Sequence[str]) -> str:
    """Say why a network so described cannot be fed from tiles of these bands; "" if it can."""
    return next(_layout_faults(manifest, tile_bands), "")


def _layout_faults(manifest: Manifest, tile_bands: Sequence[str]) -> Iterator[str]:
    given, taken = manifest.input, manifest.output
    missing = [band for band in given.bands if band not in tile_bands]
    if missing or not given.bands:
        yield (
            f"input.bands: {', '.join(missing) or 'none'} not in a tile of this camera "
            f"({', '.join(tile_bands)})"
        )
    for key, value, allowed in (
        ("input.layout", given.layout, LAYOUTS),
        ("output.activation", taken.activation, ACTIVATIONS),
        ("output.per", taken.per, REACHES),
    ):
        if value not in allowed:
            yield f"{key} = {value!r}; allowed: {', '.join(allowed)}"
    multiples = (given.multiple_px, *(each.multiple_px or 1 for each in manifest.variants.values()))
    if any(not 0 < each <= MULTIPLE_PX_MAX for each in multiples):
        yield f"multiple_px = {multiples}; allowed: 1..{MULTIPLE_PX_MAX}"
    scaled = 0 < given.scale <= SCALE_MAX
    if not scaled or taken.channel < 0 or not 0.0 < manifest.threshold < 1.0:
        yield (
            f"input.scale: above 0, up to {SCALE_MAX}; output.channel: 0 or above; "
            "threshold: between 0 and 1"
        )
    sides = [each.golden.side_px for each in manifest.variants.values()]
    if any(not 0 < each <= GOLDEN_PX_MAX for each in sides):
        yield f"golden.side_px = {sides}; allowed: 1..{GOLDEN_PX_MAX}"


@dataclass(frozen=True, slots=True)
class ModelBytes:
    """Verified bytes of one variant; ``sha256`` is the hex digest that they were held against."""

    name: str
    variant: str
    sha256: str
    data: bytes
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds, its CRC and the network's digest confirmed."""

    model: ModelBytes
    signature: bytes
    signed: bytes
    """What a signature of this bundle has to be over."""


def bundle_of(model: ModelBytes, signature: bytes = UNSIGNED) -> bytes:
    """Return the bundle of one variant; of its manifest the other variants are left out."""
    manifest = manifest_json(model)
    name = model.variant.encode()
    head = _HEAD.pack(
        MAGIC, VERSION, 0, len(name), len(manifest), len(model.data), signature
    )  # fmt: skip
    body = b"".join((head, name, manifest, model.data))
    return body + _CRC.pack(zlib.crc32(body))


def manifest_json(model: ModelBytes) -> bytes:
    """Return the part of a model's manifest that flies with one variant."""
    variants = {model.variant: model.manifest.variants[model.variant]}
    only = msgspec.structs.replace(model.manifest, variants=variants, metrics={}, training={})
    return msgspec.json.encode(only)


def signed_part(variant: str, manifest: bytes, network: bytes) -> bytes:
    """Return what is signed: a purpose, the variant, and digests of manifest and network."""
    parts = (variant.encode(), manifest, network)
    return _SIGNED_AS + b"".join(hashlib.sha256(part).digest() for part in parts)


def unpack_bundle(data: bytes) -> Bundle:
    """Return what ``data`` holds; raises ``ModelError`` only, whatever the bytes."""
    if len(data) < _HEAD.size + _CRC.size:
        raise ModelError(f"{len(data)} octets are no model bundle")
    magic, version, _, *sizes, signature = _HEAD.unpack_from(data)
    if magic != MAGIC or version != VERSION:
        raise ModelError(f"magic {magic!r} version {version} is not {MAGIC!r} {VERSION}")
    if _HEAD.size + sum(sizes) + _CRC.size != len(data) or sizes[0] > NAME_BYTES_MAX:
        raise ModelError(f"bundle of {len(data)} octets does not have the size it says")
    if zlib.crc32(memoryview(data)[: -_CRC.size]) != _CRC.unpack_from(data, len(data) - 4)[0]:
        raise ModelError("bundle fails its CRC")
    at = _HEAD.size
    parts = []
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    name, manifest, network = parts
    variant = name.decode("utf-8", "replace")
    model = _model(variant, manifest, network)
    return Bundle(model, signature, signed_part(variant, manifest, network))


def _model(variant: str, manifest_bytes: bytes, network: bytes) -> ModelBytes:
    manifest = decode_manifest(manifest_bytes)
    entry = manifest.variants.get(variant)
    if entry is None:
        raise ModelError(f"manifest of {manifest.name} has no variant {variant!r}")
    if len(network) > MODEL_BYTES_MAX:
        raise ModelError(f"network of {len(network)} octets; allowed: up to {MODEL_BYTES_MAX}")
    found = hashlib.sha256(network).hexdigest()
    if found != entry.sha256:
        raise ModelError(f"SHA-256 expected {entry.sha256}, found {found}")
    return ModelBytes(manifest.name, variant, found, network, manifest)
