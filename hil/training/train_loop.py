"""The optimiser loop: scenes and a recipe in, averaged float32 weights (numpy) out.

One thread and two seeded streams, so that the same recipe gives the same weights on one machine.
Single-threaded on purpose: two threads on a shared machine were measured several times slower.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as nnf

from hil.training.augment import crop_batch
from hil.training.unet import forward, initial_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from hil.training.augment import Scene
    from hil.training.layers import Layer
    from hil.training.recipe import Recipe

Weights = dict[str, "npt.NDArray[np.float32]"]


def band_statistics(
    scenes: Sequence[Scene],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return mean and standard deviation of each band over the training scenes, shape (6,)."""
    pixels = np.concatenate(
        [np.clip(s.reflectance, 0.0, 1.0).reshape(len(s.reflectance), -1) for s in scenes], axis=1
    )
    mean, std = pixels.mean(axis=1, dtype=np.float64), pixels.std(axis=1, dtype=np.float64)
    return mean.astype(np.float32), std.astype(np.float32)


def train(
    scenes: Sequence[Scene],
    layers: tuple[Layer, ...],
    recipe: Recipe,
    told: Callable[[int, float], None] = lambda _step, _loss: None,
) -> Weights:
    """Train from scratch; return the weights by name plus ``input.mean`` and ``input.std``.

    ``told(step, loss)`` is called every 100 steps.
    """
    torch.set_num_threads(1)
    mean, std = band_statistics(scenes)
    state = initial_state(layers, recipe.seed)
    trained = [tensor for tensor in state.values() if tensor.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=recipe.learning_rate)
    rng = np.random.default_rng([recipe.seed, 0x41_55_47])  # the augmentation stream
    average = {name: tensor.detach().clone() for name, tensor in state.items()}
    shift, scale = torch.from_numpy(mean)[:, None, None], torch.from_numpy(std)[:, None, None]
    for step in range(recipe.iterations):
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * schedule(step, recipe)
        inputs, targets = crop_batch(scenes, recipe, rng)
        normalised = (torch.from_numpy(inputs) - shift) / scale
        loss = loss_of(
            forward(state, layers, normalised, training=True), torch.from_numpy(targets), recipe
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        follow(average, state, min(recipe.average_decay, (1 + step) / (10 + step)))
        if step % 100 == 0:
            told(step, float(loss.detach()))
    weights: Weights = {name: tensor.numpy().copy() for name, tensor in average.items()}
    return {**weights, "input.mean": mean, "input.std": std}


def schedule(step: int, recipe: Recipe) -> float:
    """Return the learning-rate factor at ``step``: linear warm-up, then half a cosine to 0."""
    rise = min(1.0, (step + 1) / max(1, recipe.warmup))
    return rise * 0.5 * (1.0 + math.cos(math.pi * step / recipe.iterations))


def loss_of(logits: Any, targets: Any, recipe: Recipe) -> Any:
    """Return binary cross-entropy plus weighted soft Dice loss (Milletari et al., 2016)."""
    entropy = nnf.binary_cross_entropy_with_logits(logits, targets)
    cloud = torch.sigmoid(logits)
    overlap, total = (cloud * targets).sum(), cloud.sum() + targets.sum()
    return entropy + recipe.dice_weight * (1.0 - (2.0 * overlap + 1.0) / (total + 1.0))


def follow(average: dict[str, Any], state: dict[str, Any], decay: float) -> None:
    """Move the running average a step towards the current weights, in place."""
    with torch.no_grad():
        for name, tensor in state.items():
            average[name].mul_(decay).add_(tensor, alpha=1.0 - decay)
