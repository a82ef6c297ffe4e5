"""One network with its manifest in one piece: how a model is handed over, sent up and kept. Pure.

Layout, big-endian: magic "LMDL", version u8, reserved u8, length of the variant's name u16, of the
manifest u32, of the network u32, Ed25519 signature (64 octets, zero where there is none); then
these three one after the other; then CRC-32 (zlib's) u32 of all that. The manifest is JSON and
names the network's SHA-256.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass

import msgspec

from flight.inference.model_manifest import MODEL_BYTES_MAX, Manifest, ModelBytes, ModelError

MAGIC, VERSION = b"LMDL", 1
SIGNATURE_BYTES = 64
UNSIGNED = bytes(SIGNATURE_BYTES)
_HEAD = struct.Struct(f">4sBBHII{SIGNATURE_BYTES}s")
_CRC = struct.Struct(">I")
_NAME_BYTES_MAX = 32
_SIGNED_AS = b"lumenode model 1\0"


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
    if _HEAD.size + sum(sizes) + _CRC.size != len(data) or sizes[0] > _NAME_BYTES_MAX:
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
    try:
        manifest = msgspec.json.decode(manifest_bytes, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelError(f"manifest not readable: {error}") from error
    if manifest.format != 1:
        raise ModelError(f"manifest format {manifest.format} is not 1")
    entry = manifest.variants.get(variant)
    if entry is None:
        raise ModelError(f"manifest of {manifest.name} has no variant {variant!r}")
    if len(network) > MODEL_BYTES_MAX:
        raise ModelError(f"network of {len(network)} octets; allowed: up to {MODEL_BYTES_MAX}")
    found = hashlib.sha256(network).hexdigest()
    if found != entry.sha256:
        raise ModelError(f"SHA-256 expected {entry.sha256}, found {found}")
    return ModelBytes(manifest.name, variant, found, network, manifest)
