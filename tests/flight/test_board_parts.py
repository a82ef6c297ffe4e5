import asyncio
import shutil
from pathlib import Path

import msgspec
import pytest

from flight.base.clock import LoopClock
from flight.board_config import load_fly_config
from flight.board_parts import kept_models, make_engine, usable_crew
from flight.inference.job import BANDS, InferenceError, Job
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import DEFAULT_ROOT
from flight.inference.model_store import FOLDER
from hil.synthetic_scene import synthetic_labelled_tiles


@pytest.fixture
def board(make_board, tmp_path):
    """Configuration of a node whose networks lie in a folder of the test's."""
    shutil.copytree(DEFAULT_ROOT, tmp_path / "networks")
    config = load_fly_config(make_board(tmp_path))
    inference = msgspec.structs.replace(config.inference, models=str(tmp_path / "networks"))
    return msgspec.structs.replace(config, inference=inference)


def damage(folder):
    network = folder / "networks" / "cloud_unet" / "fp32.onnx"
    data = bytearray(network.read_bytes())
    data[9_999] ^= 1
    network.write_bytes(data)


def test_a_damaged_network_is_replaced_by_the_copy_that_the_last_flight_kept(board, tmp_path):
    first = kept_models(board, *usable_crew(board.inference))
    assert first.fault == ""
    damage(tmp_path)
    models = kept_models(board, *usable_crew(board.inference))
    assert "SHA-256 expected" in models.fault
    assert [each.data for each in models.crew] == [first.crew[0].data]
    assert models.store.other_copy(models.crew[0]).data == first.crew[0].data


def test_without_a_copy_the_engine_says_why_there_is_none(board, tmp_path):
    damage(tmp_path)
    models = kept_models(board, *usable_crew(board.inference))
    assert models.crew == ()

    async def asked():
        await make_engine(board, models, LoopClock(), None).run(None)

    with pytest.raises(InferenceError, match="SHA-256 expected"):
        asyncio.run(asked())


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text("utf-8").split("\0")


def test_the_worker_runs_on_the_provider_the_threads_and_the_bands_of_the_configuration(board):
    wanted = msgspec.structs.replace(board.board, provider="auto", threads=2)
    config = msgspec.structs.replace(board, board=wanted)
    ((tile, _),) = synthetic_labelled_tiles(7, 1, 64)
    job = Job(1, tile, "cloud_unet", "fp32", threshold=0.5, quicklook_cloud_permille_max=0)

    async def command():
        models = kept_models(config, *usable_crew(config.inference))
        engine = make_engine(config, models, LoopClock(), None)
        try:
            await engine.run(job)
            return command_of(engine.worker_pid)
        finally:
            engine.close()

    words = asyncio.run(command())
    told = {name: words[words.index(f"--{name}") + 1] for name in ("provider", "threads", "bands")}
    assert told == {"provider": "auto", "threads": "2", "bands": ",".join(BANDS)}


def test_a_node_that_takes_no_models_keeps_none(board):
    alone = msgspec.structs.replace(
        board, inference=msgspec.structs.replace(board.inference, upload=False)
    )
    models = kept_models(alone, *usable_crew(alone.inference))
    assert (models.store, models.key) == (None, b"")
    assert len(models.crew) == 1
    assert not (Path(alone.board.data) / FOLDER).exists()
    assert kept_models(board, models.crew, "").store is not None
    assert (Path(board.board.data) / FOLDER).is_dir()


def test_a_network_that_nobody_knows_is_refused_before_anything_is_kept(board):
    with pytest.raises(ModelError, match="no such model"):
        usable_crew(msgspec.structs.replace(board.inference, model="haze"))
