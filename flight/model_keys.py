"""Keys of models: the ground signs what it sends up, the node knows its ground's signature.

Ed25519 (RFC 8032). The private half stays with the ground; without it nobody can make a model that
this node takes, even with the keys of the link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from flight.keys import MODEL_KEY_FILE, ModelKeyFile, read_model_key, write_new_files

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES, SIGNATURE_BYTES = 32, 64
GROUND_FILE, NODE_FILE = "models-ground.json", MODEL_KEY_FILE
_HexKey = Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{2 * KEY_BYTES}}}$")]


class _GroundFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Annotated[int, msgspec.Meta(ge=1, le=1)]
    model_private_key: _HexKey


def save_model_keys(private: bytes, folder: Path) -> tuple[Path, Path]:
    """Write both halves into `folder`; raises KeyFileError, as `save_halves` does."""
    contents = {
        NODE_FILE: ModelKeyFile(1, public_of(private).hex()),
        GROUND_FILE: _GroundFile(1, private.hex()),
    }
    node, ground = write_new_files(
        folder, {name: msgspec.json.encode(each) for name, each in contents.items()}
    )
    return node, ground


def load_private(path: Path) -> bytes:
    """The ground's half; raises KeyFileError."""
    return bytes.fromhex(read_model_key(path, _GroundFile).model_private_key)


def public_of(private: bytes) -> bytes:
    """The public key of a private one, 32 octets each."""
    # A node that flies loads this when its first model comes up, if ever.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def signing_key(seed: int) -> bytes:
    """The private key of a simulation: HKDF-SHA256 of the seed, worth nothing outside of it."""
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    secret = f"lumenode simulation seed {seed}".encode()
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"model key").derive(secret)


def sign(private: bytes, data: bytes) -> bytes:
    """The signature, 64 octets."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    return Ed25519PrivateKey.from_private_bytes(private).sign(data)


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` was made with the private half of `public`."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
