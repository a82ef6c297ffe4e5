"""The radio: by plan and lock alone, shallow, for emergencies while there is no light."""

import pytest

from flight.commanding.authentication import Intake
from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.frame_filler import FrameFiller, manifest_overhead
from flight.downlink.pass_plan import Contact, ContactKind, PassPlan
from flight.downlink.product import Product
from flight.downlink.product_lives import ProductLives
from flight.downlink.radio_link import FIFO_FRAMES, PUBLISHED, RadioLink
from flight.downlink.settlement import Settlement
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.keys import Half, derive_from_seed
from flight.link_config import LinksConfig
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from flight.wire.counter_reserve import CounterReserve
from flight.wire.crc import crc32c
from flight.wire.link_security import SecurityVerdict
from flight.wire.product_packet import ProductClass
from flight.wire.report import Report, encode
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, SequenceCounts, SpacePacket
from flight.wire.transfer_frame import LIGHT, RADIO
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import FailingCall, HalConfig, TermFlag

S = 1_000_000_000
STEP_NS = S // 10
SYNC = int(TermFlag.SYNC)


class Store:
    """Every product is zeros."""

    def mark_sending(self, product_ids):
        pass

    lost = ()

    def read(self, product_id, offset, length):
        del offset
        if product_id in self.lost:
            raise StoreError(StoreErrorKind.DAMAGED)
        return bytes(length)


class Uplink:
    """Notes which frames were taken, and what whoever opens them made of them."""

    def __init__(self):
        self.taken = []

    def take_frame(self, frame, now_ns, by):
        del now_ns
        self.taken.append(by.take(frame))


class Delivered:
    def delivered(self, product_ids):
        pass


class Opener:
    """Stands for the authenticator: says what it was told to."""

    packets_refused = 0

    def __init__(self, *packets):
        self.packets = packets

    def take(self, frame):
        del frame
        return Intake(SecurityVerdict.OK, (), self.packets)


def counters():
    return CounterReserve(load=lambda: 0, store=lambda _value: None)


