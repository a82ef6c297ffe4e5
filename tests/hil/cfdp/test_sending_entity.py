"""Files to a receiver that we did not write, over a way that loses, doubles and reorders."""

import dataclasses
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from cfdp_oracle import GROUND, SENDER, Clock, GroundSystem, Way
from hypothesis import given, settings
from hypothesis import strategies as st
from spacepackets.cfdp import ConditionCode

from flight.wire.crc import crc32c
from flight.wire.product_packet import Manifest, ProductClass
from hil.cfdp.archive_files import ArchiveFiles
from hil.cfdp.pdu_values import ChecksumType, Entities
from hil.cfdp.sender_values import SenderConfig
from hil.cfdp.sending_entity import SendingEntity
from hil.cfdp.transfer_book import TransferBook
from hil.ground.archive import Archive

STEP_NS = 50_000_000
CONFIG = SenderConfig(Entities(SENDER, GROUND), segment_bytes=64)


@dataclasses.dataclass
class Station:
    """An archive with a sender of files before it, and what it sends to."""

    root: Path
    clock: Clock
    ground: GroundSystem
    config: SenderConfig = CONFIG

    def __post_init__(self):
        self.products = {}
        self.archive = Archive(self.root / "archive", sync=False)
        self.start()

    def receive(self, name, content):
        """A product comes down."""
        product_id = len(self.products) + 1
        self.products[name] = content
        manifest = Manifest(
            product_id, ProductClass.MASK, len(content), crc32c(content), 1_000, None, 0, name
        )
        self.archive.file(manifest, content, received_ns=product_id)
        self.look()

    def start(self):
        self.book = TransferBook(self.root / "book.jsonl")
        begun = {file.product_id for file in self.book.begun.values()}
        self.files = ArchiveFiles(self.root / "archive", self.book.delivered | begun)
        self.entity = SendingEntity(self.config, self.files, self.book, dict(self.book.begun))
        self.look()

    def stop(self):
        """As a kill does it."""
        self.book.close()
        self.files.close()

    def look(self):
        for file in self.files.new_files():
            self.entity.offer(file)

    def step(self, up=None, down=None, pdus_max=40):
        """One step of time: what there is goes both ways."""
        out = []
        while len(out) < pdus_max and (pdu := self.entity.next_pdu(self.clock.now_ns)) is not None:
            out.append(pdu)
        for pdu in (down or Way(0)).carry(out):
            self.ground.hear(pdu)
        for pdu in (up or Way(0)).carry(self.ground.say()):
            self.entity.hear(pdu, self.clock.now_ns)
        self.clock.now_ns += STEP_NS

    def until_done(self, up=None, down=None, steps_max=40_000):
        for _ in range(steps_max):
            if not self.entity.unfinished:
                return
            self.step(up, down)
        raise AssertionError(f"{self.entity.unfinished} unfinished: {dict(self.entity.counts)}")

    def all_there(self):
        return all(self.ground.has(name) == content for name, content in self.products.items())


@pytest.fixture
def station(tmp_path, monkeypatch):
    made = Station(tmp_path, Clock(monkeypatch), GroundSystem(tmp_path / "received"))
    yield made
    made.stop()


def some_content(seed, size):
    return random.Random(seed).randbytes(size)


def test_files_arrive_whole_under_their_logical_names_alone(station):
    for number, size in enumerate((1, 63, 64, 65, 5_000)):
        station.receive(f"mask-{number}.bin", some_content(number, size))
    station.until_done()
    assert station.all_there()
    assert station.ground.user.names == [(name, name) for name in station.products]
    assert station.entity.counts["files_delivered"] == 5
    assert station.ground.file_octets == sum(map(len, station.products.values()))


@pytest.mark.parametrize("kind", ChecksumType)
def test_the_receiver_agrees_with_every_checksum_that_is_offered(tmp_path, monkeypatch, kind):
    ground = GroundSystem(tmp_path / "received")
    config = SenderConfig(CONFIG.entities, kind, 64)
    station = Station(tmp_path, Clock(monkeypatch), ground, config)
    station.receive("a.bin", some_content(3, 1_001))
    station.until_done()
    assert station.all_there()
    assert ground.faults.seen == []


