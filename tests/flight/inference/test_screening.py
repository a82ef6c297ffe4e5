import numpy as np
import pytest

from flight.inference import png_image
from flight.inference.job import Job, Plausibility, Screening
from flight.inference.mask_product import mask_bits
from flight.inference.screening import ScreeningSession, screen
from flight.inference.tile_pixels import pixels_of, quicklook
from hil.imagery import synthetic_tiles

TILE = synthetic_tiles(seed=4, n=1, size=16)[0]
PIXELS = pixels_of(TILE)
RAMP = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)


class Answering:
    def __init__(self, probability):
        self.probability = probability
        self.seen = None

    def run(self, pixels):
        self.seen = pixels
        return self.probability


def test_a_plausible_output_becomes_a_mask_its_share_and_a_picture():
    screening = screen(PIXELS, RAMP, 0.75, 600)
    assert screening.verdict is Plausibility.PLAUSIBLE
    assert screening.cloud_permille == 250
    assert screening.mask_bits == mask_bits(RAMP >= 0.75)
    assert np.array_equal(png_image.decode(screening.quicklook_png), quicklook(PIXELS))


def test_a_pixel_exactly_at_the_threshold_is_cloud():
    flat = np.full((16, 16), np.float32(0.1))
    flat[0, 0] = 0.0
    assert screen(PIXELS, flat, 0.1, 1000).cloud_permille == 996


@pytest.mark.parametrize(("limit", "drawn"), [(249, False), (250, True), (251, True)])
def test_a_picture_is_drawn_up_to_the_limit_of_cloud(limit, drawn):
    assert (screen(PIXELS, RAMP, 0.75, limit).quicklook_png is not None) == drawn


@pytest.mark.parametrize(
    ("output", "verdict"),
    [
        (RAMP[:8], Plausibility.WRONG_SHAPE),
        (RAMP * np.float32(np.nan), Plausibility.NOT_FINITE),
        (RAMP * 2, Plausibility.OUT_OF_RANGE),
        (RAMP * 0, Plausibility.CONSTANT),
    ],
)
def test_nothing_is_made_of_an_implausible_output(output, verdict):
    assert screen(PIXELS, output, 0.5, 1000) == Screening(verdict)


def test_a_session_screens_the_tile_of_its_job_by_the_figures_of_its_job():
    network = Answering(RAMP)
    job = Job(1, TILE, "m", "v", threshold=0.25, quicklook_cloud_permille_max=10)
    assert ScreeningSession(network).screen(job) == screen(PIXELS, RAMP, 0.25, 10)
    assert np.array_equal(network.seen, PIXELS)