class Bench:
    """A radio over a fake modem, beside a light that only has its ARQ."""

    def __init__(self, *, opener=None, contacts=((1, 0, 60),), **config):
        self.config = LinksConfig(radio=True, **config)
        self.devices = FakeDevices(HalConfig(tx_fifo_frames=8))
        self.hal = FakeBench(self.devices)
        self.queue = DownlinkQueue(first_overhead_bytes=manifest_overhead)
        self.light = ArqSender(LIGHT.products)
        self.arq = ArqSender(
            RADIO.products, ArqConfig(probe_ns=30 * S), products=self.light.products
        )
        self.told = []
        events = EventLog(256, self.told.append)
        self.settlement = Settlement(self.light, self.queue, Delivered(), events)
        self.settlement.senders[RADIO.products] = self.arq
        keys = derive_from_seed(1)
        link = SecureLink(
            scid=1, sends=keys.sends(Half.NODE), receives=[keys.receives(Half.NODE)],
            counters=counters(), channels=RADIO,
        )  # fmt: skip
        self.ground = SecureLink(
            scid=1, sends=keys.sends(Half.GROUND), receives=[keys.receives(Half.GROUND)],
            counters=counters(), channels=RADIO,
        )  # fmt: skip
        self.uplink, self.store = Uplink(), Store()
        self.channels = ChannelValues()
        plan = [
            Contact(number, 7, ContactKind.RADIO, start * S, end * S, 256e3)
            for number, start, end in contacts
        ]
        self.radio = RadioLink(
            modem=self.devices, plan=PassPlan(plan), names={1: "Nemea, radio"}, link=link,
            authenticator=opener or Opener(),
            filler=FrameFiller(
                self.queue, self.arq, self.store, SequenceCounts(), link.packets_bytes_max,
                urgent=self.config.radio_carries == "urgent",
            ),
            arq=self.arq, light=self.light, settlement=self.settlement, uplink=self.uplink,
            config=self.config, lives=ProductLives(lambda _lines: True), channels=self.channels,
            events=events,
        )  # fmt: skip
        self.live = []
        self.now_ns = 0

    def offer(self, number, klass=ProductClass.EMERGENCY, size=1_000):
        product = Product(
            number, klass, size, 1_000, None, 0, crc32c(bytes(size)), f"p{number}.bin", None
        )
        self.queue.offer(product, self.now_ns)

    def fly(self, seconds, *, flags=SYNC, light=False):
        """Steps on; the frames that left the modem, opened."""
        self.hal.write_sensors(term_flags=flags)
        frames = []
        for _ in range(round(seconds * S) // STEP_NS):
            self.radio.receive(self.now_ns)
            self.radio.step(self.now_ns, light=light, live=self.live_packets)
            frames += self.hal.drain_tx(1)
            self.now_ns += STEP_NS
        opened = [self.ground.open(frame) for frame in frames]
        assert all(isinstance(each, Opened) for each in opened)
        return opened

    def live_packets(self, now_ns, room_bytes):
        del now_ns, room_bytes
        return [self.live.pop()] if self.live else []

    def value(self, name):
        return self.channels.get(name)


def test_nothing_goes_without_a_contact_of_the_plan_or_without_the_modems_lock():
    bench = Bench(contacts=((1, 2, 4),))
    bench.offer(1)
    assert bench.fly(2) == []
    assert bench.fly(1, flags=0) == []
    assert [each.vcid for each in bench.fly(1)] == [RADIO.products]
    bench.offer(2)
    assert bench.fly(2) == []
    assert [event.name for event in bench.told] == [
        "CONTACT_STARTED", "LINK_ACQUIRED", "RADIO_ENDED",
    ]  # fmt: skip


def test_of_products_only_emergencies_go_and_only_while_there_is_no_light():
    bench = Bench()
    bench.offer(1, ProductClass.QUICKLOOK)
    assert bench.fly(1) == []
    bench.offer(2)
    assert bench.fly(1, light=True) == []
    (frame,) = bench.fly(0.3)
    assert [packet.apid for packet in frame.packets] == [
        Apid.PRODUCT_MANIFEST, Apid.PRODUCT_SEGMENT,
    ]  # fmt: skip
    assert bench.queue.next_segment(0, 100).product_id == 1


def test_a_radio_that_carries_all_does_so_beside_the_light():
    bench = Bench(radio_carries="all")
    bench.offer(1, ProductClass.RAW, size=20_000)
    assert len(bench.fly(1, light=True)) == 10


def test_what_is_live_goes_first_while_there_is_no_light():
    bench = Bench()
    bench.offer(1, size=6_000)
    packet = SequenceCounts().packet(Apid.VERIFICATION, b"told", 0)
    bench.live = [packet]
    assert bench.fly(1, light=True) == []
    assert [each.vcid for each in bench.fly(1)][:2] == [RADIO.telemetry, RADIO.products]


def test_the_modems_fifo_is_kept_shallow_and_a_refused_frame_is_counted():
    bench = Bench()
    bench.offer(1, size=50_000)
    bench.hal.write_sensors(term_flags=SYNC)
    bench.radio.step(0, light=False, live=bench.live_packets)
    assert len(bench.hal.drain_tx(64)) == FIFO_FRAMES
    bench.hal.fail(FailingCall.SUBMIT)
    bench.radio.step(S, light=False, live=bench.live_packets)
    assert bench.value("radio.frames_refused") == FIFO_FRAMES
    bench.hal.fail(FailingCall.SNAPSHOT)
    bench.radio.step(2 * S, light=False, live=bench.live_packets)
    assert not bench.value("radio.locked")
    assert bench.told[-2].name == "HAL_FAILED"


def test_what_light_had_in_flight_of_emergencies_is_asked_about_when_it_goes():
    bench = Bench()
    bench.offer(1)
    bench.offer(2, ProductClass.RAW)
    for frame_no in (1, 2):
        bench.light.sent(frame_no, [bench.queue.next_segment(0, 4_000)], 0)
    bench.light.on_link_up(0)
    bench.fly(0.2)
    bench.light.on_link_down(0)
    (frame,) = bench.fly(0.3)
    assert [packet.apid for packet in frame.packets] == [Apid.RECONCILE_REQUEST]
    assert bench.arq.unreconciled == 1
    assert bench.light.in_flight_frames == 2, "a report may still settle them"


def test_what_a_contact_leaves_in_flight_is_not_left_until_the_next_one():
    bench = Bench(contacts=((1, 0, 5),))
    bench.offer(1)
    assert len(bench.fly(4)) >= 1
    assert bench.value("radio.in_flight") > 0
    bench.fly(2)
    assert bench.value("radio.in_flight") == 0
    assert bench.light.reconcile_items(8) == (1,)


@pytest.mark.parametrize("trusted", ["all", "own"])
def test_reports_about_another_link_count_only_where_the_radio_is_trusted_with_them(trusted):
    told = [
        SpacePacket(Apid.REPORT, True, number, encode(Report(1, 0, vcid, 5, 1, ((1, 5),))), 0, 0)
        for number, vcid in enumerate((LIGHT.products, RADIO.products))
    ]
    bench = Bench(opener=Opener(*told), radio_reports=trusted)
    bench.hal.push_rx(b"sealed")
    bench.fly(0.1)
    (intake,) = bench.uplink.taken
    assert intake.arq_packets == (tuple(told) if trusted == "all" else (told[1],))
    assert bench.value("radio.packets_refused") == (0 if trusted == "all" else 1)


def test_every_figure_of_the_radio_is_told():
    bench = Bench()
    bench.offer(1)
    bench.fly(1)
    figures = [bench.value(name) for name in PUBLISHED]
    assert figures == [1, True, bench.value("radio.frames_sent"), 0, 0, 1, 0, 0, 0]


def test_an_emergency_that_cannot_be_read_any_more_is_told_to_who_drops_it():
    bench = Bench()
    bench.store.lost = {1}
    bench.offer(1)
    bench.offer(2)
    bench.fly(1)
    assert bench.radio.unreadable == [1]
    assert 1 not in bench.queue
