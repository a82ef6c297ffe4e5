import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from flight.inference.accuracy import accuracy_of
from flight.inference.integrity import (
    golden_passes,
    golden_tile,
    judge_output,
)
from flight.inference.job import Plausibility
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import ModelRegistry
from flight.inference.session_ort import (
    PROVIDERS,
    OrtSession,
    laid_out,
    provider_at_hand,
    runtime_providers,
)
from flight.inference.tile_pixels import pixels_of
from flight.inference.weight_bank import WeightBank
from hil.imagery import synthetic_tiles
from hil.synthetic_scene import synthetic_labelled_tiles


@pytest.fixture(scope="module")
def models():
    return {v: ModelRegistry().load("cloud_unet", v) for v in ("fp32", "int8")}


@pytest.fixture(scope="module")
def sessions(models):
    return {v: OrtSession(m.data) for v, m in models.items()}


def test_the_runtime_reports_to_nobody_and_keeps_no_number_of_this_machine(tmp_path):
    # Reporting, it would make a number for the machine first, and complain that it cannot keep it.
    said_by_others = {"CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"}
    env = {name: value for name, value in os.environ.items() if name not in said_by_others}
    (tmp_path / "home").touch()
    env |= {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": "", "XDG_DATA_HOME": ""}
    shown = (
        "import os, flight.inference.session_ort as s; s.runtime_providers(); "
        "print(os.environ.get('ORT_DISABLE_TELEMETRY'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", shown], env=env, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_the_golden_tile_gets_the_answer_in_the_manifest(models, sessions, variant):
    golden = models[variant].manifest.variants[variant].golden
    assert golden_passes(golden, sessions[variant].run(golden_tile(golden.side_px)))


def test_int8_and_fp32_agree_on_synthetic_tiles(sessions):
    masks = {"fp32": [], "int8": []}
    for tile in synthetic_tiles(seed=5, n=4, size=128):
        for variant, session in sessions.items():
            probability = session.run(pixels_of(tile))
            assert judge_output(probability, (128, 128)) is Plausibility.PLAUSIBLE
            masks[variant].append(probability >= 0.5)
    agreement = accuracy_of(np.concatenate(masks["int8"]), np.concatenate(masks["fp32"]))
    assert agreement.iou > 0.97


def test_the_network_finds_the_clouds_of_synthetic_tiles(sessions):
    found, truth = [], []
    for tile, cloud in synthetic_labelled_tiles(seed=6, n=4, size=128):
        found.append(sessions["fp32"].run(pixels_of(tile)) >= 0.5)
        truth.append(cloud)
    assert accuracy_of(np.concatenate(found), np.concatenate(truth)).iou > 0.6


def test_answers_are_the_same_bytes_every_time(models, sessions):
    tile = synthetic_tiles(seed=1, n=1, size=64)[0]
    first = sessions["int8"].run(pixels_of(tile)).tobytes()
    again = OrtSession(models["int8"].data)
    assert all(again.run(pixels_of(tile)).tobytes() == first for _ in range(3))


def test_any_multiple_of_four_is_taken(sessions):
    for shape in ((4, 4), (32, 100), (512, 8)):
        pixels = np.full((*shape, 6), 1200, np.uint16)
        assert sessions["fp32"].run(pixels).shape == shape


def test_runs_on_the_provider_that_was_asked_for(models, sessions):
    assert sessions["fp32"].providers == ("CPUExecutionProvider",)
    with pytest.raises(ModelError, match="NoSuchProvider"):
        OrtSession(models["fp32"].data, providers=["NoSuchProvider"])


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_a_provider_that_was_asked_for_runs_or_is_named_as_missing(models, name):
    if PROVIDERS[name][0] in runtime_providers()[1]:
        assert (
            OrtSession(models["fp32"].data, providers=PROVIDERS[name]).providers[0]
            == (PROVIDERS[name][0])
        )
    else:
        with pytest.raises(ModelError, match=f"{PROVIDERS[name][0]} is not in this ONNX Runtime"):
            OrtSession(models["fp32"].data, providers=PROVIDERS[name])


@pytest.mark.parametrize("data", [b"", b"not a network", bytes(1000)])
def test_bytes_that_are_no_network_raise_the_named_error(data):
    with pytest.raises(ModelError, match="does not load"):
        OrtSession(data)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 5), (0, 8, 6)])
