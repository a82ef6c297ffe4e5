"""A look at a broker: it answers, or one line says why not."""

import asyncio

import pytest
from broker_process import Broker, free_port

from flight.board_config import MqttSection
from flight.telemetry.client_mqtt import try_broker


@pytest.mark.slow
def test_a_broker_that_runs_answers_and_a_frozen_one_is_given_up():
    broker = Broker(free_port()).start()
    try:
        section = MqttSection(enabled=True, port=broker.port)
        assert asyncio.run(try_broker(section)) == ""
        broker.freeze()
        assert asyncio.run(try_broker(section)) != ""
        broker.thaw()
    finally:
        broker.kill()


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"port": 1}, "refused"),
        ({"port": 1, "ca_file": "none.crt"}, "ca_file"),
        ({"port": 1, "username": "x", "password_file": "none"}, "password_file"),
    ],
)
def test_a_broker_that_cannot_be_reached_is_one_line(fields, word):
    reason = asyncio.run(try_broker(MqttSection(enabled=True, **fields)))
    assert word in reason.lower()
    assert "\n" not in reason
