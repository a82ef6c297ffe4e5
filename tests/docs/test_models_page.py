"""The page on models keeps its word: its blocks are typed, and every refusal is provoked."""

import argparse
import dataclasses
import hashlib
import json
import re
import shutil

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, load_model_from_string, numpy_helper
from page_reader import PATIENCE_S, ROOT, Reader

from flight.config import InferenceConfig
from flight.inference.guarded_ort import guarded
from flight.inference.job import BANDS, REFLECTANCE_SCALE
from flight.inference.model_deck import ModelDeck
from flight.inference.model_manifest import (
    LAYOUTS,
    ModelBytes,
    ModelError,
    OutputLayout,
    bundle_of,
    layout_fault,
)
from flight.inference.model_registry import DEFAULT_ROOT, ModelRegistry
from flight.inference.model_slots import ModelSlots
from flight.inference.pack_cli import GOLDEN_ATOL, pack, with_golden
from flight.inference.session_ort import PROVIDERS
from flight.inference.tile_cache import default_tiles_path
from flight.inference.tile_pixels import pixels_of
from flight.inference.weight_bank import WeightBank
from flight.model_keys import save_model_keys
from flight.telemetry.command_table import LOAD_BYTES_MAX
from flight.telemetry.dictionary import CHANNELS, EVENTS
from hil.synthetic_scene import synthetic_labelled_tiles
from hil.tile_writer import LabelledScene, write_tile_cache

PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8")
((PLACE, MANIFEST),) = re.findall(
    r"`(\S+manifest\.json)` is:\n\n```json\n(.*?)```", PAGE, re.DOTALL
)


def haze(*, kind="float", last="Identity", scale=1.0, out="logits", ballast=0):
    """A network of somebody's own: three bands in, two classes out."""
    rng = np.random.default_rng(5)
    weights = numpy_helper.from_array(
        (scale * rng.normal(size=(2, 3, 3, 3))).astype(np.float32), "w"
    )
    x = {"float": TensorProto.FLOAT, "double": TensorProto.DOUBLE}[kind]
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["f", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node(last, ["c"], [out]),
    ]
    graph = helper.make_graph(
        nodes, "haze",
        [helper.make_tensor_value_info("x", x, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, [1, 2, "h", "w"])],
        [weights, numpy_helper.from_array(np.zeros(ballast, np.uint8), "ballast")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model.SerializeToString()


def described(data, **changes):
    """The model that the page's manifest makes of a network."""
    manifest = msgspec.json.decode(MANIFEST, type=type(ModelRegistry().manifest("cloud_unet")))
    sha256 = hashlib.sha256(data).hexdigest()
    entry = msgspec.structs.replace(manifest.variants["fp32"], sha256=sha256)
    manifest = msgspec.structs.replace(manifest, variants={"fp32": entry}, **changes)
    return ModelBytes("haze", "fp32", sha256, data, manifest)


def refused(act, *given, **more):
    with pytest.raises(ModelError) as caught:
        act(*given, **more)
    return str(caught.value)


def of_layout(**changes):
    manifest = described(b"").manifest
    given = {key: value for key, value in changes.items() if key in {"bands", "layout"}}
    taken = {key: value for key, value in changes.items() if key not in given}
    manifest = msgspec.structs.replace(
        manifest,
        input=msgspec.structs.replace(manifest.input, **given),
        output=msgspec.structs.replace(manifest.output, **taken),
    )
    return layout_fault(manifest, BANDS)


def told_of(bundle, *, signed):
    """What the node says of a bundle that comes up."""

    class Kept:
        slots, mended = ModelSlots(), []

        def load(self, _slot):
            return described(haze())

    told = []
    deck = ModelDeck(
        Kept(), (), signed_by=lambda *_: signed, fits=lambda _model: None,
        tell=lambda _event, **args: told.append(args),
    )  # fmt: skip
    deck.validate(bundle)
    (args,) = told
    return args["reason"]


def damaged(bundle):
    return bundle[:-9] + bytes([bundle[-9] ^ 1]) + bundle[-8:]


def registry(tmp_path):
    shutil.copytree(DEFAULT_ROOT, tmp_path / "networks")
    return ModelRegistry(tmp_path / "networks")


def wrong_digest(tmp_path):
    known = registry(tmp_path)
    (tmp_path / "networks/cloud_unet/fp32.onnx").write_bytes(b"another")
    return refused(known.load, "cloud_unet", "fp32")


def too_large(tmp_path):
    model = described(haze(ballast=LOAD_BYTES_MAX))
    folder = tmp_path / "networks" / "haze"
    folder.mkdir(parents=True)
    (folder / "haze.onnx").write_bytes(model.data)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(model.manifest))
    _, key = save_model_keys(bytes(32), tmp_path / "keys")
    options = argparse.Namespace(
        model="haze", variant="fp32", key=key, out=tmp_path / "haze.lmdl", bands=",".join(BANDS)
    )
    return refused(pack, ModelRegistry(tmp_path / "networks"), options)


def unknown_variant(tmp_path):
    folder = tmp_path / "networks/haze"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(MANIFEST)
    return refused(ModelRegistry(tmp_path / "networks").load, "haze", "fp64")


def two_bands(_tmp_path):
    given = msgspec.structs.replace(described(b"").manifest.input, bands=("B4", "B3"))
    return refused(guarded, described(haze(), input=given))


def other_answer(_tmp_path):
    model = with_golden(described(haze()), list(BANDS))
    return refused(guarded, dataclasses.replace(model, data=haze(scale=1 + 9 * GOLDEN_ATOL)))


def in_two_files(_tmp_path):
    network = load_model_from_string(haze())
    weights = network.graph.initializer[0]
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="haze.onnx.data")
    return refused(guarded, described(network.SerializeToString()))


