import dataclasses
import struct
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.inference.model_manifest import UNSIGNED, ModelError, bundle_of, unpack_bundle
from flight.inference.model_registry import ModelRegistry
from flight.telemetry.command_table import LOAD_BYTES_MAX

MODEL = ModelRegistry().load("cloud_unet", "int8")
BUNDLE = bundle_of(MODEL, bytes(range(64)))


def test_a_bundle_comes_back_with_the_one_variant_it_is_of():
    found = unpack_bundle(BUNDLE)
    assert (found.model.name, found.model.variant) == ("cloud_unet", "int8")
    assert found.model.data == MODEL.data
    assert found.model.sha256 == MODEL.sha256
    assert set(found.model.manifest.variants) == {"int8"}
    assert found.model.manifest.input == MODEL.manifest.input
    assert found.signature == bytes(range(64))


def test_what_is_signed_says_nothing_of_the_signature_and_all_of_the_rest():
    unsigned = unpack_bundle(bundle_of(MODEL))
    assert unsigned.signature == UNSIGNED
    assert unsigned.signed == unpack_bundle(BUNDLE).signed
    other = unpack_bundle(bundle_of(ModelRegistry().load("cloud_unet", "fp32")))
    assert other.signed != unsigned.signed


def test_the_largest_shipped_bundle_fits_a_load():
    for variant in ("fp32", "int8", "small"):
        assert len(bundle_of(ModelRegistry().load("cloud_unet", variant))) < LOAD_BYTES_MAX


@settings(deadline=None)
@given(st.integers(0, len(BUNDLE) - 1), st.integers(0, 7))
def test_any_flipped_bit_is_refused(at, bit):
    damaged = bytearray(BUNDLE)
    damaged[at] ^= 1 << bit
    with pytest.raises(ModelError):
        unpack_bundle(bytes(damaged))


@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_but_the_named_error(data):
    with pytest.raises(ModelError):
        unpack_bundle(data)


def sealed(body):
    return body + zlib.crc32(body).to_bytes(4, "big")


def test_a_network_that_is_not_the_manifest_s_is_refused_by_its_hash():
    other = dataclasses.replace(MODEL, data=MODEL.data[:-1] + b"\0")
    with pytest.raises(ModelError, match="SHA-256 expected"):
        unpack_bundle(bundle_of(other))


def test_a_manifest_of_another_format_is_refused():
    later = msgspec.structs.replace(MODEL.manifest, format=2)
    with pytest.raises(ModelError, match="format 2 is not 1"):
        unpack_bundle(bundle_of(dataclasses.replace(MODEL, manifest=later)))


def test_a_manifest_of_brackets_alone_is_refused_and_ends_nothing():
    name, deep = b"int8", b'{"metrics":{"x":' + b"[" * 100_000
    head = struct.pack(">4sBBHII64s", b"LMDL", 1, 0, len(name), len(deep), 0, bytes(64))
    with pytest.raises(ModelError, match="manifest not readable"):
        unpack_bundle(sealed(head + name + deep))


@pytest.mark.parametrize("cut", [1, 5, 1000])
def test_a_bundle_cut_short_is_refused(cut):
    with pytest.raises(ModelError):
        unpack_bundle(sealed(BUNDLE[:-cut]))
