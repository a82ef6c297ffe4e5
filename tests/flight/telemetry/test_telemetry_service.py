from math import isnan

from flight.commanding.parameters import ParameterTable
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.dictionary import CHANNELS, GROUPS
from flight.telemetry.event_log import EventLog
from flight.telemetry.telemetry_service import EVENTS_PER_STEP, LIVE_PACKETS, TelemetryService
from flight.wire.space_packet import Apid, SequenceCounts, decode_all
from flight.wire.telemetry import decode_event, decode_housekeeping

S = 1_000_000_000


class Tape:
    """A recorder that keeps every packet."""

    def __init__(self):
        self.packets = []
        self.closed = 0

    def record(self, packet):
        self.packets.extend(decode_all(packet))

    def step(self, now_ns):
        pass

    def close(self, now_ns):
        self.closed += 1


class Room:
    def __init__(self, measure_host=None, **parameters):
        self.channels, self.events, self.tape = ChannelValues(), EventLog(10_000), Tape()
        self.parameters = ParameterTable({"telemetry.period_s": 10.0} | parameters)
        self.service = TelemetryService(
            channels=self.channels,
            events=self.events,
            parameters=self.parameters,
            recorder=self.tape,
            sequence=SequenceCounts(),
            measure_host=measure_host,
        )

    def sent(self, apid):
        return [packet for packet in self.tape.packets if packet.apid == apid]


def test_housekeeping_carries_every_channel_each_period_and_tells_the_unknown_as_unknown():
    room = Room()
    room.channels.values[0] = 3.0
    for t in range(31):
        room.service.step(t * S)
    packets = room.sent(Apid.HOUSEKEEPING)
    assert len(packets) == 4 * len(GROUPS)
    seen = {}
    for packet in packets[: len(GROUPS)]:
        housekeeping = decode_housekeeping(packet.data)
        seen.update(zip(housekeeping.channels, housekeeping.values, strict=True))
    assert len(seen) == len(CHANNELS)
    assert seen[0] == 3.0
    assert all(isnan(value) for index, value in seen.items() if index)


def test_another_period_holds_at_once():
    room = Room(**{"telemetry.period_s": 600.0})
    room.service.step(0)
    room.service.step(20 * S)
    assert len(room.sent(Apid.HOUSEKEEPING)) == len(GROUPS)
    room.parameters.set("telemetry.period_s", 1.0)
    room.service.step(21 * S)
    room.service.step(22 * S)
    assert len(room.sent(Apid.HOUSEKEEPING)) == 3 * len(GROUPS)


def test_events_go_out_with_their_own_time_and_a_flood_is_spread_over_steps():
    room = Room()
    for i in range(EVENTS_PER_STEP + 5):
        room.events.emit("FATAL_ERROR", i, error=f"e{i}")
    room.service.step(S)
    assert len(room.sent(Apid.EVENT)) == EVENTS_PER_STEP
    room.service.step(2 * S)
    sent = room.sent(Apid.EVENT)
    assert [packet.time_ns for packet in sent] == list(range(EVENTS_PER_STEP + 5))
    assert decode_event(sent[-1].data).args["error"] == f"e{EVENTS_PER_STEP + 4}"


def test_live_packets_are_bounded_and_what_is_displaced_is_still_recorded():
    room = Room(**{"telemetry.period_s": 1.0})
    for t in range(LIVE_PACKETS):
        room.service.step(t * S)
    assert len(room.service.live) == LIVE_PACKETS
    assert room.service.live.dropped == len(room.tape.packets) - LIVE_PACKETS > 0


def test_sequence_counts_have_no_gap():
    room = Room(**{"telemetry.period_s": 1.0})
    for t in range(50):
        room.service.step(t * S)
    counts = [packet.seq_count for packet in room.sent(Apid.HOUSEKEEPING)]
    assert counts == list(range(len(counts)))


def test_the_host_is_measured_for_the_packet_that_tells_of_it():
    measured = []
    room = Room(measure_host=lambda values: measured.append(len(values)))
    for t in range(20):
        room.service.step(t * S)
    assert measured == [len(CHANNELS)] * 2


def test_before_a_stop_everything_told_so_far_is_recorded():
    room = Room()
    room.events.emit("SHUTDOWN", 5, cause="commanded")
    room.service.finish(5)
    assert [decode_event(p.data).args["cause"] for p in room.sent(Apid.EVENT)] == ["commanded"]
    assert room.tape.closed == 1