def fell_back(_tmp_path):
    # The one provider of every build that takes a session and runs no node of it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROVIDERS, "cpu", ("AzureExecutionProvider", "CPUExecutionProvider"))
        return refused(guarded, described(haze()))


PLAIN = OutputLayout(name="logits")
PROVOKED = {
    "name": lambda at: refused(registry(at).load, "fog", "fp32"),
    "variant": unknown_variant,
    "digest": wrong_digest,
    "bundle, a bit of it": lambda _: told_of(damaged(bundle_of(described(haze()))), signed=True),
    "signature, or none": lambda _: told_of(bundle_of(described(haze())), signed=False),
    "size, for the link": too_large,
    "bands that the camera has not": lambda _: of_layout(bands=("B2", "B99")),
    "layout": lambda _: of_layout(layout="NHWC"),
    "activation": lambda _: of_layout(activation="tanh"),
    "number of bands": two_bands,
    "type of the input": lambda _: refused(guarded, described(haze(kind="double"))),
    "name of the output": lambda _: refused(
        guarded, described(haze(), output=OutputLayout(name="mask"))
    ),
    "shape of the output": lambda _: refused(guarded, described(haze(last="GlobalMaxPool"))),
    "operator that the runtime does not have": lambda _: refused(
        guarded, described(haze(last="NoSuchOperator"))
    ),
    "a part of it in another file": in_two_files,
    "file that is no network": lambda _: refused(guarded, described(b"no network")),
    "answers that are no numbers": lambda _: refused(guarded, described(haze(scale=np.nan))),
    "answers below 0 or above 1": lambda _: refused(guarded, described(haze(), output=PLAIN)),
    "another answer than the manifest's": other_answer,
    "provider that is not built in": lambda _: refused(guarded, described(haze()), provider="cuda"),
    "provider that fell back without a word": fell_back,
}


def refusals():
    """What the page says is said: cause -> pattern."""
    table = PAGE.partition("## What is refused")[2].partition("## Soft")[0]
    rows = dict(re.findall(r"^\| (.+?) \| `(.+)` \|$", table, re.MULTILINE))
    return {cause: re.escape(said).replace("…", ".*") for cause, said in rows.items()}


def test_the_page_has_every_refusal_that_is_provoked_here_and_no_other():
    assert refusals().keys() == PROVOKED.keys()


@pytest.mark.parametrize("cause", PROVOKED)
def test_what_is_refused_is_refused_in_the_words_of_the_page(cause, tmp_path):
    assert re.search(refusals()[cause], PROVOKED[cause](tmp_path)), PROVOKED[cause]


def test_the_keys_of_the_manifest_and_of_the_configuration_are_all_on_the_page():
    for section in ("input", "output"):
        for key in json.loads(MANIFEST)[section]:
            assert f"`{section}.{key}`" in PAGE or f"`.{key}`" in PAGE
    for layout in LAYOUTS:
        assert f"`{layout}`" in PAGE
    for key in InferenceConfig.__struct_fields__:
        if key not in {"model", "governor"}:
            assert key in PAGE, key


def test_events_and_channels_that_the_page_names_are_there():
    events, channels = {event.name for event in EVENTS}, {channel.name for channel in CHANNELS}
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE)) <= events
    for name in re.findall(r"`((?:inference|plan)\.[a-z]+_[a-z_]+)`", PAGE):
        assert name in channels or name.partition(".")[2] in InferenceConfig.__struct_fields__


def imagery(folder):
    """What `lumenode fetch-data` brings, only made up."""
    ((tile, cloud),) = synthetic_labelled_tiles(7, 1, 256)
    scene = LabelledScene(
        name="synthetic", reflectance=pixels_of(tile).astype(np.float32) / REFLECTANCE_SCALE,
        cloud=cloud, notice="synthetic", reference="made with the scene", synthetic=True,
        sources=(),
    )  # fmt: skip
    path = default_tiles_path({"LUMENODE_CACHE": str(folder / "cache")})
    path.parent.mkdir(parents=True)
    write_tile_cache(scene, path, 128)


@pytest.mark.slow
def test_whoever_types_the_page_flies_a_network_of_their_own_and_one_from_the_ground(tmp_path):
    reader = Reader(tmp_path)
    imagery(tmp_path)
    network = tmp_path / PLACE
    network.parent.mkdir(parents=True)
    network.write_text(MANIFEST)
    (network.parent / "haze.onnx").write_bytes(haze())
    try:
        reader.reads(PAGE)
        assert reader.flight.wait(PATIENCE_S) == 0
    finally:
        reader.leaves()
    said, log = reader.said, reader.log()
    assert "cloud_unet/fp32: ok" in said["lumenode models verify"]
    assert said["lumenode models --root models verify"] == "haze/fp32: ok\n"
    watched = said["lumenode watch --group inference --for 30"]
    assert float(re.findall(r"inference\.jobs_total = (\d+)", watched)[-1]) > 0
    assert "INFERENCE_FAILED" not in log
    steps = ["MODEL_STAGED: model cloud_unet", "MODEL_ACTIVATED: model cloud_unet",
             "MODEL_ROLLED_BACK: model cloud_unet",
             "not signed by this node's ground"]  # fmt: skip
    found = [log.find(step) for step in steps]
    assert -1 not in found, (steps, log)
    assert found == sorted(found)
    assert "exponent" in said["lumenode models inject --flips 20 --seed 7"]


def test_the_network_on_the_page_is_one_that_the_checker_of_the_format_takes():
    onnx.checker.check_model(onnx.load_model_from_string(haze()))
    assert len(WeightBank(haze()).arrays) == 2
