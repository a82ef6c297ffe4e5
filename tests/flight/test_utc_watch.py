from flight.base.clock import UtcQuality
from flight.base.utc_keeper import STEP_CONFIRMED, UtcKeeper
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.dictionary import UTC_LABELS
from flight.telemetry.event_log import EventLog
from flight.utc_watch import UtcWatch
from flight.wire.space_packet import SequenceCounts

S = 1_000_000_000
EPOCH = 1_780_000_000 * S


class Room:
    def __init__(self):
        self.told, self.t, self.locked = [], 0, True
        self.channels, self.sequence = ChannelValues(), SequenceCounts()
        self.watch = UtcWatch(
            UtcKeeper(), lambda: self.locked, self.sequence, self.channels,
            EventLog(64, lambda event: self.told.append((event.name, event.args))),
        )  # fmt: skip

    def read(self, offset_ns, seconds=1):
        for _ in range(seconds):
            self.t += 1
            utc_ns = None if offset_ns is None else self.t * S + offset_ns
            self.watch.observe(self.t * S, utc_ns)

    def channel(self, name):
        return self.channels.get(f"time.{name}")


def test_the_labels_are_those_of_the_qualities():
    assert len(UTC_LABELS) == len(UtcQuality)
    assert UTC_LABELS[UtcQuality.SYNCHRONISED] == "locked"
    assert UTC_LABELS[UtcQuality.UNSET] == "none"


def test_without_utc_there_is_no_label_and_packets_say_none():
    room = Room()
    room.read(None)
    assert room.watch.utc_s(5 * S) is None
    assert room.sequence.utc_quality is UtcQuality.UNSET
    assert room.channel("utc_quality") == UtcQuality.UNSET
    assert room.told == []


def test_quality_offset_age_and_steps_are_told_and_packets_carry_the_quality():
    room = Room()
    room.read(EPOCH, 3)
    assert room.watch.utc_s(0) == EPOCH / S
    assert room.channel("utc_offset_s") == EPOCH / S
    assert room.sequence.utc_quality is UtcQuality.SYNCHRONISED
    room.read(None, 4)
    assert room.sequence.utc_quality is UtcQuality.FLYWHEEL
    assert room.channel("correlation_age_s") == 4.0
    room.locked = False
    room.read(EPOCH + 3_600 * S, STEP_CONFIRMED)
    assert (room.channel("steps_total"), room.channel("last_step_s")) == (1, 3_600.0)
    assert room.told == [
        ("UTC_QUALITY", {"old": "none", "new": "locked"}),
        ("UTC_QUALITY", {"old": "locked", "new": "flywheel"}),
        ("UTC_STEPPED", {"step_s": 3_600.0}),
        ("UTC_QUALITY", {"old": "flywheel", "new": "set"}),
    ]
