"""The loop that somebody writes around ONNX Runtime in five minutes."""

import onnxruntime as ort

from flight.inference.network_interface import interface_of
from flight.inference.screening import screen
from flight.inference.tile_pixels import pixels_of


class BareLoop:
    """The runtime's own settings, no guard, no second process; the same work."""

    def __init__(self, model, threads=1, *, spinning=None):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        if spinning is not None:
            options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
        self.session = ort.InferenceSession(
            model.data, options, providers=["CPUExecutionProvider"]
        )  # fmt: skip
        self.input = self.session.get_inputs()[0].name
        self.output = self.session.get_outputs()[0].name
        self.interface = interface_of(model.manifest)

    def network(self, pixels):
        """Feed and run alone."""
        (output,) = self.session.run([self.output], {self.input: self.interface.feed(pixels)})
        return output

    def frame(self, job):
        """From the tile's octets to its products."""
        pixels = pixels_of(job.tile)
        answer = self.interface.read(self.network(pixels), pixels.shape[:2])
        return screen(pixels, answer, job.threshold, job.quicklook_cloud_permille_max)
