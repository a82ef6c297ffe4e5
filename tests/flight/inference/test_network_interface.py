import msgspec
import numpy as np
import pytest

from flight.inference.job import BANDS
from flight.inference.model_manifest import (
    PIXEL_ROWS,
    PLANES,
    InputLayout,
    ModelError,
    OutputLayout,
)
from flight.inference.model_registry import ModelRegistry
from flight.inference.network_interface import FIRST_OUTPUT, NetworkInterface, interface_of

PIXELS = (np.arange(4 * 8 * 6, dtype=np.uint16) * 7).reshape(4, 8, 6)


def interface(layout=PLANES, bands=BANDS, taken=FIRST_OUTPUT, **more):
    return NetworkInterface(InputLayout(layout, bands, 10_000, 4), taken, **more)


def test_planes_are_reflectance_band_by_band():
    fed = interface().feed(PIXELS)
    assert (fed.shape, fed.dtype) == ((1, 6, 4, 8), np.float32)
    assert np.allclose(fed[0, 2], PIXELS[..., 2] / 10_000)


def test_bands_are_taken_by_name_in_the_order_of_the_network():
    fed = interface(bands=("B4", "B2")).feed(PIXELS)
    assert np.allclose(fed[0, 0], PIXELS[..., 2] / 10_000)
    assert np.allclose(fed[0, 1], PIXELS[..., 0] / 10_000)


def test_rows_are_one_pixel_each():
    fed = interface(PIXEL_ROWS).feed(PIXELS)
    assert fed.shape == (32, 6)
    assert np.allclose(fed[9], PIXELS[1, 1] / 10_000)


def test_a_camera_of_more_bands_feeds_a_network_of_fewer():
    many = ("B1", *BANDS)
    wide = np.concatenate([PIXELS[..., :1] * 0, PIXELS], axis=2)
    assert np.array_equal(interface(tile_bands=many).feed(wide), interface().feed(PIXELS))


@pytest.mark.parametrize("activation", ["none", "sigmoid", "softmax"])
def test_the_answer_is_read_from_its_channel_and_activated(activation):
    logits = np.zeros((1, 3, 4, 8), np.float32)
    logits[0, 1] = 1.0
    taken = OutputLayout(channel=1, activation=activation)
    read = interface(taken=taken).read(logits, (4, 8))
    wanted = {"none": 1.0, "sigmoid": 1 / (1 + np.exp(-1)), "softmax": np.e / (np.e + 2)}
    assert read.shape == (4, 8)
    assert np.allclose(read, wanted[activation])


def test_rows_of_classes_are_laid_out_as_the_picture_again():
    answer = np.zeros((32, 2), np.float32)
    answer[9, 1] = 0.75
    read = interface(PIXEL_ROWS, taken=OutputLayout(channel=1)).read(answer, (4, 8))
    assert read[1, 1] == 0.75
    assert np.count_nonzero(read) == 1


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_what_a_classifier_says_of_the_whole_tile_holds_for_each_pixel(shape):
    logits = np.array([0.0, 1.0, 0.0], np.float32).reshape(shape)
    taken = OutputLayout(channel=1, activation="softmax", per="tile")
    read = interface(taken=taken).read(logits, (4, 8))
    assert read.shape == (4, 8)
    assert np.allclose(read, np.e / (np.e + 2))
    alone = interface(taken=OutputLayout(per="tile")).read(np.float32([0.25]), (4, 8))
    assert np.array_equal(alone, np.full((4, 8), np.float32(0.25)))


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 3, 4, 8), ()])
def test_an_answer_that_is_not_of_one_tile_is_refused(shape):
    with pytest.raises(ModelError, match="answered shape"):
        interface(taken=OutputLayout(per="tile")).read(np.zeros(shape, np.float32), (4, 8))


@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (2, 1, 4, 8), (4, 8), (1, 0, 4, 8)])
def test_an_answer_of_another_shape_is_refused(shape):
    with pytest.raises(ModelError, match="answered shape"):
        interface().read(np.zeros(shape, np.float32), (4, 8))


def described(**changes):
    return msgspec.structs.replace(ModelRegistry().manifest("cloud_unet"), **changes)


def test_what_cannot_be_fed_from_such_tiles_is_refused_by_key_and_allowed_values():
    wrong = described(input=InputLayout("NHWC", BANDS, 10_000, 4))
    with pytest.raises(ModelError, match=r"input.layout = 'NHWC'; allowed: NCHW float32"):
        interface_of(wrong)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 5)])
def test_a_tile_of_other_bands_is_refused(shape):
    with pytest.raises(ModelError, match="tile shape"):
        interface().feed(np.zeros(shape, np.uint16))


def test_the_shipped_manifest_describes_the_shipped_network():
    manifest = ModelRegistry().manifest("cloud_unet")
    assert interface_of(manifest).feed(PIXELS).shape == (1, 6, 4, 8)
