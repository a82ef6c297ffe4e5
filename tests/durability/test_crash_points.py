"""Every point at which a simulated medium can lose power, and what of its last writes is there.

A store lives through a scripted flight on files in memory. Power goes at each of its operations in
turn; of the writes that were not synced then, every beginning in steps of a block has reached the
medium, or all but one block. Whatever had been acknowledged must be found, with the index as it
was and with the index lost.
"""

import itertools

import pytest
from acknowledging_node import payload_of, product_of

from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.store_index_sqlite import StoreIndex
from flight.downlink.store_values import StoreError

BLOCK = 16
SEGMENT_BYTES = 4096
STATES_MIN = 2_000
OPERATIONS = ("open", "preallocate", "pwrite", "fdatasync", "fsync_dir", "unlink")

pytestmark = pytest.mark.slow


class PowerCut(BaseException):
    """Not an Exception: no handler of the store may take it for a fault of the medium."""


class Countdown:
    """Cuts the power before one operation, counted from the start of the flight."""

    def __init__(self, operations):
        self.left = operations

    def __call__(self):
        if self.left == 0:
            raise PowerCut
        self.left -= 1


class CountedFiles(MemoryFileStore):
    """Files whose every change is a point where the power may go."""

    def __init__(self, countdown, **options):
        super().__init__(**options)
        self._countdown = countdown


def counted(name):
    def operation(self, *arguments, **options):
        self._countdown()
        return getattr(MemoryFileStore, name)(self, *arguments, **options)

    return operation


for each in OPERATIONS:
    setattr(CountedFiles, each, counted(each))


class Flight:
    """What was acknowledged of the scripted flight until the power went."""

    def __init__(self, files, index, countdown, monkeypatch):
        self.durable, self.asked, self.delivered = set(), set(), set()
        self.number, self.state, self.states = 0, b"", {b""}
        written = StoreIndex.write

        def write(index, batches):
            countdown()
            written(index, batches)
            countdown()

        with monkeypatch.context() as patch:
            patch.setattr(StoreIndex, "write", write)
            self.store = None
            try:
                self.store = make_store(files, index)
                self._fly(self.store)
                self.ended = True
            except PowerCut:
                self.ended = False
        if self.store is not None:
            self.store.close()

    def _fly(self, store):
        store.recover()
        for turn in range(1, 7):
            for product_id in range(3 * turn - 2, 3 * turn + 1):
                store.put(product_of(product_id), payload_of(product_id))
            gone = {1, 2, 3, 4, 5, 6, 8} if turn == 4 else {9, 10} if turn == 5 else set()
            self.asked |= gone
            store.mark_delivered(gone)
            settled = store.commit(0)
            self.durable.update(settled.durable)
            self.delivered.update(settled.delivered)
            store.store_counter("iv", turn * 100)
            self.number = turn * 100
            blob = b"%d" % turn * 30
            self.states.add(blob)
            store.store_state("mode", blob)
            self.state = blob

    def contradictions(self, files, index):
        """What a store that is opened on these files does not know any more, or wrongly."""
        store = make_store(files, index)
        try:
            found = {each.product.product_id for each in store.recover()}
            wrong = [("lost", each) for each in self.durable - self.asked - found]
            wrong += [("twice", each) for each in self.delivered & found]
            wrong += [("damaged", each) for each in found if not is_whole(store, each)]
            if store.load_counter("iv") < self.number:
                wrong.append(("number", self.number))
            state = store.load_state("mode") or b""
            if state not in self.states or len(state) < len(self.state) or state < self.state:
                wrong.append(("state", self.state))
            return wrong
        finally:
            store.close()


def is_whole(store, product_id):
    try:
        return store.read(product_id, 0, 1 << 20) == payload_of(product_id)
    except StoreError:
        return False


def make_store(files, index):
    return ProductStore(files, index, segment_bytes=SEGMENT_BYTES, device_sync=False)


def ways_to_tear(unsynced, block):
    """(octets there, octets of them lost) for every block of the writes that were not synced."""
    yield 0, range(0)
    for start in range(0, unsynced, block):
        yield start + block // 2, range(0)
        yield start + block, range(0)
        yield unsynced, range(start, start + block)


def judged(tmp_path, monkeypatch, block=BLOCK, **options):
    """(states, those that contradict an acknowledgement) over all points of the flight."""
    names = itertools.count()
    states, wrong = 0, []
    for point in itertools.count():
        index = tmp_path / f"{next(names)}.sqlite3"
        countdown = Countdown(point)
        files = CountedFiles(countdown, **options)
        flight = Flight(files, index, countdown, monkeypatch)
        content = index.read_bytes() if index.exists() else None
        for there, lost in ways_to_tear(files.unsynced_bytes(), block):
            kept = content is not None and (there == 0 or lost.start % 256 == BLOCK)
            for index_is_there in {False, kept}:
                path = tmp_path / f"{next(names)}.sqlite3"
                if index_is_there:
                    path.write_bytes(content)
                found = flight.contradictions(files.power_cut(there, lost), path)
                if not index_is_there:  # who was delivered is the index's own knowledge
                    found = [each for each in found if each[0] != "twice"]
                wrong += [(point, there, lost, *each) for each in found]
                states += 1
                path.unlink()
        if flight.ended:
            break
    return states, wrong


def test_whatever_was_acknowledged_is_found_at_every_point_and_however_torn(tmp_path, monkeypatch):
    states, wrong = judged(tmp_path, monkeypatch)
    assert wrong == []
    assert states >= STATES_MIN


def test_a_medium_whose_sync_lies_is_found_out(tmp_path, monkeypatch):
    _, wrong = judged(tmp_path, monkeypatch, block=100 * BLOCK, sync_lies=True)
    assert {each[3] for each in wrong} >= {"lost", "number", "state"}
