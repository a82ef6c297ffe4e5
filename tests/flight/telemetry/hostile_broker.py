"""A broker that speaks just enough MQTT 3.1.1 to be believed, and then does what it should not."""

import asyncio
import contextlib
import os

CONNACK = b"\x20\x02\x00\x00"
CONNECT, PUBLISH, SUBSCRIBE, PINGREQ = 1, 3, 8, 12


def length(count):
    """A remaining length (section 2.2.3)."""
    coded = b""
    while True:
        count, low = divmod(count, 128)
        coded += bytes((low | (0x80 if count else 0),))
        if not count:
            return coded


def publish(topic, payload, *, qos=0, number=1, retain=False):
    body = len(topic).to_bytes(2, "big") + topic.encode()
    body += number.to_bytes(2, "big") if qos else b""
    return bytes((0x30 | qos << 1 | retain,)) + length(len(body) + len(payload)) + body + payload


def garbage(_topic):
    yield os.urandom(4_096)


def huge(topic):
    """A message of 200 MB, announced and begun."""
    name = topic.encode()
    yield b"\x30" + length(200_000_000) + len(name).to_bytes(2, "big") + name
    while True:
        yield bytes(65_536)


def flood(topic):
    """Commands without end, none of them sealed."""
    while True:
        yield publish(topic, b"x" * 64) * 64


def long_ones(topic):
    """Messages as long as they may be, without end."""
    while True:
        yield publish(topic, bytes(200_000))


def pings(_topic):
    """Answers to nothing, without end."""
    while True:
        yield b"\xd0\x00" * 512


def never_released(topic):
    """Messages of a quality that nobody asked for, which the receiver would have to keep."""
    for number in range(1, 65_536):
        yield publish(topic, bytes(1_000), qos=2, number=number)


MISDEEDS = (garbage, huge, flood, long_ones, pings, never_released)


class HostileBroker:
    """Serves on a loopback port; the misdeed begins when a node has subscribed.

    Attributes:
        sessions: connections that got as far as a subscription.
        octets: sent by the misdeed.
    """

    def __init__(self, port, misdeed, topic):
        self.port, self.misdeed, self.topic = port, misdeed, topic
        self.sessions = self.octets = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        doing = None
        try:
            while True:
                kind, body = await self._packet(reader)
                if kind == CONNECT:
                    writer.write(CONNACK)
                elif kind == SUBSCRIBE:
                    writer.write(b"\x90\x03" + body[:2] + b"\x01")
                    self.sessions += 1
                    doing = asyncio.create_task(self._misbehave(writer))
                elif kind == PUBLISH:
                    at = 2 + int.from_bytes(body[:2], "big")
                    writer.write(b"\x40\x02" + body[at : at + 2])
                elif kind == PINGREQ:
                    writer.write(b"\xd0\x00")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if doing is not None:
                doing.cancel()
            writer.close()

    async def _packet(self, reader):
        (first,) = await reader.readexactly(1)
        size, shift = 0, 0
        while True:
            (byte,) = await reader.readexactly(1)
            size |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return first >> 4, await reader.readexactly(size)

    async def _misbehave(self, writer):
        with contextlib.suppress(ConnectionError):
            for octets in self.misdeed(self.topic):
                writer.write(octets)
                self.octets += len(octets)
                await writer.drain()
                await asyncio.sleep(0)
