"""A broker that lies, floods or sends too much costs messages and sessions, never flight."""

import asyncio
import contextlib
import resource
from types import SimpleNamespace

import pytest
from broker_process import free_port
from hostile_broker import (
    MISDEEDS,
    HostileBroker,
    flood,
    garbage,
    long_ones,
    never_released,
    pings,
)

from flight.base.channels import Latest
from flight.base.clock import LoopClock
from flight.board_config import MqttSection
from flight.commanding.parameters import ParameterTable
from flight.telemetry.bridge_mqtt import MqttBridge
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from flight.telemetry.mqtt_ledger import COMMANDS_PER_S, BridgeLedger
from flight.telemetry.mqtt_messages import Topics
from flight.telemetry.mqtt_outbox import Outbox
from flight.telemetry.read_budget import BYTES_PER_S, PACKET_BYTES_MAX
from flight.wire.link_security import SecurityVerdict

pytestmark = pytest.mark.slow  # real sockets, real time

TOPICS = Topics("lumenode-1")
GROWTH_KIB_MAX = 64 * 1024
PATIENCE_S = 60


class Flight:
    """The bridge of a node, and what the rest of the node is asked for by it."""

    def __init__(self, port):
        self.frames, self.seconds = 0, set()
        self.clock, self.told = LoopClock(), []
        self.events = EventLog(64, lambda event: self.told.append(event.name))
        self.ledger = BridgeLedger()
        node = SimpleNamespace(
            channels=ChannelValues(), events=self.events, status=Latest(),
            parameters=ParameterTable({"telemetry.period_s": 1.0}),
            uplink=SimpleNamespace(take_frame=self.take_frame),
        )  # fmt: skip
        self.bridge = MqttBridge(
            section=MqttSection(enabled=True, port=port),
            broker={}, node_name="lumenode-1", node=node, clock=self.clock,
            outbox=Outbox(TOPICS, 64, 0), ledger=self.ledger, quality="set",
        )  # fmt: skip

    def take_frame(self, frame, now_ns):
        self.frames += 1
        self.seconds.add(now_ns // 1_000_000_000)
        return SecurityVerdict.BAD_LENGTH


async def endured(misdeed, is_enough):
    """A flight under a misdeed until enough has been seen."""
    async with HostileBroker(free_port(), misdeed, TOPICS.command("NO_OP")) as broker:
        flight = Flight(broker.port)
        serving = asyncio.create_task(flight.bridge.serve())
        async with asyncio.timeout(PATIENCE_S):
            while not is_enough(flight, broker):
                assert not serving.done(), serving.exception()
                await asyncio.sleep(0.02)
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
    return flight, broker


@pytest.mark.parametrize("misdeed", MISDEEDS, ids=lambda each: each.__name__)
def test_whatever_it_does_the_session_is_ended_and_tried_anew_and_memory_stays_bounded(misdeed):
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    flight, _ = asyncio.run(endured(misdeed, lambda _, broker: broker.sessions >= 2))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert grown < GROWTH_KIB_MAX
    assert flight.ledger.connects >= 2
    assert "BROKER_LOST" in flight.told
    if misdeed not in (garbage, never_released):
        assert flight.ledger.reads.cut >= 1


def test_of_a_flood_no_more_is_looked_at_than_an_operator_sends_and_the_rest_is_counted():
    flight, _ = asyncio.run(endured(flood, lambda flight, _: flight.ledger.reads.cut >= 2))
    ledger = flight.ledger
    assert flight.frames <= COMMANDS_PER_S * len(flight.seconds)
    assert ledger.commands == flight.frames + ledger.flooded + ledger.retained
    assert ledger.flooded > 0


def test_a_second_of_a_hostile_broker_costs_no_more_octets_than_the_budget():
    flight, _ = asyncio.run(endured(long_ones, lambda flight, _: flight.ledger.reads.cut >= 2))
    assert flight.ledger.reads._bytes <= BYTES_PER_S + PACKET_BYTES_MAX


@pytest.mark.parametrize("misdeed", [flood, pings])
def test_told_to_end_in_the_middle_of_it_the_bridge_ends(misdeed):
    flight, broker = asyncio.run(
        endured(misdeed, lambda flight, broker: broker.sessions and flight.ledger.connects)
    )
    assert broker.octets > 0
    assert flight.ledger.connects == 1, "the one session it was in was the last"
