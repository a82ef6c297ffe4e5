"""The contact loop with both ends real: credit, order, and nothing that is lost unnoticed."""

import pytest

from flight.base.channels import Latest
from flight.base.clock import LoopClock
from flight.commanding.authentication import CommandLedger, UplinkAuthenticator
from flight.commanding.dispatcher import COMPLETED, Binding, Dispatcher
from flight.commanding.parameters import ParameterTable
from flight.commanding.uplink_service import UplinkService
from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.contact_session import FIFO_FRAMES_LEAST, ContactSession
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.downlink_service import DownlinkService
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.frame_filler import FrameFiller, manifest_overhead
from flight.downlink.pass_plan import Contact, ContactKind, PassPlan
from flight.downlink.product import ProductClass
from flight.downlink.product_intake import ProductIntake
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.queue_values import QueueConfig
from flight.downlink.settlement import Settlement
from flight.fdir.command_loss import CommandLoss
from flight.fdir.health_monitor import Heartbeat
from flight.keys import Half, derive_from_seed
from flight.link_config import StoreConfig
from flight.node_status import NodeStatus
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.command_table import DeleteProduct
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.telemetry.event_log import EventLog
from flight.telemetry.queue_board import QueueBoard
from flight.telemetry.recorder import Recorder
from flight.telemetry.telemetry_service import TelemetryService
from flight.wire.counter_reserve import CounterReserve
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import Apid, SequenceCounts
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import FailingCall, HalConfig, TermFlag
from hil.ground.archive import Archive
from hil.ground.ground_segment import GroundSegment
from hil.simloop import SimLoop

S = 1_000_000_000
STEP_NS = S // 100
KEYS, SCID, FRAME_BYTES, CREDIT, PEER = derive_from_seed(5), 9, 2_048, 4, 11
LOCKED = int(TermFlag.BEACON | TermFlag.COARSE | TermFlag.FINE)
SYNC = LOCKED | int(TermFlag.SYNC)


def reserve():
    return CounterReserve(lambda: 0, lambda _: None)


class ListeningDevices(FakeDevices):
    """Counts how often the node looks for uplink frames: once a turn when there are none."""

    looks = 0

    def receive_frame(self):
        self.looks += 1
        return super().receive_frame()


class Hearing:
    """A board's terminal that says when a frame has come."""

    def __init__(self, loop):
        self.loop, self.hear, self.end = loop, None, lambda: None

    async def wait_until(self, t_ns, hear):
        over = self.loop.create_future()
        self.hear, self.end = hear, lambda: over.done() or over.set_result(None)
        self.loop.call_at_ns(t_ns, self.end)
        await over

    def frame_has_come(self):
        if not self.hear():
            self.end()


