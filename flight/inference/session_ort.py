"""ONNX Runtime session: the only file of the flight software that imports onnxruntime.

Loaded by the inference worker process, by the ``models`` command and, injected, by the bench.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from flight.inference.job import BANDS, REFLECTANCE_SCALE
from flight.inference.model_manifest import PLANES, InputLayout, ModelError
from flight.inference.network_interface import NetworkInterface
from flight.inference.onnx_weights import OnnxError, require_whole, without_defaults
from flight.inference.provider_placement import placement_fault

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

    import numpy as np
    import numpy.typing as npt

    from flight.inference.weight_bank import WeightBank

CPU_PROVIDERS = ("CPUExecutionProvider",)
PROVIDERS = {
    "cpu": CPU_PROVIDERS,
    "cuda": ("CUDAExecutionProvider", *CPU_PROVIDERS),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", *CPU_PROVIDERS),
}
"""By the name a configuration gives them: the first must run, the others take what it cannot."""
AUTO = "auto"
PREFERENCE = ("tensorrt", "cuda", "cpu")
"""The order in which `AUTO` looks for one that this runtime has."""
EXTENDED = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
AS_IT_IS = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
NOT_LAID_OUT = ("NhwcTransformer",)
"""Integer convolutions with channels last are fast from weights packed ahead alone: without such
copies they were measured to cost a tenth more than the plain ones, which cost no more with them."""
_NUMBERS = re.compile(r"tensor\((bool|u?int\d+|float\d*|double)\)")
"""Types of an output that can be read; classifiers may answer with maps or words instead."""
_REASON_CHARS_MAX = 200
CLOUD_INPUT = InputLayout(PLANES, BANDS, REFLECTANCE_SCALE, 1)


class OrtSession:
    """One network ready to run, from verified bytes, one thread unless told otherwise.

    Spinning is off: at a 10 % duty cycle idle spinning costs four times the useful work.
    Optimisation is EXTENDED and not ALL: ALL re-lays weights out for the machine's instruction set,
    and the weights in use are then no longer those of ``bank``. `laid_out` does that beforehand.
    """

    def __init__(
        self,
        model_bytes: bytes,
        *,
        threads: int = 1,
        providers: Sequence[str] = CPU_PROVIDERS,
        interface: NetworkInterface | None = None,
        bank: WeightBank | None = None,
    ) -> None:
        """Build the session; raises ``ModelError`` if the network or a provider does not load.

        ``interface`` says how the network is fed, as the cloud network is if left out; ``bank``
        holds the memory from which the runtime shall take its weights, those of a network that
        came from `laid_out`, so that nothing is left to be optimised.
        """
        _require(providers[0])
        self._interface = NetworkInterface(CLOUD_INPUT) if interface is None else interface
        done = bank is not None and tuple(providers) == CPU_PROVIDERS
        options = _options(threads, AS_IT_IS if done else EXTENDED)
        self._values = _lend(options, bank)
        _require_whole(model_bytes)
        try:
            self._session = ort.InferenceSession(
                model_bytes, sess_options=options, providers=list(providers)
            )
        except Exception as error:  # onnxruntime raises bare types of its own binding
            raise ModelError(f"network does not load: {_one_line(error)}") from error
        # A provider that fails must be a fault, not a silent retry on the CPU.
        self._session.disable_fallback()
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())
        if not self.providers or self.providers[0] != providers[0]:
            raise ModelError(f"provider {providers[0]} wanted, running on {self.providers}")
        self.placed = _placement(self._session)
        fault = placement_fault(providers, self.placed)
        if fault:
            raise ModelError(f"provider {fault}")
        self._input, self._output = self._ends()

    def run(self, pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """Return the cloud probability (H, W) float32 of ``pixels`` (H, W, bands) uint16.

        H and W must be multiples of the manifest's ``multiple_px``. Raises ``ModelError``.
        """
        fed = self._interface.feed(pixels)
        try:
            (output,) = self._session.run([self._output], {self._input: fed})
        except Exception as error:
            raise ModelError(f"inference failed: {_one_line(error)}") from error
        return self._interface.read(output, (pixels.shape[0], pixels.shape[1]))

    def _ends(self) -> tuple[str, str]:
        """Names of the one input and of the output wanted; raises ``ModelError``."""
        inputs = [(each.name, each.type) for each in self._session.get_inputs()]
        outputs = {each.name: each.type for each in self._session.get_outputs()}
        if len(inputs) != 1 or inputs[0][1] != "tensor(float)":
            found = ", ".join(f"{name}: {kind}" for name, kind in inputs)
            raise ModelError(f"network wants {found or 'nothing'}, allowed: one tensor(float)")
        wanted = self._interface.taken.name or next(iter(outputs))
        if wanted not in outputs:
            raise ModelError(f"network has no output {wanted!r} ({', '.join(outputs)})")
        if not _NUMBERS.fullmatch(outputs[wanted]):
            raise ModelError(
                f"network answers {wanted}: {outputs[wanted]}, allowed: a tensor of numbers"
            )
        return inputs[0][0], wanted


def laid_out(model_bytes: bytes, *, threads: int, providers: Sequence[str]) -> bytes:
    """Return the network as this runtime lays it out for this machine; raises ``ModelError``.

    On a CPU that is every optimisation done and weights in the blocks that its instruction set
    likes, written as ONNX: the session that runs it has nothing left to change, so it is as fast as
    it can be and still takes its weights from memory that can be looked over. Elsewhere weights
    move to the accelerator, and the network is returned as it is.
    """
    _require(providers[0])
    if tuple(providers) != CPU_PROVIDERS:
        return model_bytes
    _require_whole(model_bytes)
    try:
        model_bytes = without_defaults(model_bytes)
    except OnnxError as error:
        raise ModelError(f"network does not load: {error}") from error
    options = _options(threads, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    fd = os.memfd_create("lumenode-laid-out")
    try:
        options.optimized_model_filepath = f"/proc/self/fd/{fd}"
        ort.InferenceSession(
            model_bytes,
            sess_options=options,
            providers=list(providers),
            disabled_optimizers=list(NOT_LAID_OUT),
        )
        with open(fd, "rb", closefd=False) as file:
            file.seek(0)
            return file.read()
    except Exception as error:  # onnxruntime raises bare types of its own binding
        raise ModelError(f"network does not load: {_one_line(error)}") from error
    finally:
        os.close(fd)


def _require_whole(model_bytes: bytes) -> None:
    try:
        require_whole(model_bytes)
    except OnnxError as error:
        raise ModelError(f"network does not load: {error}") from error


def _require(provider: str) -> None:
    built_in = ort.get_available_providers()
    if provider not in built_in:
        known = ", ".join(built_in)
        raise ModelError(f"provider {provider} is not in this ONNX Runtime ({known})")


def _options(threads: int, level: ort.GraphOptimizationLevel) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return options


def _lend(options: ort.SessionOptions, bank: WeightBank | None) -> list[ort.OrtValue]:
    """Give the runtime the bank's memory; what is returned has to live as long as the session.

    Packing weights ahead for the machine's kernels makes copies that nobody could look over.
    """
    if bank is None:
        return []
    options.add_session_config_entry("session.disable_prepacking", "1")
    values = []
    for name, array in bank.arrays.items():
        value = ort.OrtValue.ortvalue_from_numpy(array)
        options.add_initializer(name, value)
        values.append(value)
    return values


def _placement(session: ort.InferenceSession) -> tuple[tuple[str, str], ...]:
    """(provider, operator) of each node; empty where this runtime cannot tell."""
    try:
        placed = session.get_provider_graph_assignment_info()
    except (AttributeError, RuntimeError):
        return ()  # before 1.24
    return tuple((part.ep_name, node.op_type) for part in placed for node in part.get_nodes())


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words[:_REASON_CHARS_MAX] if words else type(error).__name__


def runtime_providers() -> tuple[str, tuple[str, ...]]:
    """Return the runtime's version and the execution providers built into it."""
    return str(ort.__version__), tuple(ort.get_available_providers())


def provider_at_hand(name: str) -> str:
    """Return the configured name, or for `AUTO` the best one that this runtime has."""
    built_in = ort.get_available_providers()
    if name != AUTO:
        return name
    return next(each for each in PREFERENCE if PROVIDERS[each][0] in built_in)
