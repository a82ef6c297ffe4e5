import shutil
import subprocess
import sys

import msgspec
import pytest

from flight.inference.model_manifest import NAME_BYTES_MAX, ModelError, bundle_of, unpack_bundle
from flight.inference.model_registry import DEFAULT_ROOT, DamagedModelError, ModelRegistry


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(DEFAULT_ROOT / "cloud_unet", tmp_path / "cloud_unet")
    return tmp_path


def test_the_shipped_models_verify():
    registry = ModelRegistry()
    assert "cloud_unet" in registry.names()
    for variant in ("fp32", "int8"):
        model = registry.load("cloud_unet", variant)
        assert len(model.data) == model.manifest.variants[variant].size_bytes


def test_the_shipped_models_stay_small():
    assert sum(path.stat().st_size for path in (DEFAULT_ROOT / "cloud_unet").iterdir()) < 350_000


@pytest.mark.parametrize("at", [0, 1000, -1])
def test_one_flipped_bit_is_refused_naming_file_and_both_digests(copied, at):
    path = copied / "cloud_unet" / "int8.onnx"
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)
    registry = ModelRegistry(copied)
    with pytest.raises(ModelError, match=r"expected [0-9a-f]{64}, found [0-9a-f]{64}") as error:
        registry.load("cloud_unet", "int8")
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    registry.load("cloud_unet", "fp32")


def test_a_truncated_or_missing_model_is_refused(copied):
    path = copied / "cloud_unet" / "fp32.onnx"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="SHA-256 expected"):
        ModelRegistry(copied).load("cloud_unet", "fp32")
    path.unlink()
    with pytest.raises(ModelError, match=r"fp32\.onnx: not readable"):
        ModelRegistry(copied).load("cloud_unet", "fp32")


def test_a_manifest_cannot_reach_outside_its_folder(copied):
    (copied / "secret").write_bytes(b"not a model")
    path = copied / "cloud_unet" / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes())
    manifest["variants"]["fp32"]["file"] = "../secret"
    path.write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(ModelError, match=r"cloud_unet.secret: not readable"):
        ModelRegistry(copied).load("cloud_unet", "fp32")


def edited(root, edit):
    path = root / "cloud_unet" / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes())
    edit(manifest)
    path.write_bytes(msgspec.json.encode(manifest))
    return ModelRegistry(root)


def test_a_model_goes_by_its_folder_s_name_kept_on_board_too(copied):
    known = edited(copied, lambda manifest: manifest.update(name="another"))
    model = known.load("cloud_unet", "fp32")
    assert model.name == model.manifest.name == "cloud_unet"
    assert unpack_bundle(bundle_of(model)).model.name == "cloud_unet"


def test_a_manifest_without_a_variant_is_damaged(copied):
    with pytest.raises(DamagedModelError, match="no variants"):
        edited(copied, lambda manifest: manifest["variants"].clear()).manifest("cloud_unet")


def test_a_variant_has_a_name_that_goes_into_a_bundle(copied):
    fits, long = "v" * NAME_BYTES_MAX, "v" * (NAME_BYTES_MAX + 1)

    def named(manifest):
        manifest["variants"] |= dict.fromkeys((fits, long), manifest["variants"]["fp32"])

    known = edited(copied, named)
    assert unpack_bundle(bundle_of(known.load("cloud_unet", fits))).model.variant == fits
    with pytest.raises(ModelError, match=f"allowed: up to {NAME_BYTES_MAX} octets"):
        known.load("cloud_unet", long)


def test_a_file_that_can_have_no_name_is_refused(copied):
    def spoilt(manifest):
        manifest["variants"]["fp32"]["file"] = "fp32\0.onnx"

    with pytest.raises(DamagedModelError, match="no name of a file"):
        edited(copied, spoilt).load("cloud_unet", "fp32")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"format": 1',
        b"\xff\xfe",
        b'{"name":"\xff"}',
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_a_bad_manifest_is_one_line(copied, text):
    (copied / "cloud_unet" / "manifest.json").write_bytes(text)
    with pytest.raises(ModelError, match="manifest not readable"):
        ModelRegistry(copied).manifest("cloud_unet")


@pytest.mark.parametrize("name", ["nonsense", "..", "cloud_unet/../cloud_unet"])
def test_an_unknown_model_is_named_with_the_known_ones(name):
    with pytest.raises(ModelError, match=r"known: .*cloud_unet"):
        ModelRegistry().manifest(name)
    with pytest.raises(ModelError, match="known: fp32, int8"):
        ModelRegistry().load("cloud_unet", "fp64")


def test_the_flight_process_never_loads_the_runtime():
    code = (
        "import sys, flight.inference.model_registry, flight.inference.worker_process, "
        "flight.inference.inline_engine, flight.inference.models_cli, "
        "flight.inference.frame_source;"
        "sys.exit('onnxruntime' in sys.modules)"
    )
    root = str(DEFAULT_ROOT.parents[2])
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
