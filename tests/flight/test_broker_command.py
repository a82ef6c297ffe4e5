"""`lumenode broker`: on this machine alone, and in one line why not."""

import socket

import pytest

from flight import broker_command
from flight.board_config import MqttSection
from flight.broker_command import is_installed, listening, main_broker
from flight.config import ConfigError


def refused(capsys, *words):
    assert main_broker(words) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    return said.err


def test_it_serves_nobody_but_this_machine(capsys):
    assert "--host '0.0.0.0': allowed is this machine" in refused(capsys, "--host", "0.0.0.0")


def test_a_port_that_is_taken_or_none_is_one_line(capsys):
    with listening("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port}: Address already in use" in refused(capsys, "--port", port)
    assert "--port 70000: allowed is 1 to 65535" in refused(capsys, "--port", "70000")


def test_without_the_extra_it_says_how_to_get_it(capsys, monkeypatch):
    assert is_installed()
    monkeypatch.setattr(broker_command, "find_spec", lambda _name: None)
    assert refused(capsys).endswith("pip install 'lumenode[broker]'\n")


def test_a_port_is_open_as_soon_as_it_is_made():
    with listening("127.0.0.1", 0) as server, socket.socket() as client:
        client.connect(server.getsockname())


@pytest.mark.parametrize(
    "given",
    [{"host": "broker.lab", "plain": True}, {"ca_file": "ca.crt"}, {"username": "me"}],
)
def test_a_broker_that_is_brought_along_is_on_this_machine_and_open_to_it(given):
    MqttSection(enabled=True, embedded=True).check("file", "node")
    with pytest.raises(ConfigError, match=r"mqtt\.embedded: on this machine alone"):
        MqttSection(enabled=True, embedded=True, **given).check("file", "node")
