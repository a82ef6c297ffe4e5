"""An operator's end takes nothing a broker hands over for granted."""

import asyncio
from types import SimpleNamespace

import aiomqtt
import msgspec
import pytest

from flight.operator_session_mqtt import OperatorSession, ack_of
from flight.telemetry.mqtt_messages import Ack

ACK = Ack(boot=1, seq=2, dropped=0, t_ns=3, utc_s=4.0, id="7", command="NO_OP",
          stage="completed", reason="none")  # fmt: skip
GOOD = msgspec.json.encode(ACK)
FOREIGN = (
    b"",
    b"\xff\xfe",
    b"[" * 5_000,
    b'{"boot":2,"seq":5,"online":true}',
    GOOD.replace(b'"7"', b'"8"'),
    "text",
    None,
)


@pytest.mark.parametrize("payload", FOREIGN[:4] + FOREIGN[5:])
def test_what_is_no_acknowledgement_is_none(payload):
    assert ack_of(payload) is None
    assert ack_of(GOOD) == ACK


def session_with(payloads):
    async def messages():
        for payload in payloads:
            yield SimpleNamespace(payload=payload, topic=SimpleNamespace(value="any"))

    session = OperatorSession.__new__(OperatorSession)
    session._client = SimpleNamespace(messages=messages())
    session._timeout_s, session.passed = 0.05, []
    session._on_other = lambda topic, payload: session.passed.append((topic, payload))
    return session


def test_rubbish_and_what_others_have_subscribed_to_is_passed_over():
    session = session_with([*FOREIGN, GOOD])
    assert asyncio.run(session._next_ack(7)) == ACK
    assert session.passed == [("any", payload) for payload in FOREIGN]


def test_a_broker_that_ends_the_session_is_an_error_of_the_broker_s():
    with pytest.raises(aiomqtt.MqttError, match="ended"):
        asyncio.run(session_with(FOREIGN)._next_ack(7))
