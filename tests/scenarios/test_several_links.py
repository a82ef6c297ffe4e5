"""Light and radio as one downlink: one queue, one account of products, numbers of their own."""

import random

import msgspec
import pytest
from short_flight import SimTarget, assert_nothing_lost_or_doubled, events, scenario

from flight.keys import Half
from flight.telemetry.command_table import NoOp
from flight.wire.counter_reserve import CounterReserve
from flight.wire.product_packet import ProductClass
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import Apid, encode
from flight.wire.transfer_frame import LIGHT, RADIO
from hil.ground.operator import Fate
from hil.scenario import TimelineEntry

S = 1_000_000_000


class Flight:
    """A flight in which the test submits products and looks when they have arrived."""

    def __init__(self, folder, name="calern-pass", *, links=None, **changes):
        node = {"links": {"radio": True, **(links or {})}, **changes.pop("node", {})}
        self.target = SimTarget(scenario(name, node=node, **changes), folder)
        self.target.start()
        self.at_s = 0.0

    @property
    def node(self):
        return self.target.node

    @property
    def ground(self):
        return self.target.world.ground

    def fly(self, until_s):
        self.at_s = until_s
        self.target.advance(until_s)
        return self

    def submit(self, name, size, klass=ProductClass.EMERGENCY):
        now_ns = round(self.at_s * S)
        intake = self.node._downlink.intake
        assert intake.submit(
            name=name, klass=klass, payload=random.Random(name).randbytes(size),
            value_millis=1_000_000, deadline_ns=None, now_ns=now_ns,
        )  # fmt: skip
        intake.finish(now_ns)
        return max(self.node.queue._entries)

    def has(self, product_id):
        return self.target.world.archive.digest(product_id) is not None

    def finish(self):
        self.fly(self.target.scenario.duration_s)
        self.target.finish()
        assert_nothing_lost_or_doubled(self.target)
        return self.ground.receiver.counters


def test_an_alarm_without_light_goes_by_radio_at_once_and_never_again_by_light(tmp_path):
    flight = Flight(tmp_path).fly(30)
    (contact,) = flight.target.world.book.contacts
    alarm = flight.submit("alarm.bin", 3_000)
    waiting = flight.submit("picture.bin", 3_000, ProductClass.QUICKLOOK)
    flight.fly(32)
    assert flight.has(alarm)
    flight.fly(34)
    assert flight.node.channels.get("queue.delivered_total") == 1
    flight.fly(contact.start_s)
    assert not flight.has(waiting), "what can wait waits for light"
    assert flight.node.channels.get("link.frames_sent") == 0
    counters = flight.finish()
    assert flight.has(waiting)
    assert (counters.segments_of_finished, counters.duplicate_bytes) == (0, 0)


def test_while_there_is_light_an_alarm_goes_by_light(tmp_path):
    flight = Flight(tmp_path).fly(200)
    before = flight.target.world.radio.log.frames_sent
    alarm = flight.submit("alarm.bin", 30_000)
    flight.fly(200.5)
    assert flight.has(alarm)
    flight.fly(202)
    assert flight.target.world.radio.log.frames_sent - before <= 1
    flight.finish()


def test_an_alarm_that_light_takes_with_it_as_it_goes_comes_by_radio(tmp_path):
    cloud = TimelineEntry(action="cloud", at_s=250.0, for_s=230.0)
    flight = Flight(tmp_path, timeline=[msgspec.to_builtins(cloud)]).fly(249)
    alarms = []
    for tenth in range(30):
        flight.fly(249 + tenth / 10)
        alarms.append(flight.submit(f"alarm-{tenth}.bin", 600))
    gone_s = next(e.t_s for e in events(flight.target, "LINK_LOST") if e.t_s > 249)
    flight.fly(gone_s + 15)
    assert all(flight.has(alarm) for alarm in alarms)
    asked = [e.args["products"] for e in events(flight.target, "RECONCILED") if e.t_s > 249]
    assert sum(asked) > 0, "what was in flight was asked about, not sent blindly"
    flight.finish()


def test_a_large_product_begun_by_one_peer_is_finished_by_the_next_from_one_ledger(tmp_path):
    flight = Flight(
        tmp_path,
        duration_s=620.0,
        ground={
            "rate_bps": 0.25e6, "relay": True, "relay_first_s": 465.0, "relay_contact_s": 130.0,
            "relay_every_s": 6_000.0, "relay_rate_bps": 1e6, "report_loss": 0.3,
        },
    ).fly(200)  # fmt: skip
    station, relay = flight.target.world.book.contacts
    assert (station.kind, relay.kind) == ("OGS", "RELAY")
    size = 10_000_000
    large = flight.submit("large.bin", size, ProductClass.RAW)
    flight.fly(station.end_s + 10)
    held = flight.ground.receiver._partials[large].held.size
    assert 0.3 * size < held < 0.9 * size
    counters = flight.finish()
    assert flight.has(large)
    # Frames that the station's last report left open may be asked about before the relay reports
    # them lost: a few then go twice, and the ground keeps one.
    assert counters.duplicate_bytes < 0.01 * size
    by_relay = flight.target.world.link.logs[1].bytes_good
    assert size - held <= by_relay < 1.3 * (size - held)