def test_a_tile_of_the_wrong_shape_raises_the_named_error(sessions, shape):
    with pytest.raises(ModelError):
        sessions["fp32"].run(np.zeros(shape, np.uint16))


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_a_network_laid_out_beforehand_runs_from_weights_that_can_be_looked_over(models, variant):
    network = laid_out(models[variant].data, threads=1, providers=PROVIDERS["cpu"])
    bank = WeightBank(network)
    session = OrtSession(network, bank=bank)
    tile = golden_tile(64)
    answer = session.run(tile)
    golden = models[variant].manifest.variants[variant].golden
    assert golden_passes(golden, session.run(golden_tile(golden.side_px)))
    # Every array that holds a convolution's weights is the one in use, to the last of them.
    arrays = [array for array in bank.arrays.values() if array.nbytes > 64]
    assert len(arrays) >= 11
    for array in arrays:
        octets = array.reshape(-1).view(np.uint8)
        before = octets.copy()
        octets[:] = 0
        assert not np.array_equal(session.run(tile), answer)
        octets[:] = before
    assert np.array_equal(session.run(tile), answer)


def test_integer_convolutions_are_laid_out_with_channels_first(models):
    # With channels last each would turn its input, and pack its weights anew in every run.
    network = laid_out(models["int8"].data, threads=1, providers=PROVIDERS["cpu"])
    assert b"QLinearConv" in network
    assert b"Transpose" not in network


def test_a_network_with_a_part_in_another_file_is_refused_though_the_file_is_there(
    models, tmp_path, monkeypatch
):
    # The digest is over the network alone; the runtime would read whatever lies there.
    model = onnx.load_model_from_string(models["fp32"].data)
    (weights,) = [each for each in model.graph.initializer if each.name == "enc1a_w"]
    (tmp_path / "weights.bin").write_bytes(onnx.numpy_helper.to_array(weights).tobytes())
    onnx.external_data_helper.set_external_data(weights, "weights.bin")
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    data = model.SerializeToString()
    monkeypatch.chdir(tmp_path)
    ort.InferenceSession(data, providers=list(PROVIDERS["cpu"]))
    with pytest.raises(ModelError, match="lies in another file"):
        OrtSession(data)
    with pytest.raises(ModelError, match="lies in another file"):
        laid_out(data, threads=1, providers=PROVIDERS["cpu"])


def answering(operator, kind, **attributes):
    node = onnx.helper.make_node(operator, ["x"], ["y"], **attributes)
    given = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 6, "h", "w"])
    graph = onnx.helper.make_graph([node], "odd", [given], [kind])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 15)])
    model.ir_version = 8
    return model.SerializeToString()


def test_a_network_that_answers_with_no_numbers_is_refused_when_it_is_built():
    words = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.STRING, None)
    lists = onnx.helper.make_tensor_sequence_value_info("y", onnx.TensorProto.FLOAT, None)
    for data, found in (
        (answering("Cast", words, to=onnx.TensorProto.STRING), r"tensor\(string\)"),
        (answering("SequenceConstruct", lists), r"seq\(tensor\(float\)\)"),
    ):
        with pytest.raises(ModelError, match=f"answers y: {found}, allowed: a tensor of numbers"):
            OrtSession(data)


@pytest.mark.parametrize("to", ["FLOAT", "FLOAT16", "DOUBLE", "UINT8", "INT64", "BOOL"])
def test_a_network_may_answer_with_numbers_of_any_kind(to):
    kind = getattr(onnx.TensorProto, to)
    value = onnx.helper.make_tensor_value_info("y", kind, [1, 6, "h", "w"])
    OrtSession(answering("Cast", value, to=kind))


def test_what_cannot_be_laid_out_is_refused_with_the_reason():
    with pytest.raises(ModelError, match="does not load"):
        laid_out(b"no network", threads=1, providers=PROVIDERS["cpu"])
    with pytest.raises(ModelError, match="NoSuchProvider is not in this ONNX Runtime"):
        laid_out(b"", threads=1, providers=["NoSuchProvider"])


@pytest.mark.parametrize(
    ("built_in", "chosen"),
    [
        (("CPUExecutionProvider",), "cpu"),
        (("CPUExecutionProvider", "CUDAExecutionProvider"), "cuda"),
        (
            ("CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"),
            "tensorrt",
        ),
    ],
)
def test_left_to_itself_it_takes_the_best_provider_of_this_runtime(monkeypatch, built_in, chosen):
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: list(built_in))
    assert provider_at_hand("auto") == chosen
    assert provider_at_hand("cpu") == "cpu"
