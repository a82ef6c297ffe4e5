import msgspec
import pytest

from flight.inference.job import BANDS
from flight.inference.model_manifest import PLANES, InputLayout, OutputLayout, layout_fault
from flight.inference.model_registry import ModelRegistry

MANIFEST = ModelRegistry().manifest("cloud_unet")


def test_the_shipped_model_fits_the_shipped_camera_and_one_of_more_bands():
    assert layout_fault(MANIFEST, BANDS) == ""
    assert layout_fault(MANIFEST, ("B1", *BANDS, "B9")) == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"input": InputLayout(PLANES, ("B2", "B99"), 1, 1)}, "input.bands: B99 not in a tile"),
        ({"input": InputLayout(PLANES, (), 1, 1)}, "input.bands: none"),
        ({"input": InputLayout("NHWC", BANDS, 1, 1)}, "'NHWC'; allowed: NCHW float32, pixels"),
        ({"input": InputLayout(PLANES, BANDS, 0, 1)}, "input.scale: above 0"),
        ({"input": InputLayout(PLANES, BANDS, 1, 0)}, "multiple_px"),
        ({"input": InputLayout(PLANES, BANDS, 1, 10_000)}, "allowed: 1..256"),
        ({"output": OutputLayout(per="frame")}, "output.per = 'frame'; allowed: pixel, tile"),
        ({"output": OutputLayout(activation="tanh")}, "'tanh'; allowed: none, sigmoid, softmax"),
        ({"output": OutputLayout(channel=-1)}, "output.channel: 0 or above"),
        ({"threshold": 1.0}, "threshold: between 0 and 1"),
    ],
)
def test_what_cannot_be_fed_is_told_in_one_line_with_what_is_allowed(changes, says):
    fault = layout_fault(msgspec.structs.replace(MANIFEST, **changes), BANDS)
    assert says in fault
    assert "\n" not in fault
