"""One subscriber at a broker, and everything it was told."""

import asyncio
import contextlib

import aiomqtt
import msgspec

from flight.telemetry.mqtt_messages import Numbered, Topics
from flight.telemetry.sequence_tally import SequenceTally

PATIENCE_S = 30
TOPICS = Topics("lumenode-1")


class Reader:
    """Everything one subscriber was given, and its own book of gaps."""

    def __init__(self, client):
        self.client = client
        self.heard = []
        self.tally = SequenceTally()
        self.new = asyncio.Event()

    async def listen(self):
        async for message in self.client.messages:
            if "/cmd/" in message.topic.value:
                continue
            told = msgspec.json.decode(message.payload)
            self.heard.append((message.topic.value, told, message.retain))
            if told.get("online") is not False:
                numbered = msgspec.convert(told, Numbered)
                self.tally.take(TOPICS.stream_of(message.topic.value), numbered)
            self.new.set()

    def on(self, topic):
        return [told for where, told, _ in self.heard if where == topic]

    async def until(self, topic, is_wanted=lambda _: True):
        """The first message on a topic that is wanted; those already heard count."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.new.clear()
                for told in self.on(topic):
                    if is_wanted(told):
                        return told
                await self.new.wait()


@contextlib.asynccontextmanager
async def reader(port, *topics, **access):
    async with aiomqtt.Client("127.0.0.1", port, **access) as client:
        for topic in topics or (TOPICS.everything,):
            await client.subscribe(topic, 1)
        one = Reader(client)
        listening = asyncio.create_task(one.listen())
        try:
            yield one
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
