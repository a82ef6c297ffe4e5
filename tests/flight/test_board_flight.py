"""What a node on a line needs of its own is looked at before the line is opened."""

from __future__ import annotations

import msgspec
import pytest

from flight.board_config import load_fly_config
from flight.board_flight import fly
from flight.config import ConfigError
from flight.inference.model_registry import ModelError
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


def test_the_terminal_is_the_benchs_and_no_other_beside_it(config):
    terminal = msgspec.structs.replace(config.terminal, device="/dev/ttyUSB1")
    with pytest.raises(ConfigError, match=r"terminal.device = '/dev/ttyUSB1'.*the bench's"):
        fly(msgspec.structs.replace(config, terminal=terminal))
