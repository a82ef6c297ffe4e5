"""What a node on a line needs of its own is looked at before the line is opened."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from flight.board_config import load_fly_config
from flight.board_flight import end_left_tasks, fly
from flight.config import ConfigError
from flight.inference.model_manifest import ModelError
from flight.keys import KeyFileError

NO_PORT = "link:/dev/no-such-port"


@pytest.fixture
def config(make_board, tmp_path):
    config = load_fly_config(make_board(tmp_path))
    return msgspec.structs.replace(config, board=msgspec.structs.replace(config.board, hal=NO_PORT))


def test_the_keys_are_looked_at_before_the_line(config, tmp_path):
    board = msgspec.structs.replace(config.board, keys=str(tmp_path / "none"))
    with pytest.raises(KeyFileError, match="keys init"):
        fly(msgspec.structs.replace(config, board=board))


def test_the_model_is_looked_at_before_the_line(config):
    inference = msgspec.structs.replace(config.inference, model="none")
    with pytest.raises(ModelError):
        fly(msgspec.structs.replace(config, inference=inference))


def test_a_line_that_is_not_there_is_told_with_its_name(config):
    with pytest.raises(ConfigError, match=r"no-such-port.*no such device"):
        fly(config)


def test_a_flight_on_a_board_of_its_own_ends_when_its_time_is_over(make_board, tmp_path):
    (tmp_path / "other").mkdir()
    assert fly(load_fly_config(make_board(tmp_path / "other")), seconds=0.05) == "time over"


def test_what_was_left_behind_is_told_once_more_and_not_waited_for(capfd, monkeypatch):
    loop = asyncio.SelectorEventLoop()
    monkeypatch.setattr("flight.board_flight.LEFT_TIMEOUT_S", 0.01)
    told = {"slow": 0, "deaf": 0}

    async def ends_at(name, count):
        while told[name] < count:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told[name] += 1

    slow, deaf = (loop.create_task(ends_at(name, n)) for name, n in (("slow", 2), ("deaf", 3)))
    loop.run_until_complete(asyncio.sleep(0))
    slow.cancel()  # as the end of a flight did
    loop.run_until_complete(asyncio.sleep(0))
    end_left_tasks(loop)
    assert (told, slow.done(), deaf.done()) == ({"slow": 2, "deaf": 1}, True, False)
    end_left_tasks(loop)
    end_left_tasks(loop)
    assert deaf.done()
    loop.close()
    assert capfd.readouterr().err == ""
