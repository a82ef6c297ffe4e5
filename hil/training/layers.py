"""The layer table of the cloud U-Net, shared by the trainer (PyTorch) and the exporter (ONNX)."""

from __future__ import annotations

from dataclasses import dataclass

BANDS = ("B2", "B3", "B4", "B8", "B11", "B12")
GRID_PX = 4
"""Two poolings by two: height and width must be multiples of this."""

SMALL_STEP_PX = 2
"""The small variant sees the mean of so many pixels a side."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution: channels in and out, kernel side in pixels, with or without BN + ReLU."""

    name: str
    inputs: int
    outputs: int
    kernel: int = 3
    normalised: bool = True


def cloud_unet(width: int = 8) -> tuple[Layer, ...]:
    """Return the layers in the order in which they run; ``width`` channels at full resolution."""
    return (
        Layer("enc1a", len(BANDS), width),
        Layer("enc1b", width, width),
        Layer("enc2a", width, 2 * width),
        Layer("enc2b", 2 * width, 2 * width),
        Layer("enc3a", 2 * width, 4 * width),
        Layer("enc3b", 4 * width, 4 * width),
        Layer("dec2a", 6 * width, 2 * width),
        Layer("dec2b", 2 * width, 2 * width),
        Layer("dec1a", 3 * width, width),
        Layer("dec1b", width, width),
        Layer("head", width, 1, kernel=1, normalised=False),
    )


def parameter_count(layers: tuple[Layer, ...]) -> int:
    """Return the number of weights and biases after batch normalisation is folded in."""
    return sum((layer.inputs * layer.kernel**2 + 1) * layer.outputs for layer in layers)