def test_a_radio_that_carries_all_shares_large_products_with_the_light(tmp_path):
    flight = Flight(
        tmp_path,
        links={"radio_carries": "all", "radio_frame_bytes": 4_096},
        ground={"rate_bps": 2e6, "radio_rate_bps": 1e6, "radio_loss": 0.02},
    ).fly(140)
    products = [flight.submit(f"{n}.bin", 2_000_000, ProductClass.RAW) for n in range(12)]
    links = flight.ground.links
    before = {by: links[by].channels[by.products].frames for by in links}
    flight.fly(240)
    frames = {by: links[by].channels[by.products].frames - before[by] for by in links}
    assert min(frames.values()) * 4_096 > 5_000_000
    counters = flight.finish()
    assert sum(flight.has(each) for each in products) >= 10
    # What one link has in flight while the other's last frames are asked about may come twice.
    assert counters.duplicate_bytes < 0.01 * counters.segment_bytes


def test_what_light_lost_in_its_last_moments_the_radio_reports(tmp_path):
    flight = Flight(tmp_path, ground={"report_loss": 1.0}).fly(430)
    assert flight.node.channels.get("link.contact") == 0
    flight.fly(440)
    assert flight.node.channels.get("link.in_flight") < 8
    assert flight.node.channels.get("queue.delivered_total") > 0
    flight.finish()


def test_a_radio_that_is_trusted_with_its_own_frames_alone_settles_no_others(tmp_path):
    flight = Flight(
        tmp_path, links={"radio_reports": "own"}, ground={"report_loss": 1.0}
    ).fly(30)  # fmt: skip
    alarm = flight.submit("alarm.bin", 3_000)
    flight.fly(440)
    assert flight.has(alarm)
    assert flight.node.channels.get("link.in_flight") > 10
    assert flight.node.channels.get("radio.packets_refused") > 100
    flight.finish()


def test_frames_that_are_forged_replayed_or_of_the_other_link_are_counted_and_dropped(tmp_path):
    flight = Flight(tmp_path)
    heard = []
    push = flight.target.world.radio_end.push_rx
    flight.target.world.radio._modem.push_rx = lambda frame: heard.append(frame) or push(frame)
    flight.fly(40)
    frame = heard[-1]
    forged = frame[:60] + bytes([frame[60] ^ 1]) + frame[61:]

    def counts():
        return {
            name: flight.node.channels.get(name)
            for name in ("radio.frames_rejected", "link.frames_rejected", "link.rejected_replayed",
                         "link.rejected_bad_fecf", "link.rejected_wrong_channel")
        }  # fmt: skip

    before = counts()
    push(frame)
    push(forged)
    flight.target.world.bench.push_rx(frame)
    flight.fly(42)
    assert {name: count - before[name] for name, count in counts().items()} == {
        "radio.frames_rejected": 2, "link.frames_rejected": 3, "link.rejected_replayed": 1,
        "link.rejected_bad_fecf": 1, "link.rejected_wrong_channel": 1,
    }  # fmt: skip
    flight.finish()


@pytest.mark.parametrize("first", [LIGHT, RADIO])
def test_a_report_that_comes_by_both_links_counts_once(tmp_path, first):
    flight = Flight(tmp_path).fly(30)
    flight.submit("alarm.bin", 3_000)
    flight.fly(31)
    world = flight.target.world
    report = world.ground.receiver.make_report(1_024, 0, vcid=int(RADIO.products))
    second = RADIO if first is LIGHT else LIGHT
    ends = {LIGHT: world.bench, RADIO: world.radio_end}
    arq = flight.node._downlink.radio.arq
    for by in (first, second):
        packet = encode(Apid.REPORT, 0, report, time_ns=0, telecommand=True)
        for frame in world.ground.links[by].frames_for([packet]):
            ends[by].push_rx(frame)
        flight.fly(flight.at_s + 1.5)
    assert arq.counters.reports_duplicate == 1
    flight.finish()


def test_a_command_goes_up_and_its_answer_comes_down_by_radio_before_there_is_light(tmp_path):
    flight = Flight(tmp_path).fly(20)
    number = flight.ground.command(NoOp(), 20 * S)
    flight.fly(24)
    assert flight.ground.operator.fate(number).fate is Fate.COMPLETED
    assert flight.node.channels.get("link.frames_sent") == 0
    flight.finish()


def test_a_reset_in_a_radio_contact_repeats_no_number_and_loses_no_alarm(tmp_path):
    reset = TimelineEntry(action="reset", at_s=30.2)
    seen = []
    flight = Flight(tmp_path, timeline=[msgspec.to_builtins(reset)], ground={"radio_loss": 0.3})
    land = flight.ground.on_frame
    flight.ground.on_frame = lambda frame, now_ns, by=LIGHT: (
        seen.append(frame) or land(frame, now_ns, by)
    )
    flight.fly(29.8)
    alarm = flight.submit("alarm.bin", 30_000)
    flight.fly(70)
    assert flight.has(alarm)
    flight.finish()
    keys = flight.target.world.keys
    counters = []
    for frame in seen:
        for channels in (LIGHT, RADIO):
            link = SecureLink(
                scid=flight.target.scenario.node.link.spacecraft_id, sends=keys.sends(Half.GROUND),
                receives=[keys.receives(Half.GROUND)], counters=_counters(),
                frame_bytes_max=65_536, channels=channels,
            )  # fmt: skip
            if isinstance(link.open(frame), Opened):
                counters.append(link._window.highest)
    assert len(counters) == len(seen)
    assert len(set(counters)) == len(counters), "no nonce twice, over links and resets"


def _counters():
    return CounterReserve(load=lambda: 0, store=lambda _value: None)
