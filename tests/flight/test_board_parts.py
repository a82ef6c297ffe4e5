import asyncio
import shutil
from pathlib import Path

import msgspec
import pytest

from flight.base.clock import LoopClock
from flight.board_config import load_fly_config
from flight.board_parts import kept_models, make_engine, usable_crew
from flight.inference.job import InferenceError
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import DEFAULT_ROOT
from flight.inference.model_store import FOLDER


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
