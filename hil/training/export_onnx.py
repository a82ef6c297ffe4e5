"""Weights to ONNX: batch normalisation folded in, band normalisation inside the graph, int8 QDQ.

The graph is written node by node and not traced, so that its bytes depend on the weights alone.
Opset 17 and IR 8 load in every ONNX Runtime since 1.13; dynamic batch, height and width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hil.training.layers import BANDS, SMALL_STEP_PX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from hil.training.layers import Layer

OPSET, IR_VERSION = 17, 8
BN_EPSILON = 1e-5


def folded(
    weights: Mapping[str, npt.NDArray[np.float32]], layer: Layer
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return (weight, bias) of one layer with its batch normalisation folded in (float64 maths)."""
    weight = weights[f"{layer.name}.weight"].astype(np.float64)
    if not layer.normalised:
        return weight.astype(np.float32), weights[f"{layer.name}.bias"].astype(np.float32)
    gain = weights[f"{layer.name}.gamma"] / np.sqrt(
        weights[f"{layer.name}.var"].astype(np.float64) + BN_EPSILON
    )
    bias = weights[f"{layer.name}.beta"] - weights[f"{layer.name}.mean"] * gain
    return (weight * gain[:, None, None, None]).astype(np.float32), bias.astype(np.float32)


class GraphWriter:
    """Collects nodes and initialisers; every method returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initialisers: list[Any] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add an initialiser."""
        self.initialisers.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, name: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add one node of one output, which carries the node's name."""
        made = helper.make_node(kind, list(inputs), [name], name=f"{name}_{kind}", **attributes)
        self.nodes.append(made)
        return name

    def convolution(self, weights: Mapping[str, Any], layer: Layer, source: str) -> str:
        """Add one layer of the table: convolution with folded normalisation, ReLU unless head."""
        weight, bias = folded(weights, layer)
        inputs = [
            source,
            self.constant(f"{layer.name}_w", weight),
            self.constant(f"{layer.name}_b", bias),
        ]
        side = layer.kernel // 2
        name = f"{layer.name}_conv" if layer.normalised else layer.name
        attributes: dict[str, Any] = {"kernel_shape": [layer.kernel] * 2, "pads": [side] * 4}
        out = self.node("Conv", name, inputs, **attributes)
        return self.node("Relu", layer.name, [out]) if layer.normalised else out

    def pool(self, name: str, source: str) -> str:
        """Add a maximum over 2 x 2 pixels."""
        return self.node("MaxPool", name, [source], kernel_shape=[2, 2], strides=[2, 2])

    def up_and_join(self, name: str, coarse: str, fine: str) -> str:
        """Double ``coarse`` by nearest neighbour and put it before ``fine`` along channels."""
        up = self.node(
            "Resize",
            f"{name}_up",
            [coarse, "", "up_scales"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        return self.node("Concat", f"{name}_join", [up, fine], axis=1)


def write_fp32(
    weights: Mapping[str, npt.NDArray[np.float32]], layers: tuple[Layer, ...], path: Path
) -> None:
    """Write the float32 network: reflectance 0..1 in, cloud probability out."""
    graph = GraphWriter()
    table = {layer.name: layer for layer in layers}

    def run(name: str, source: str) -> str:
        return graph.convolution(weights, table[name], source)

    graph.constant("up_scales", np.array([1, 1, 2, 2], dtype=np.float32))
    low = graph.constant("floor", np.array(0.0, dtype=np.float32))
    high = graph.constant("ceiling", np.array(1.0, dtype=np.float32))
    shift = graph.constant("band_mean", weights["input.mean"].reshape(1, -1, 1, 1))
    scale = graph.constant("band_gain", (1.0 / weights["input.std"]).reshape(1, -1, 1, 1))
    clipped = graph.node("Clip", "clipped", ["reflectance", low, high])
    centred = graph.node("Sub", "centred", [clipped, shift])
    fine = run("enc1b", run("enc1a", graph.node("Mul", "normalised", [centred, scale])))
    middle = run("enc2b", run("enc2a", graph.pool("pool1", fine)))
    coarse = run("enc3b", run("enc3a", graph.pool("pool2", middle)))
    middle = run("dec2b", run("dec2a", graph.up_and_join("dec2", coarse, middle)))
    fine = run("dec1b", run("dec1a", graph.up_and_join("dec1", middle, fine)))
    graph.node("Sigmoid", "cloud_probability", [run("head", fine)])
    _save(graph, path)


def _save(graph: GraphWriter, path: Path) -> None:
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", planes, "h", "w"])
        for name, planes in (("reflectance", len(BANDS)), ("cloud_probability", 1))
    ]
    made = helper.make_graph(
        graph.nodes, "cloud_unet", tensors[:1], tensors[1:], graph.initialisers
    )
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="lumenode"
    )
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def write_small(fp32: Path, path: Path) -> None:
    """Write the network at half resolution: a quarter of the work, enough to see a cloudy tile.

    The input is averaged over 2 x 2 pixels and the answer laid out again, each pixel four times.
    """
    model = onnx.load(str(fp32))
    graph = model.graph
    given, taken = graph.input[0].name, graph.output[0].name
    step = [SMALL_STEP_PX] * 2
    pool = helper.make_node(
        "AveragePool", [given], ["averaged"], name="averaged_AveragePool",
        kernel_shape=step, strides=step,
    )  # fmt: skip
    for node in graph.node:
        node.input[:] = ["averaged" if name == given else name for name in node.input]
        node.output[:] = ["half" if name == taken else name for name in node.output]
    up = helper.make_node(
        "Resize", ["half", "", "up_scales"], [taken], name=f"{taken}_Resize", mode="nearest",
        coordinate_transformation_mode="asymmetric", nearest_mode="floor",
    )  # fmt: skip
    nodes = [pool, *graph.node, up]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def write_int8(
    fp32: Path, path: Path, crops: Sequence[npt.NDArray[np.float32]], keep_float: Sequence[str] = ()
) -> None:
    """Quantise to static int8 QDQ: per channel, signed 8-bit weights and activations, MinMax.

    Signed-signed is the form that neither saturates on x86 without VNNI nor slows ARM down.
    ``crops`` are calibration inputs (6, h, w); ``keep_float`` names nodes left in float32.
    """
    from onnxruntime import quantization as q  # noqa: PLC0415  (heavy, training only)

    class Reader(q.CalibrationDataReader):  # type: ignore[misc,unused-ignore]  # untyped base
        def __init__(self) -> None:
            self._left: Iterator[dict[str, Any]] = iter([{"reflectance": c[None]} for c in crops])

        def get_next(self) -> dict[str, Any] | None:
            return next(self._left, None)

    q.quantize_static(
        str(fp32),
        str(path),
        Reader(),
        quant_format=q.QuantFormat.QDQ,
        per_channel=True,
        activation_type=q.QuantType.QInt8,
        weight_type=q.QuantType.QInt8,
        calibrate_method=q.CalibrationMethod.MinMax,
        nodes_to_exclude=list(keep_float),
    )
    model = onnx.load(str(path))
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