class Flight:
    """The downlink as the root composes it, a terminal, and the ground behind it."""

    def __init__(self, folder, *, contact_s=(1, 1_000), window_frames=4096, hears=False):
        self.loop = SimLoop()
        self.hearing = Hearing(self.loop)
        self.devices = ListeningDevices(HalConfig(tx_fifo_frames=CREDIT, rx_fifo_frames=256))
        self.hal = FakeBench(self.devices)
        self.ground = GroundSegment(
            keys=KEYS, scid=SCID, frame_bytes_max=FRAME_BYTES, archive=Archive(folder, sync=False)
        )
        self.files = MemoryFileStore()
        self.store = ProductStore(self.files, folder / "index.sqlite3", segment_bytes=1 << 17)
        self.store.recover()
        self.channels, self.told = ChannelValues(), []
        self.events = EventLog(256, self.told.append)
        self.queue = DownlinkQueue(QueueConfig(), first_overhead_bytes=manifest_overhead)
        self.arq = ArqSender(2, ArqConfig(window_frames=window_frames, urgent_reserve_frames=0))
        self.sequence = SequenceCounts()
        link = SecureLink(
            scid=SCID, sends=KEYS.sends(Half.NODE), receives=[KEYS.receives(Half.NODE)],
            counters=reserve(), frame_bytes_max=FRAME_BYTES,
        )  # fmt: skip
        status = Latest()
        status.set(NodeStatus(0, 0.0, Mode.IDLE, 1, ThrottleReason.NONE, True, 1.0), 0)
        shared = {"channels": self.channels, "events": self.events}
        self.intake = ProductIntake(
            store=self.store, queue=self.queue, arq=self.arq, ids=reserve(),
            config=StoreConfig(), **shared,
        )  # fmt: skip
        self.uplink = self._uplink(link, status, shared)
        self.session = ContactSession(
            devices=self.devices,
            plan=PassPlan(
                [Contact(1, PEER, ContactKind.OGS, contact_s[0] * S, contact_s[1] * S, 1e6)]
            ),
            names={}, queue=self.queue, arq=self.arq, status=status,
            delivered=lambda: self.intake.delivered_total, frame_bytes=4096, **shared,
            learned=lambda _now_ns: None,
        )  # fmt: skip
        self.telemetry = TelemetryService(
            parameters=ParameterTable({"telemetry.period_s": 1.0}),
            recorder=Recorder(self.intake), sequence=self.sequence, measure_host=None,
            queues=QueueBoard(shared["channels"]), **shared,
        )  # fmt: skip
        self.heart = Heartbeat()
        self.service = DownlinkService(
            clock=LoopClock(self.loop), devices=self.devices, session=self.session, link=link,
            filler=FrameFiller(
                self.queue, self.arq, self.store, self.sequence, link.packets_bytes_max
            ),
            arq=self.arq, intake=self.intake, uplink=self.uplink,
            settlement=Settlement(self.arq, self.queue, self.intake, self.events),
            telemetry=self.telemetry, sequence=self.sequence, channels=self.channels,
            heart=self.heart, wait_until=self.hearing.wait_until if hears else None,
        )  # fmt: skip
        self.serving = self.loop.create_task(self.service.serve())

    def _uplink(self, link, status, shared):
        ledger = CommandLedger()
        return UplinkService(
            devices=self.devices,
            authenticator=UplinkAuthenticator(link, ledger),
            dispatcher=Dispatcher(
                [Binding(kind, lambda _c, _t: COMPLETED) for kind in COMMAND_BY_TYPE], ledger
            ),
            ledger=ledger, command_loss=CommandLoss(S, 0), status=status,
            sequence=self.sequence, store=self.store, **shared,
        )  # fmt: skip

    def close(self):
        self.loop.cancel_all()
        self.loop.close()
        self.store.close()

    @property
    def now_ns(self):
        return self.loop.time_ns()

    def product(self, size=3_000, value=1_000):
        assert self.intake.submit(
            name=f"p{self.store.products}.bin", klass=ProductClass.MASK, payload=bytes(size),
            value_millis=value, deadline_ns=None, now_ns=self.now_ns,
        )  # fmt: skip
        self.intake.finish(self.now_ns)

    def run(self, seconds, *, drained=0, reports=False, flags=SYNC):
        """Flies on; the terminal takes `drained` frames each 10 ms and the ground hears them."""
        self.hal.write_sensors(term_flags=flags)
        end_ns = self.now_ns + round(seconds * S)
        while self.now_ns < end_ns:
            self.loop.run_until_ns(self.now_ns + STEP_NS)
            for frame in self.hal.drain_tx(drained) if drained else ():
                self.ground.on_frame(frame, self.now_ns)
            for frame in self.ground.uplink(self.now_ns, report=reports):
                self.hal.push_rx(frame)
            if self.now_ns % S == 0:
                self.intake.step(self.now_ns)
                self.telemetry.step(self.now_ns)

    def packets(self, frames):
        """What some frames hold, on their way to the ground."""
        return [self.ground.link.on_frame(frame).packets for frame in frames]

    def command_now(self):
        """A command arrives between two turns; the answers that leave before the next one."""
        self.ground.command(DeleteProduct(1), self.now_ns)
        for frame in self.ground.uplink(self.now_ns, report=False):
            self.hal.push_rx(frame)
        self.hearing.frame_has_come()
        packets = [p for frame in self.packets(self.hal.drain_tx(CREDIT)) for p in frame]
        return [p for p in packets if p.apid == Apid.VERIFICATION]

    def names(self):
        return [event.name for event in self.told]


@pytest.fixture
def make(tmp_path):
    made = []

    def flight(folder=".", **options):
        (tmp_path / folder).mkdir(exist_ok=True)
        made.append(Flight(tmp_path / folder, **options))
        return made[-1]

    yield flight
    for each in made:
        each.close()


def test_no_frame_is_given_to_the_terminal_before_lock(make):
    flight = make()
    flight.product()
    flight.ground.command(DeleteProduct(1), 0)
    flight.run(8, flags=LOCKED)
    assert flight.devices.tx_frames_total + len(flight.devices.tx) == 0
    assert len(flight.uplink.verification)
    flight.run(2)
    assert len(flight.devices.tx) == FIFO_FRAMES_LEAST


