"""What the protections cost while nothing is wrong: guarded runs next to plain ones, in turn."""

import statistics
import time
from functools import partial

from bare import BareLoop
from subjects import subjects, tile_of

from flight.inference.guarded_ort import guarded
from flight.inference.model_registry import ModelRegistry
from flight.inference.tile_pixels import pixels_of
from flight.inference.worker_main import CHECK_EVERY_NS
from flight.wire.crc import crc32c

PERCENT_MAX = 15.0
ROUNDS = 60


def cpu_ms(run):
    """Processor time of one run: other processes do not count."""
    started = time.process_time_ns()
    run()
    return (time.process_time_ns() - started) / 1e6


def protected(session, tile):
    """A run with all that the worker does beside it: CRC of the tile and of the answer."""
    pixels = pixels_of(tile)
    assert crc32c(tile.pixels) == tile.crc32c
    answer, care = session.run(pixels)
    assert not care.doubt
    crc32c(answer.tobytes())


def cost(model, side_px):
    """Per cent of a plain run's time, the golden tiles of every ten seconds included."""
    tile, bare, session = tile_of(side_px), BareLoop(model), guarded(model)
    pixels = pixels_of(tile)
    plain, kept = [], []
    plain_run = partial(bare.network, pixels)
    kept_run = partial(protected, session, tile)
    for _ in range(ROUNDS):
        plain.append(cpu_ms(plain_run))
        kept.append(cpu_ms(kept_run))
    check_ms = statistics.median(cpu_ms(session.check) for _ in range(5))
    before, after = statistics.median(plain[3:]), statistics.median(kept[3:])
    return before, after, 100 * (after / before - 1 + check_ms * 1e6 / CHECK_EVERY_NS)


def rows():
    """Of each network, and of the small variants of the cloud network."""
    measured = subjects()
    for variant in ("int8", "small"):
        model = ModelRegistry().load("cloud_unet", variant)
        measured[f"cloud_unet {variant} 256 px"] = (model, 256)
    for name, (model, side_px) in measured.items():
        before, after, percent = cost(model, side_px)
        yield f"{name}: plain run, processor time", before, "ms", None
        yield f"{name}: guarded run, CRCs", after, "ms", None
        yield f"{name}: clean overhead, golden tiles included", percent, "%", PERCENT_MAX
