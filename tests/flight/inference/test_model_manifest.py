import msgspec
import pytest

from flight.inference.job import BANDS
from flight.inference.model_manifest import (
    GOLDEN_PX_MAX,
    NESTED_MAX,
    PLANES,
    SCALE_MAX,
    WORD_CHARS_MAX,
    Golden,
    InputLayout,
    ModelError,
    OutputLayout,
    Variant,
    decode_manifest,
    layout_fault,
)
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
        ({"input": InputLayout(PLANES, BANDS, SCALE_MAX + 1, 1)}, f"up to {SCALE_MAX}"),
        (
            {"variants": {"fp32": Variant("a", "b", golden=Golden(GOLDEN_PX_MAX + 1))}},
            f"golden.side_px = [{GOLDEN_PX_MAX + 1}]; allowed: 1..{GOLDEN_PX_MAX}",
        ),
        ({"variants": {"fp32": Variant("a", "b", golden=Golden(0))}}, "golden.side_px = [0]"),
        ({"threshold": 1.0}, "threshold: between 0 and 1"),
    ],
)
def test_what_cannot_be_fed_is_told_in_one_line_with_what_is_allowed(changes, says):
    fault = layout_fault(msgspec.structs.replace(MANIFEST, **changes), BANDS)
    assert says in fault
    assert "\n" not in fault


def encoded(**changes):
    return msgspec.json.encode(msgspec.structs.replace(MANIFEST, **changes))


def test_a_manifest_comes_back_as_it_is():
    assert decode_manifest(encoded()) == MANIFEST


@pytest.mark.parametrize("word", ["name", "version"])
def test_name_and_version_are_words_that_can_be_told(word):
    longest = "x" * WORD_CHARS_MAX
    assert getattr(decode_manifest(encoded(**{word: longest})), word) == longest
    for bad in (longest + "x", "one\ntwo", "\x1b[2J"):
        with pytest.raises(ModelError, match=f"up to {WORD_CHARS_MAX} printable") as error:
            decode_manifest(encoded(**{word: bad}))
        assert "\n" not in str(error.value)


def nested(depth):
    return {"x": nested(depth - 1)} if depth else 0


def test_what_is_nested_deeper_than_can_be_written_again_is_refused():
    assert decode_manifest(encoded(training=nested(NESTED_MAX)))
    with pytest.raises(ModelError, match=f"deeper than {NESTED_MAX}"):
        decode_manifest(encoded(training=nested(NESTED_MAX + 1)))
    with pytest.raises(ModelError, match="not readable"):
        decode_manifest(b'{"metrics":{"x":' + b"[" * 100_000)