def test_the_terminal_gets_one_frame_a_credit_and_never_more(make):
    flight = make()
    flight.product(100_000)
    flight.run(5)
    assert flight.hal.drain_tx(2)
    flight.run(1)
    assert flight.devices.counters().tx_accepted == FIFO_FRAMES_LEAST + 2
    assert flight.devices.counters().tx_rejected_full == 0
    assert flight.session.frames_refused == 0
    assert flight.channels.get("link.frames_sent") == FIFO_FRAMES_LEAST + 2


def test_verification_reports_go_first_ahead_of_telemetry_and_products(make):
    flight = make()
    flight.product(100_000)
    flight.run(5)
    flight.hal.drain_tx(CREDIT)
    flight.run(0.2)
    flight.hal.drain_tx(CREDIT)
    flight.events.emit("HAL_FAILED", flight.now_ns, device="x", kind="IO")
    flight.telemetry.step(flight.now_ns)
    flight.ground.command(DeleteProduct(1), flight.now_ns)
    flight.run(0.2)
    first, *rest = flight.packets(flight.hal.drain_tx(CREDIT))
    apids = [packet.apid for packet in first]
    assert apids[:2] == [Apid.VERIFICATION] * 2
    assert Apid.PRODUCT_SEGMENT not in apids
    assert apids[2:]
    assert all(p.apid != Apid.VERIFICATION for packets in rest for p in packets)


def test_products_reach_the_archive_and_are_freed_when_the_ground_says_so(make):
    flight = make()
    for value in range(1, 21):
        flight.product(5_000, value)
    flight.run(12, drained=CREDIT)
    assert flight.ground.receiver.counters.products == 20
    assert flight.intake.delivered_total == 0
    flight.run(3, drained=CREDIT, reports=True)
    assert flight.intake.delivered_total == 20
    assert flight.names().count("PRODUCT_DELIVERED") == 20
    assert flight.channels.get("link.reports_received") > 0
    assert flight.channels.get("link.frames_retransmitted") == 0
    assert flight.channels.get("link.in_flight") == 0


def test_a_report_that_finds_no_room_in_its_frame_goes_with_the_next_one(make):
    flight = make()
    for product_id in range(1, 61):
        flight.ground.command(DeleteProduct(product_id), 0)
    flight.run(10, drained=CREDIT)
    operator = flight.ground.operator
    assert len(operator.pending) == 0
    assert operator.retransmissions == 0
    assert flight.uplink.verification.dropped == 0
    assert flight.uplink.verification.high_water * 30 > FRAME_BYTES


def test_an_eviction_is_withdrawn_from_the_ground_even_through_short_frames(make):
    flight = make(contact_s=(1, 100))
    flight.product(120_000)
    flight.run(2, drained=1)
    assert flight.ground.receiver.partial_products == 1
    flight.intake.deletions.offer(1)
    flight.intake.step(flight.now_ns)
    flight.run(4, drained=CREDIT)
    assert flight.ground.receiver.counters.partials_withdrawn == 1
    assert flight.ground.receiver.partial_products == 0
    assert len(flight.intake.withdrawn) == 0
    assert flight.ground.housekeeping


def test_more_withdrawals_than_a_frame_holds_all_come_down(make):
    flight = make()
    for product_id in range(1, 1_001):
        flight.intake.withdrawn.offer(product_id)
    withdrawn = []
    flight.run(5)
    for _ in range(1_500):
        flight.run(0.01)
        for packets in flight.packets(flight.hal.drain_tx(CREDIT)):
            withdrawn += [p for p in packets if p.apid == Apid.PRODUCT_MANIFEST]
    assert len(flight.intake.withdrawn) == 0
    assert sum(len(packet.data) for packet in withdrawn) >= 8 * 1_000


def test_a_damaged_product_is_dropped_once_and_those_behind_it_go(make):
    flight = make()
    flight.product(3_000, 1_000)
    flight.product(3_000, 10)
    file = next(iter(flight.files._names.values()))
    at = file.volatile.index(bytes(2_000))
    file.volatile[at + 1_000] ^= 1
    flight.run(10, drained=CREDIT, reports=True)
    lost = [e.args["product"] for e in flight.told if e.name == "PRODUCT_EVICTED"]
    assert lost == [1]
    assert flight.channels.get("queue.dropped_total") == 1
    assert flight.intake.delivered_total == 1