@given(
    seed=st.integers(0, 2**32),
    lost=st.sampled_from([0.0, 0.05, 0.3, 0.6]),
    doubled=st.sampled_from([0.0, 0.3]),
    late=st.sampled_from([0.0, 0.3]),
    immediate=st.booleans(),
    sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_every_file_arrives_whole_over_a_way_that_loses_doubles_and_reorders(
    seed, lost, doubled, late, immediate, sizes
):
    root = Path(tempfile.mkdtemp())
    with pytest.MonkeyPatch.context() as patch:
        ground = GroundSystem(root / "received", immediate_nak=immediate)
        station = Station(root, Clock(patch), ground)
        for number, size in enumerate(sizes):
            station.receive(f"file-{number}", some_content(seed + number, size))
        way = {"lost": lost, "doubled": doubled, "late": late}
        station.until_done(Way(seed, **way), Way(seed + 1, **way))
        assert station.all_there()
        assert station.entity.counts["files_delivered"] == len(sizes)
        station.stop()
    shutil.rmtree(root)


@given(seed=st.integers(0, 2**32), kills=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_a_sender_killed_at_any_moment_goes_on_and_delivers_every_file_once(seed, kills):
    root = Path(tempfile.mkdtemp())
    luck = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        ground = GroundSystem(root / "received")
        station = Station(root, Clock(patch), ground)
        for number in range(6):
            station.receive(f"file-{number}", some_content(seed + number, luck.randint(1, 6_000)))
        for _ in range(kills):
            for _ in range(luck.randint(0, 6)):
                station.step(pdus_max=luck.randint(1, 30))
            station.stop()
            station.start()
        station.until_done()
        assert station.all_there()
        assert len(station.book.delivered) == 6
        assert len(ground.user.finished) == 6
        station.stop()
    shutil.rmtree(root)


def test_an_interrupted_file_goes_on_where_the_receiver_is_not_from_the_start(station):
    station.receive("big.bin", some_content(1, 100 * 64))
    for _ in range(3):
        station.step(pdus_max=30)
    assert 80 * 64 < station.ground.file_octets < 100 * 64
    station.stop()
    station.start()
    station.until_done()
    assert station.all_there()
    assert station.ground.file_octets == 100 * 64
    assert station.entity.counts["transactions_resumed"] == 1


def test_what_was_delivered_is_not_sent_again_after_a_restart(station):
    station.receive("a.bin", b"once")
    station.until_done()
    station.stop()
    station.start()
    assert station.entity.unfinished == 0
    assert station.entity.next_pdu(station.clock.now_ns) is None


def test_a_silent_ground_suspends_and_gets_the_file_when_it_is_back(station):
    station.receive("a.bin", some_content(2, 640))
    nothing = Way(0, lost=1.0)
    for _ in range(3_000):
        station.step(nothing, nothing)
    said = [told.what for told in station.entity.take_told()]
    assert said.count("suspended") >= 3
    assert station.entity.unfinished == 1
    sent = station.entity.counts["octets_sent"]
    assert sent == 640, "octets are not sent again before anybody asks for them"
    station.until_done()
    assert station.all_there()
    assert station.entity.take_told()[-1].what == "delivered"


def test_a_ground_system_that_forgot_everything_gets_the_file_from_the_start(station):
    station.receive("big.bin", some_content(5, 6_400))
    station.step(pdus_max=50)
    station.ground.restart()
    station.until_done()
    assert station.all_there()


def test_a_last_word_that_was_lost_is_acknowledged_when_it_comes_again(station):
    station.receive("a.bin", b"abc")
    while not station.entity.counts["files_delivered"]:
        station.step()
    while station.entity.next_pdu(station.clock.now_ns) is not None:
        pass  # the acknowledgement is lost
    before = station.entity.counts["pdus_sent"]
    for _ in range(200):
        station.step()
    assert station.ground.say() == []
    assert len(station.book.delivered) == 1
    assert station.entity.counts["pdus_sent"] == before


def test_a_file_that_the_receiver_refuses_is_tried_again_and_then_left_alone(station):
    create, tried = station.ground.user.vfs.create_file, []

    def refuse(path):
        tried.append(path.name)
        if path.name == "secret.bin":
            raise PermissionError
        return create(path)

    station.ground.user.vfs.create_file = refuse
    station.receive("secret.bin", b"abc")
    station.receive("open.bin", b"def")
    station.until_done()
    assert tried.count("secret.bin") == CONFIG.attempts_max
    assert station.ground.has("open.bin") == b"def"
    told = [item for item in station.entity.take_told() if item.what == "left alone"]
    assert [(item.file.name, item.why) for item in told] == [("secret.bin", "filestore rejection")]


def test_a_receiver_that_is_through_without_our_knowing_gets_the_file_in_a_new_transaction(station):
    station.receive("a.bin", b"abc")
    while not station.ground.user.finished:
        station.step(up=Way(0, lost=1.0))
    station.ground._over = set(station.ground._handlers)  # its patience for our answer is over
    station.ground._handlers = {}
    station.until_done()
    assert station.all_there()
    assert station.entity.counts["transactions_failed"] == 1
    assert station.book.delivered == {1}


def test_a_file_that_changed_in_the_archive_is_not_sent(station):
    station.receive("good.bin", b"good")
    station.archive.file(
        Manifest(77, ProductClass.RAW, 4, crc32c(b"what"), 1, None, 0, "bad.bin"), b"was!", 0
    )
    station.look()
    station.until_done()
    assert station.all_there()
    told = [(item.what, item.file.name) for item in station.entity.take_told()]
    assert ("unreadable", "bad.bin") in told
    assert not (station.ground.folder / "bad.bin").exists()


def test_a_file_that_vanishes_under_way_is_taken_back_and_left_alone(station):
    station.receive("a.bin", some_content(1, 6_400))
    station.step(pdus_max=5)
    (station.root / "archive" / "a.bin").write_bytes(b"")
    station.until_done()
    assert station.entity.counts["files_left_alone"] == 1
    assert station.ground.user.finished[0].condition_code == ConditionCode.FILESTORE_REJECTION


def test_octets_of_strangers_are_counted_and_change_nothing(station):
    station.receive("a.bin", some_content(1, 640))
    station.step(pdus_max=3)
    luck = random.Random(9)
    for _ in range(2_000):
        station.entity.hear(luck.randbytes(luck.randint(0, 60)), station.clock.now_ns)
    counts = station.entity.counts
    refused = sum(count for name, count in counts.items() if name.startswith("pdus_"))
    assert refused - counts["pdus_sent"] - counts["pdus_heard"] == 2_000
    station.until_done()
    assert station.all_there()
