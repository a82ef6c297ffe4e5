"""A model comes up the link in pieces, signed, is tried, flies, and makes way when it fails."""

import dataclasses
import hashlib

import msgspec
import numpy as np
import onnx
import pytest
from short_flight import assert_nothing_lost_or_doubled, events, scenario

from flight.inference.mask_product import decode_mask
from flight.inference.model_deck import FORMAT_VERSION
from flight.inference.model_manifest import ModelError, bundle_of, unpack_bundle
from flight.inference.model_registry import ModelRegistry
from flight.inference.session_ort import PROVIDERS
from flight.model_keys import sign, signing_key
from hil.sim_target import SimTarget

FP32, INT8 = (ModelRegistry().load("cloud_unet", each) for each in ("fp32", "int8"))
SEED = scenario("slow-relay").seed


def signed(model, key=None):
    part = unpack_bundle(bundle_of(model)).signed
    return bundle_of(model, sign(key or signing_key(SEED), part))


def changed(model, edit):
    """A model whose network is not what its golden tile says."""
    graph = onnx.load_model_from_string(model.data)
    edit(graph.graph)
    data = graph.SerializeToString()
    sha256 = hashlib.sha256(data).hexdigest()
    entry = msgspec.structs.replace(model.manifest.variants[model.variant], sha256=sha256)
    manifest = msgspec.structs.replace(model.manifest, variants={model.variant: entry})
    return dataclasses.replace(model, data=data, sha256=sha256, manifest=manifest)


def flown_with(bundle, folder, **changes):
    target = SimTarget(scenario("slow-relay", **changes), folder)
    target.start()
    target.advance(45.0)
    target.world.ground.upload("model", FORMAT_VERSION, bundle)
    target.advance(target.scenario.duration_s)
    target.finish()
    return target


def reasons(target):
    return [event.args["reason"] for event in events(target, "MODEL_REFUSED")]


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    return flown_with(signed(INT8), tmp_path_factory.mktemp("taken"))


def test_a_signed_model_is_staged_tried_and_flies(taken):
    assert [event.args["slot"] for event in events(taken, "MODEL_STAGED")] == ["a"]
    (active,) = events(taken, "MODEL_ACTIVATED")
    assert "int8" in active.args["model"]
    assert reasons(taken) == []
    assert events(taken, "INFERENCE_FAILED") == []
    assert_nothing_lost_or_doubled(taken)


def test_masks_say_which_model_made_them(taken):
    made = set()
    for path in taken.world.archive._folder.rglob("*.msk"):
        made.add(decode_mask(path.read_bytes()).model_id)
    fp32, int8 = (bytes.fromhex(each.sha256)[:8] for each in (FP32, INT8))
    assert int8 in made
    assert made <= {fp32, int8}


def unknown_operator(graph):
    graph.node[3].op_type = "NoSuchOperator"


def not_a_number(graph):
    for tensor in graph.initializer:
        if tensor.name == "head_b":
            tensor.raw_data = np.full(1, np.nan, np.float32).tobytes()


def other_input(graph):
    graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE


def wrong_hash():
    other = dataclasses.replace(INT8, data=INT8.data[:-1] + b"\1")
    return bundle_of(other)


def strange_bands():
    given = msgspec.structs.replace(INT8.manifest.input, bands=("B2", "B99"))
    manifest = msgspec.structs.replace(INT8.manifest, input=given)
    return signed(dataclasses.replace(INT8, manifest=manifest))


CAUSES = {
    "wrong hash": (wrong_hash, "SHA-256 expected"),
    "not signed": (lambda: bundle_of(INT8), "not signed by this node's ground"),
    "signed by another": (lambda: signed(INT8, bytes(32)), "not signed by this node's ground"),
    "wrong inputs": (strange_bands, "input.bands: B99"),
    "wrong input type": (lambda: signed(changed(FP32, other_input)), "does not load"),
    "unsupported operator": (lambda: signed(changed(FP32, unknown_operator)), "NoSuchOperator"),
    "no numbers": (lambda: signed(changed(FP32, not_a_number)), "golden tile"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_model_that_cannot_be_trusted_is_refused_with_the_reason_and_the_old_one_flies(
    cause, tmp_path
):
    make, reason = CAUSES[cause]
    target = flown_with(make(), tmp_path)
    assert reasons(target)
    assert reason in reasons(target)[0]
    assert events(target, "MODEL_ACTIVATED") == []
    assert events(target, "INFERENCE_FAILED") == []
    assert target.world.executions.executed + target.world.executions.memoised > 40
    assert_nothing_lost_or_doubled(target)


def test_a_provider_that_silently_fell_back_is_a_refusal(tmp_path, monkeypatch):
    # The one provider of every build that takes a session and runs no node of it.
    monkeypatch.setitem(PROVIDERS, "cpu", ("AzureExecutionProvider", "CPUExecutionProvider"))
    target = flown_with(signed(INT8), tmp_path)
    assert "fell back: " in reasons(target)[0]
    assert "CPUExecutionProvider" in reasons(target)[0]
    assert events(target, "MODEL_ACTIVATED") == []


def test_a_model_that_fails_in_flight_gives_way_to_the_former_one(tmp_path):
    class Broken:
        def screen(self, job):
            raise ModelError("the accelerator hangs")

    target = SimTarget(scenario("slow-relay"), tmp_path)
    target.start()
    target.advance(45.0)
    target.world.ground.upload("model", FORMAT_VERSION, signed(INT8))
    target.advance(120.0)
    assert events(target, "MODEL_ACTIVATED")
    target.world.memory[INT8.data]._session = Broken()
    target.world.memory[INT8.data]._answers.clear()
    target.advance(target.scenario.duration_s)
    target.finish()
    (back,) = events(target, "MODEL_ROLLED_BACK")
    assert "3 failures in a row" in back.args["cause"]
    assert "fp32" in back.args["new"]
    assert len(events(target, "INFERENCE_FAILED")) == 3
    assert target.world.executions.executed > 0


def test_the_model_that_flies_and_one_that_waits_survive_a_power_cut(tmp_path):
    cut = {"at_s": 150.0, "action": "reset"}
    target = flown_with(signed(INT8), tmp_path, timeline=[cut])
    assert len(events(target, "BOOTED")) == 2
    last = events(target, "BOOTED")[-1].t_s
    ids = [decode_mask(path.read_bytes()) for path in target.world.archive._folder.rglob("*.msk")]
    latest = max(ids, key=lambda mask: mask.tile_id)
    assert latest.model_id == bytes.fromhex(INT8.sha256)[:8]
    assert last > 150.0
    assert_nothing_lost_or_doubled(target)