def test_frames_the_terminal_refused_are_counted_and_sent_again(make):
    flight = make()
    flight.product(30_000)
    flight.run(4)
    flight.hal.fail(FailingCall.SUBMIT)
    flight.run(0.2, drained=CREDIT)
    flight.hal.fail(0)
    assert flight.session.frames_refused > 0
    flight.product(30_000)
    flight.run(6, drained=CREDIT, reports=True)
    assert flight.intake.delivered_total == 2
    live = 1  # one of them held telemetry, which is recorded and not sent again
    again = flight.channels.get("link.frames_retransmitted")
    assert again == flight.session.frames_refused - live


def test_a_full_window_of_frames_without_a_report_holds_products_back_and_not_telemetry(make):
    flight = make(window_frames=8)
    flight.product(60_000)
    flight.run(8, drained=CREDIT)
    assert flight.channels.get("link.in_flight") == 8
    assert flight.ground.receiver.partial_products == 1
    heard = flight.ground.receiver.counters.frames
    flight.run(3, drained=CREDIT)
    assert flight.ground.receiver.counters.frames > heard
    flight.run(3, drained=CREDIT, reports=True)
    assert flight.intake.delivered_total == 1


def test_outside_a_contact_the_loop_looks_up_once_a_second(make):
    flight = make(contact_s=(20, 40))
    flight.run(10)
    assert flight.devices.looks == flight.heart.beats == 11
    flight.run(20)
    assert flight.devices.looks > 11 + 9 + 10 * 10


def test_frames_sealed_together_are_those_that_would_have_gone_one_by_one(make, monkeypatch):
    def frames(at_once):
        monkeypatch.setattr("flight.downlink.downlink_service.BATCH_FRAMES", at_once)
        flight = make(window_frames=64, folder=f"by-{at_once}")
        for value in (5, 900, 30):
            flight.product(5_000, value)
        flight.run(3)
        flight.product(9_000, 5_000)
        taken = []
        for _ in range(20):
            flight.run(0.01)
            taken += flight.hal.drain_tx(CREDIT)
        return [bytes(frame) for frame in taken]

    one_by_one = frames(1)
    assert len(one_by_one) > 10
    assert frames(3) == frames(16) == one_by_one


def test_a_command_that_arrives_between_two_turns_is_done_and_answered_before_the_next(make):
    flight = make(hears=True)
    flight.run(5.015, drained=CREDIT)
    begun_ns, turns = flight.now_ns, flight.heart.beats
    assert len(flight.command_now()) == 2
    assert (flight.now_ns, flight.heart.beats) == (begun_ns, turns)
    sent = flight.channels.get("link.frames_sent")
    flight.run(0.2)
    assert flight.channels.get("link.frames_sent") >= sent


def test_without_lock_a_command_is_done_at_once_and_its_answer_waits_for_light(make):
    flight = make(hears=True)
    flight.run(5.015, flags=LOCKED)
    assert flight.command_now() == []
    assert len(flight.uplink.verification) == 2
    flight.run(3)
    assert len(flight.uplink.verification) == 0


def test_when_the_credit_of_a_turn_is_used_up_an_answer_asks_for_the_next_turn(make):
    flight = make(hears=True)
    flight.run(5.06, drained=CREDIT)
    answers = [len(flight.command_now()) for _ in range(FIFO_FRAMES_LEAST + 1)]
    assert answers == [2] * FIFO_FRAMES_LEAST + [0]
    turns = flight.heart.beats
    flight.loop.run_until_ns(flight.now_ns + 1)
    assert flight.heart.beats == turns + 1
    assert flight.session.frames_refused == 0
    assert len(flight.uplink.verification) == 0


class LossyRadio:
    """A radio that found an emergency to be lost, as `FrameFiller` does."""

    in_contact = False

    def __init__(self, queue, product_id):
        queue.delete(product_id)
        self.unreadable = [product_id]

    def receive(self, now_ns):
        pass

    def step(self, now_ns, *, light, live):
        pass


def test_what_the_radio_finds_to_be_lost_is_told_withdrawn_and_gone_from_the_store(make):
    flight = make()
    flight.product()
    (product_id,) = [row.product_id for row in flight.store.catalogue.rows()]
    flight.service._radio = LossyRadio(flight.queue, product_id)
    flight.run(8, drained=0, flags=0)
    assert "PRODUCT_EVICTED" in flight.names()
    assert list(flight.intake.withdrawn) == [product_id]
    assert flight.store.products == 0
