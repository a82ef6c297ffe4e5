"""The cloud U-Net in PyTorch: 3 scales, conv-BN-ReLU, nearest up-sampling, one logit a pixel.

Written with plain functions over a table of layers, so that the same table drives the exporter
and the layer order cannot differ between training and flight. Follows Ronneberger et al.,
"U-Net" (2015), cut down to about 30 thousand weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as nnf

if TYPE_CHECKING:
    from hil.training.layers import Layer

BN_EPSILON = 1e-5
BN_MOMENTUM = 0.1

State = dict[str, Any]
"""Tensors by name: ``<layer>.weight``, ``.gamma``, ``.beta``, ``.mean``, ``.var``, ``.bias``."""


def initial_state(layers: tuple[Layer, ...], seed: int) -> State:
    """Return freshly drawn weights (He normal) from ``seed`` alone."""
    stream = torch.Generator().manual_seed(seed)
    state: State = {}
    for layer in layers:
        fan_in = layer.inputs * layer.kernel**2
        shape = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        weight = torch.randn(shape, generator=stream) * (2.0 / fan_in) ** 0.5
        state[f"{layer.name}.weight"] = weight.requires_grad_()
        if layer.normalised:
            state[f"{layer.name}.gamma"] = torch.ones(layer.outputs).requires_grad_()
            state[f"{layer.name}.beta"] = torch.zeros(layer.outputs).requires_grad_()
            state[f"{layer.name}.mean"] = torch.zeros(layer.outputs)
            state[f"{layer.name}.var"] = torch.ones(layer.outputs)
        else:
            state[f"{layer.name}.bias"] = torch.zeros(layer.outputs).requires_grad_()
    return state


def apply_layer(state: State, layer: Layer, x: Any, *, training: bool) -> Any:
    """Run one convolution with its batch normalisation and ReLU, or the bare head."""
    name = layer.name
    bias = None if layer.normalised else state[f"{name}.bias"]
    y = nnf.conv2d(x, state[f"{name}.weight"], bias, padding=layer.kernel // 2)
    if not layer.normalised:
        return y
    y = nnf.batch_norm(
        y,
        state[f"{name}.mean"],
        state[f"{name}.var"],
        state[f"{name}.gamma"],
        state[f"{name}.beta"],
        training=training,
        momentum=BN_MOMENTUM,
        eps=BN_EPSILON,
    )
    return nnf.relu(y)


def forward(state: State, layers: tuple[Layer, ...], x: Any, *, training: bool) -> Any:
    """Return logits (N, 1, H, W) of normalised input (N, 6, H, W); H and W multiples of 4."""
    table = {layer.name: layer for layer in layers}

    def run(name: str, value: Any) -> Any:
        return apply_layer(state, table[name], value, training=training)

    fine = run("enc1b", run("enc1a", x))
    middle = run("enc2b", run("enc2a", nnf.max_pool2d(fine, 2)))
    coarse = run("enc3b", run("enc3a", nnf.max_pool2d(middle, 2)))
    up = nnf.interpolate(coarse, scale_factor=2.0, mode="nearest")
    middle = run("dec2b", run("dec2a", torch.cat([up, middle], dim=1)))
    up = nnf.interpolate(middle, scale_factor=2.0, mode="nearest")
    fine = run("dec1b", run("dec1a", torch.cat([up, fine], dim=1)))
    return run("head", fine)
