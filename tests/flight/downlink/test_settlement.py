"""What a report means is passed on exactly once: to the queue, to the store, to reconciliation."""

from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import QueueConfig
from flight.downlink.settlement import Settlement
from flight.telemetry.event_log import EventLog
from flight.wire.reconcile import Answered, Held, ReconcileAnswer, encode_answer
from flight.wire.report import Report, encode
from flight.wire.space_packet import Apid, SpacePacket


class Intake:
    """What the settlement tells the intake."""

    def __init__(self):
        self.done = []

    def delivered(self, product_ids):
        self.done += product_ids


class Bench:
    """One product of 300 bytes, sent in three frames."""

    def __init__(self):
        order = OrderConfig(ageing_ns=None, floor_permille=0)
        self.queue = DownlinkQueue(QueueConfig(order=order))
        self.arq = ArqSender(2, ArqConfig())
        self.intake = Intake()
        self.heard = []
        self.settlement = Settlement(
            self.arq, self.queue, self.intake, EventLog(16, lambda e: self.heard.append(e.name))
        )
        self.queue.offer(Product(1, ProductClass.MASK, 300, 9, None, 0, 7, "p1"), 0)
        for frame_no in (1, 2, 3):
            self.arq.sent(frame_no, [self.queue.next_segment(0, 100)], 0)

    def take(self, apid, data):
        self.settlement.take(
            SpacePacket(apid=apid, seq_count=0, time_ns=0, telecommand=True, data=data), 5
        )

    def report(self, seq, ranges, completed=()):
        self.take(Apid.REPORT, encode(Report(1, seq, 2, 3, 1, ranges, completed)))


def test_what_arrived_is_acknowledged_and_what_did_not_goes_again():
    bench = Bench()
    bench.report(0, ((3, 3), (1, 1)))
    counts = bench.settlement.counts
    assert (counts.reports, counts.segments_acked, counts.segments_lost) == (1, 2, 1)
    assert bench.queue.acked_ranges(1) == ((0, 100), (200, 300))
    again = bench.queue.next_segment(5, 1000)
    assert (again.offset, again.length) == (100, 100)
    assert bench.queue.next_segment(5, 1000) is None
    assert bench.intake.done == []


def test_only_the_grounds_word_on_the_whole_product_completes_it():
    bench = Bench()
    bench.report(0, ((1, 3),))
    assert bench.intake.done == []
    bench.report(1, ((1, 3),), completed=(1,))
    assert bench.intake.done == [1]


def test_a_report_told_twice_changes_nothing():
    bench = Bench()
    bench.report(0, ((3, 3), (1, 1)))
    bench.queue.next_segment(5, 1000)
    bench.report(0, ((3, 3), (1, 1)))
    assert bench.settlement.counts.segments_lost == 1
    assert bench.queue.next_segment(5, 1000) is None


def test_unreadable_reports_and_answers_are_counted_and_told():
    bench = Bench()
    bench.take(Apid.REPORT, b"\xff")
    bench.take(Apid.RECONCILE_ANSWER, b"\xff")
    assert bench.settlement.counts.refused == 2
    assert bench.heard == ["REPORT_REJECTED"] * 2
    assert bench.queue.acked_ranges(1) == ()


def test_a_reconcile_answer_resumes_with_what_the_ground_holds():
    bench = Bench()
    bench.queue.suspend(1)
    bench.arq.unfinished((bench.queue.product(1),))
    asked = bench.arq.reconcile_items(8)
    assert asked == (1,)
    bench.arq.sent(4, [], 0, asked=asked)
    answer = ReconcileAnswer(1, (Answered(1, Held.PARTIAL, ((0, 250),)),))
    bench.take(Apid.RECONCILE_ANSWER, encode_answer(answer))
    assert bench.settlement.counts.reconciled == 1
    assert "RECONCILED" in bench.heard
    rest = bench.queue.next_segment(5, 1000)
    assert (rest.offset, rest.length) == (250, 50)
