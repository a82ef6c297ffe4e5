from math import isnan

from flight.base.channels import Offer
from flight.commanding.parameters import ParameterTable
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Report
from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS, GROUPS, Severity
from flight.telemetry.event_log import EventLog
from flight.telemetry.queue_board import QueueBoard
from flight.telemetry.telemetry_service import EVENTS_PER_STEP, LIVE_PACKETS, TelemetryService
from flight.wire.parameter_report import decode_parameters
from flight.wire.space_packet import Apid, SequenceCounts, decode_all
from flight.wire.telemetry import decode_event, decode_housekeeping

S = 1_000_000_000
OWN = (
    "system.stale_channels", "event.filtered_total", "event.filter_severity", "event.filter_held",
)  # fmt: skip
"""What the service itself says, beside the queues."""


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
        self.reports = []
        self.channels, self.events, self.tape = ChannelValues(), EventLog(10_000), Tape()
        self.parameters = ParameterTable({"telemetry.period_s": 10.0} | parameters)
        self.service = TelemetryService(
            channels=self.channels,
            events=self.events,
            parameters=self.parameters,
            recorder=self.tape,
            sequence=SequenceCounts(),
            queues=QueueBoard(self.channels),
            measure_host=measure_host,
            on_report=lambda rows, now_ns: self.reports.append((rows, now_ns)),
        )

    def sent(self, apid):
        return [packet for packet in self.tape.packets if packet.apid == apid]


def test_housekeeping_carries_every_channel_each_period_and_tells_the_unknown_as_unknown():
    room = Room()
    for t in range(31):
        room.channels.values[0] = 3.0
        room.service.step(t * S)
    packets = room.sent(Apid.HOUSEKEEPING)
    assert len(packets) == 4 * len(GROUPS)
    seen = {}
    for packet in packets[: len(GROUPS)]:
        housekeeping = decode_housekeeping(packet.data)
        seen.update(zip(housekeeping.channels, housekeeping.values, strict=True))
    assert len(seen) == len(CHANNELS)
    assert seen[0] == 3.0
    of_its_own = {CHANNEL_INDEX[name] for name in OWN}
    of_its_own |= {i for i in GROUPS["queues"] if not isnan(room.channels.values[i])}
    unknown = {index for index, value in seen.items() if isnan(value)}
    assert unknown == set(range(1, len(CHANNELS))) - of_its_own


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


def test_the_host_is_measured_before_a_packet_may_tell_of_it():
    measured = []
    room = Room(measure_host=lambda values: measured.append(len(values)))
    for t in range(20):
        room.service.step(t * S)
    assert measured == [len(CHANNELS)] * 20


def test_a_sensor_that_has_stopped_is_flagged_in_the_packet_within_its_age():
    room = Room(**{"telemetry.period_s": 1.0})
    die = CHANNEL_INDEX["thermal.die_c"]
    age_s = int(CHANNELS[die].age_s)
    for t in range(age_s + 3):
        if t == 0:
            room.channels.values[die] = 61.0
        room.service.step(t * S)
    packets = [decode_housekeeping(p.data) for p in room.sent(Apid.HOUSEKEEPING)]
    told = [dict(zip(p.channels, p.values, strict=True))[die] for p in packets if die in p.channels]
    assert told[: age_s + 1] == [61.0] * (age_s + 1)
    assert all(isnan(value) for value in told[age_s + 1 :])


def test_parameters_are_reported_once_when_asked_for_with_what_differs():
    room = Room()
    room.parameters.set("power.soc_floor", 0.6)
    assert [room.service.requests.offer(Report.PARAMETERS) for _ in range(5)].count(
        Offer.REJECTED
    ) == 1
    for t in range(10):
        room.service.step(t * S)
    parts = [decode_parameters(p.data) for p in room.sent(Apid.PARAMETERS)]
    assert len(parts) == 4
    assert list(parts[0].rows) == room.parameters.rows() == room.reports[0][0]
    told = {row.name: row for row in parts[0].rows}
    assert (told["power.soc_floor"].value, told["power.soc_floor"].differs) == (0.6, True)
    assert not told["power.soc_safe"].differs


def test_the_filter_of_events_is_in_telemetry():
    room = Room()
    room.events.filter.severity = Severity.ALARM
    room.events.emit("SENSOR_STALE", 0, channel="x")
    room.service.step(0)
    assert room.channels.get("event.filtered_total") == 1
    assert room.channels.get("event.filter_severity") == Severity.ALARM
    assert room.sent(Apid.EVENT) == []


def test_a_live_stream_without_a_link_keeps_the_newest_raises_nothing_and_tells_its_losses():
    room = Room(**{"telemetry.period_s": 1.0})
    for t in range(LIVE_PACKETS):
        room.service.step(t * S)
    newest = decode_all(list(room.service.live._items)[-1])[0]
    assert newest.time_ns == (LIVE_PACKETS - 1) * S
    assert room.channels.get("queues.live_telemetry_dropped") > 0
    assert len(room.tape.packets) == room.service.live.offered
    room.service.step(LIVE_PACKETS * S)
    assert room.sent(Apid.EVENT) == []


def test_before_a_stop_everything_told_so_far_is_recorded():
    room = Room()
    room.events.emit("SHUTDOWN", 5, cause="commanded")
    room.service.finish(5)
    assert [decode_event(p.data).args["cause"] for p in room.sent(Apid.EVENT)] == ["commanded"]
    assert room.tape.closed == 1
