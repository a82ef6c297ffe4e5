"""The training recipe: every number that shapes the shipped network, in one frozen value.

It is written into the manifest beside the network, so that a model can be made again from what
travels with it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters of one training run. Ratios are dimensionless, reflectance is 0..1."""

    seed: int = 1
    """Root of the two random streams (initial weights, augmentation)."""
    iterations: int = 600
    """Optimiser steps; about 0.05 s each on one desktop core."""
    batch: int = 8
    """Crops a step, drawn from the scenes in turn."""
    crop_px: int = 64
    """Side of the square crops; a multiple of the network's 4-pixel grid."""
    learning_rate: float = 3e-3
    """Peak of the cosine schedule (Adam)."""
    warmup: int = 50
    """Steps of linear warm-up."""
    image_gain: float = 0.15
    """All bands of a crop are scaled by one factor exp(U(-g, g)): sun height, sensor gain."""
    band_gain: float = 0.03
    """Each band is scaled by its own factor exp(U(-g, g)): different spectral responses."""
    offset: float = 0.0
    """All bands of a crop are shifted by U(-o, o): path radiance. None: thin cloud over
    dark water is brighter than the water by about as little."""
    noise: float = 0.0
    """Standard deviation of white noise. None beyond the scenes' own."""
    zoom_max: float = 2.0
    """Crops are magnified by up to this factor: Sentinel-2 resolves 10 m, Landsat 30 m."""
    land_chance: float = 0.7
    """Share of crops whose ground is given another colour under the same cloud. Between the two
    tiles, three seeds each way, this took the IoU from 0.60 (0.40 least) to 0.70 (0.67 least): much
    better from grass to soil, somewhat worse from soil to grass."""
    land_gain: tuple[float, ...] = (0.1, 0.15, 0.3, 0.5, 0.9, 1.1)
    """How far, by band, as in exp(U(-g, g)): path radiance leaves blue alike everywhere, while
    soil, grass and water differ several times over in the short-wave infrared."""
    land_shared: float = 0.6
    """Share of that change common to all bands (soil against vegetation, so near infrared goes
    the other way at half the size); the rest is drawn for each band alone."""
    dice_weight: float = 1.0
    """Weight of the soft Dice term beside binary cross-entropy."""
    average_decay: float = 0.99
    """Decay of the exponential moving average of the weights that is exported."""
    threshold: float = 0.5
    """Cloud probability at and above which a pixel counts as cloud."""
