"""Range restriction: every ReLU of a deployed network gets a ceiling (Ranger, arXiv 2003.13874).

A flipped exponent bit makes an activation of 1e30 out of one of 3; clipped at what the training
data ever reached, it does a bounded harm. What is clipped is never reached by a sound network on
such data, so the answers stay the same to the bit, and the clip costs nothing: the runtime fuses
it with the convolution as it did the ReLU.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from hil.training.augment import crop_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from hil.training.augment import Scene
    from hil.training.recipe import Recipe

MARGIN = 1.1
"""Above the largest value seen: other scenes are a little brighter."""
RANGE_CROPS = 256


def range_crops(scenes: Sequence[Scene], recipe: Recipe) -> npt.NDArray[np.float32]:
    """Return what the ranges are measured on: augmented crops as in training, (N, 6, c, c)."""
    drawn = dataclasses.replace(recipe, batch=RANGE_CROPS)
    return crop_batch(scenes, drawn, np.random.default_rng([recipe.seed, 0x52_41_4E]))[0]


def measured_ceilings(model: bytes, inputs: Iterable[npt.NDArray[np.float32]]) -> dict[str, float]:
    """Return the largest value of every ReLU over ``inputs`` (each (N, 6, h, w)), by its name."""
    graph = onnx.load_model_from_string(model)
    names = [node.output[0] for node in graph.graph.node if node.op_type == "Relu"]
    given = graph.graph.input[0].name
    for name in names:
        graph.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = dict.fromkeys(names, 0.0)
    for batch in inputs:
        for name, values in zip(names, session.run(names, {given: batch}), strict=True):
            found[name] = max(found[name], float(values.max()))
    return found


def clipped(model: bytes, ceilings: Mapping[str, float]) -> bytes:
    """Return the network with each named ReLU as a clip to 0..ceiling."""
    made = onnx.load_model_from_string(model)
    graph = made.graph
    zero = "relu_floor"
    graph.initializer.append(numpy_helper.from_array(np.array(0.0, dtype=np.float32), zero))
    for node in graph.node:
        if node.op_type != "Relu" or node.output[0] not in ceilings:
            continue
        name = node.output[0]
        bound = np.array(ceilings[name], dtype=np.float32)
        graph.initializer.append(numpy_helper.from_array(bound, f"{name}_ceiling"))
        node.op_type = "Clip"
        node.name = f"{name}_Clip"
        node.input.extend([zero, f"{name}_ceiling"])
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString(deterministic=True))


def clip_file(path: Path, scenes: Sequence[Scene], recipe: Recipe) -> dict[str, Any]:
    """Clip a network in place by the ranges of ``scenes``; return the ceilings for its manifest."""
    model = path.read_bytes()
    crops = range_crops(scenes, recipe)
    whole = [scene.reflectance[None] for scene in scenes]
    batches = [*whole, *(crops[n : n + 16] for n in range(0, len(crops), 16))]
    seen = measured_ceilings(model, batches)
    ceilings = {name: float(np.float32(MARGIN * value)) for name, value in seen.items()}
    path.write_bytes(clipped(model, ceilings))
    return {"margin": MARGIN, "crops": len(crops), "ceilings": ceilings}
