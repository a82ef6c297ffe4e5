"""A request to stop that the library loses is heeded; a socket is waited for only while open."""

import asyncio
import socket
from types import SimpleNamespace

import aiomqtt
import pytest
from test_hostile_broker import Flight

from flight.board_config import MqttSection
from flight.telemetry import bridge_mqtt
from flight.telemetry.client_mqtt import new_client

PATIENCE_S = 20


class Losing:
    """A client whose waits each take a while, and one of which loses a request to stop."""

    def __init__(self, where, ending=None):
        self.where, self.ending, self.said, self.timeout = where, ending, [], 5.0
        self.arrived = asyncio.Event()
        self._connected = self._disconnected = SimpleNamespace(
            cancelled=bool, done=bool, exception=bool
        )
        self._client = SimpleNamespace(disconnect=int)

    async def _wait(self, where):
        self.said.append(where)
        if where != self.where:
            await asyncio.sleep(0.001)
            return
        try:
            self.arrived.set()
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            self.where = None
            if self.ending is not None:
                raise self.ending from None

    async def __aenter__(self):
        await self._wait("enter")
        return self

    async def __aexit__(self, *_):
        await self._wait("exit")

    async def subscribe(self, *_):
        await self._wait("subscribe")
        return [SimpleNamespace(value=1)]

    async def publish(self, topic, payload, *_args, **_options):
        await self._wait(f"publish {topic.rpartition('/')[2]}")
        if b'"cause":"stopped"' in payload:
            self.said.append("goodbye")

    @property
    def messages(self):
        async def none():
            await asyncio.sleep(PATIENCE_S)
            yield

        return none()


async def stopped(monkeypatch, client):
    monkeypatch.setattr(bridge_mqtt, "new_client", lambda *_args, **_options: client)
    serving = asyncio.create_task(Flight(1).bridge.serve())
    async with asyncio.timeout(PATIENCE_S):
        await client.arrived.wait()
        serving.cancel()
        await asyncio.wait([serving])
    assert serving.cancelled()


@pytest.mark.parametrize("ending", [None, aiomqtt.MqttError("lost")], ids=["answered", "failed"])
@pytest.mark.parametrize("where", ["enter", "subscribe", "publish dict", "publish state"])
def test_it_stops_wherever_the_request_was_lost(monkeypatch, where, ending):
    async def run():
        client = Losing(where, ending)
        await stopped(monkeypatch, client)
        return client.said

    said = asyncio.run(run())
    assert where in said
    if ending is None:
        assert said[-2:] == ["goodbye", "exit"], "it said goodbye, as it had a session"


def test_a_socket_that_is_closed_by_then_is_not_waited_for():
    async def run():
        loop, complaints = asyncio.get_running_loop(), []
        loop.set_exception_handler(lambda _loop, context: complaints.append(context))
        client = new_client(MqttSection(enabled=True), {}, None, overflow=lambda: None)
        library = client._client
        ours, theirs = socket.socketpair()
        library.on_socket_register_write(library, None, ours)
        await asyncio.sleep(0.01)
        assert loop.remove_writer(ours.fileno())
        library.on_socket_register_write(library, None, ours)
        ours.close()
        theirs.close()
        await asyncio.sleep(0.01)
        return complaints

    assert asyncio.run(run()) == []
