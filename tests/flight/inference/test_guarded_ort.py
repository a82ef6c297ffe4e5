"""Networks that are not ours, from the `onnx` package, under the guard that flies."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from flight.inference.guarded_ort import guarded
from flight.inference.integrity import golden_tile
from flight.inference.job import BANDS
from flight.inference.model_manifest import (
    PER_TILE,
    PLANES,
    InputLayout,
    Manifest,
    ModelBytes,
    ModelError,
    OutputLayout,
    Variant,
)
from flight.inference.model_registry import ModelRegistry

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
SIDE_PX = 224
TILE = golden_tile(SIDE_PX)


def light(name, bands=("B4", "B3", "B2")):
    data = (LIGHT / f"light_{name}.onnx").read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    manifest = Manifest(
        format=1, name=name, version="1", threshold=0.5,
        input=InputLayout(PLANES, bands, 10_000, SIDE_PX),
        variants={"fp32": Variant(file="", sha256=sha256)}, output=OutputLayout(per=PER_TILE),
    )  # fmt: skip
    return ModelBytes(name, "fp32", sha256, data, manifest)


@pytest.fixture(scope="module")
def squeezenet():
    return guarded(light("squeezenet"))


def test_a_classifier_of_an_old_format_answers_as_the_runtime_alone_does(squeezenet):
    session = ort.InferenceSession(light("squeezenet").data, providers=["CPUExecutionProvider"])
    planes = TILE[..., [2, 1, 0]].transpose(2, 0, 1)[None].astype(np.float32) / 10_000
    (theirs,) = session.run(None, {session.get_inputs()[0].name: planes})
    answer, care = squeezenet.run(TILE)
    assert care.doubt == ""
    assert np.allclose(answer, theirs.reshape(-1)[0], atol=1e-6)


def test_its_weights_are_looked_over_and_put_right(squeezenet):
    before, _ = squeezenet.run(TILE)
    live, at = squeezenet.bank.octets(2_000_003)
    live[at] ^= 0x40
    squeezenet.check()
    live, at = squeezenet.bank.octets(12)
    live[at] ^= 0x40
    answer, care = squeezenet.run(TILE, twice=True)
    assert care.repaired + care.rebuilds > 0
    assert np.array_equal(answer, before)


def test_the_shipped_network_knows_its_golden_tile_whatever_else_a_camera_sees():
    model = ModelRegistry().load("cloud_unet", "fp32")
    wide = ("B1", "B12", "B9", *BANDS[:5])
    narrow_tile, wide_tile = golden_tile(64), golden_tile(64, bands=wide)
    answer, _ = guarded(model, bands=wide).run(wide_tile)
    assert np.array_equal(answer, guarded(model).run(narrow_tile)[0])


def test_a_manifest_that_does_not_fit_the_network_is_refused_with_the_reason():
    with pytest.raises(ModelError, match="Got: 2 Expected: 3"):
        guarded(light("squeezenet", bands=("B4", "B3")))
