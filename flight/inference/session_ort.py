"""ONNX Runtime session: the only file of the flight software that imports onnxruntime.

Loaded by the inference worker process, by the ``models`` command and, injected, by the bench.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.job import BANDS, REFLECTANCE_SCALE
from flight.inference.model_registry import ModelError

# From 1.29 on the official builds for Linux report each session to their maker, with the model's
# name and hash, unless told before they are loaded. A node reports to its own ground alone.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

try:
    import onnxruntime as ort
except ImportError as error:
    raise ModelError(
        "ONNX Runtime is not installed: pip install 'lumenode[cpu]' "
        "(on a Jetson: the vendor's own onnxruntime build)"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

CPU_PROVIDERS = ("CPUExecutionProvider",)
PROVIDERS = {
    "cpu": CPU_PROVIDERS,
    "cuda": ("CUDAExecutionProvider", *CPU_PROVIDERS),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", *CPU_PROVIDERS),
}
"""By the name a configuration gives them: the first must run, the others take what it cannot."""


class OrtSession:
    """One network ready to run, from verified bytes, one thread unless told otherwise.

    Spinning is off: at a 10 % duty cycle idle spinning costs four times the useful work.
    Optimisation is EXTENDED and not ALL: ALL re-lays weights out for the machine's instruction set
    for 10 % of speed, and answers then differ more between machines.
    """

    def __init__(
        self, model_bytes: bytes, *, threads: int = 1, providers: Sequence[str] = CPU_PROVIDERS
    ) -> None:
        """Build the session; raises ``ModelError`` if the network or a provider does not load."""
        built_in = ort.get_available_providers()
        if providers[0] not in built_in:
            raise ModelError(
                f"provider {providers[0]} is not in this ONNX Runtime ({', '.join(built_in)})"
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                model_bytes, sess_options=options, providers=list(providers)
            )
        except Exception as error:  # onnxruntime raises bare types of its own binding
            raise ModelError(f"network does not load: {_first_line(error)}") from error
        # A provider that fails must be a fault, not a silent retry on the CPU.
        self._session.disable_fallback()
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())
        if not self.providers or self.providers[0] != providers[0]:
            raise ModelError(f"provider {providers[0]} wanted, running on {self.providers}")
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def run(self, pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """Return the cloud probability (H, W) float32 of ``pixels`` (H, W, 6) uint16.

        H and W must be multiples of the manifest's ``multiple_px``. Raises ``ModelError``.
        """
        if pixels.ndim != 3 or pixels.shape[2] != len(BANDS):
            raise ModelError(f"tile shape {pixels.shape} is not (H, W, {len(BANDS)})")
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)
        planes *= np.float32(1.0 / REFLECTANCE_SCALE)
        try:
            (output,) = self._session.run([self._output], {self._input: planes[None]})
        except Exception as error:
            raise ModelError(f"inference failed: {_first_line(error)}") from error
        probability = np.asarray(output, dtype=np.float32)
        if probability.shape != (1, 1, *pixels.shape[:2]):
            raise ModelError(f"network answered shape {probability.shape}")
        return np.ascontiguousarray(probability[0, 0])


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def runtime_providers() -> tuple[str, tuple[str, ...]]:
    """Return the runtime's version and the execution providers built into it."""
    return str(ort.__version__), tuple(ort.get_available_providers())
