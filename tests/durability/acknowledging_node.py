"""What of a node keeps its state, in a process that is made to be killed.

It stores products, has them delivered, takes numbers and keeps a state and a boot record, as the
node that flies does and with the same writer thread. Whatever it acknowledges is told before it
goes on; each life begins with what it found. `Campaign` compares.
"""

import time
from dataclasses import replace

from flight.board_boot import BootSlots
from flight.boot_record import following, slot_of
from flight.downlink.durable_counters import counter_reserve
from flight.downlink.file_store import FolderStore
from flight.downlink.product import Product, ProductClass
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.writer_thread import WriterThread
from flight.wire.counter_reserve import CounterWaits
from flight.wire.crc import crc32c

SEGMENT_BYTES = 1 << 15
WAITING_MAX = 60
"""More than so many undelivered products are delivered, oldest first: segments die as well."""


def payload_of(product_id):
    """Octets by which a product is known again, 100 to 799 of them."""
    return (product_id.to_bytes(8, "big") * 100)[: 100 + product_id * 37 % 700]


def product_of(product_id):
    """The product whose payload that is."""
    payload = payload_of(product_id)
    crc = crc32c(payload)
    return Product(
        product_id, ProductClass.MASK, len(payload), product_id, None, 0, crc, f"p{product_id}"
    )


def open_store(folder, *, synced=True):
    """A store as a board opens it, small; `synced=False` is the control that must lose."""
    return ProductStore(
        FolderStore(folder / "segments", device_sync=synced),
        folder / "index.sqlite3",
        segment_bytes=SEGMENT_BYTES,
        device_sync=synced,
        writer=WriterThread(time.monotonic_ns),
    )


class Life:
    """One life of the node, from what it finds to the moment it is killed.

    Args:
        folder: where it keeps everything.
        say: tells the campaign a pair (what, number).
        synced: False never syncs; eager: acknowledges what it has only asked for.
    """

    def __init__(self, folder, say, *, synced=True, eager=False):
        self._say, self._eager = say, eager
        self._store = open_store(folder, synced=synced)
        self._waiting = []
        self._recover()
        self._slots = BootSlots(folder)
        before = self._slots.found.record
        say("boots found", 0 if before is None else before.boots)
        self._record = following(before, power_up=b"power-up", watched=False)
        self._ids = counter_reserve(self._store, "id", block=16)
        self._state = int(self._store.load_state("mode") or b"0")
        say("state found", self._state)
        say("alive", 0)

    def _recover(self):
        for found in self._store.recover():
            product = found.product
            content = self._store.read(product.product_id, 0, product.size_bytes)
            whole = product == product_of(product.product_id)
            whole &= content == payload_of(product.product_id)
            self._say("found" if whole else "damaged", product.product_id)
            self._waiting.append(product.product_id)

    def turn(self):
        """A few products, a state, a beat of the boot record; one group to the writer."""
        store = self._store
        for _ in range(4):
            product_id = self._number()
            store.put(product_of(product_id), payload_of(product_id))
            self._waiting.append(product_id)
            if self._eager:
                self._say("durable", product_id)
        delivered, self._waiting = self._waiting[:-WAITING_MAX], self._waiting[-WAITING_MAX:]
        for product_id in delivered:
            self._say("delivery asked", product_id)
        store.mark_delivered(delivered)
        store.submit()
        self._state += 1
        store.store_state("mode", str(self._state).encode())
        self._settle(store.mark)
        self._record = replace(self._record, sequence=self._record.sequence + 1, boots=self._state)
        assert slot_of(self._record) in (0, 1)
        self._slots.write(self._record)
        self._say("boots", self._state)

    def _settle(self, mark):
        while self._store.durable_mark < mark:
            time.sleep(0.0002)
            settled = self._store.take_settled()
            assert not settled.refused
            for product_id in settled.durable:
                self._say("durable", product_id)
            for product_id in settled.delivered:
                self._say("delivered", product_id)
        self._say("state", self._state)

    def _number(self):
        while True:
            try:
                number = self._ids.take()
            except CounterWaits:
                time.sleep(0.0002)
                self._store.poll()
                continue
            self._say("number", number)
            return number


def live(folder, pipe, options):
    """The process: turn after turn until somebody kills it."""
    life = Life(folder, lambda what, number: pipe.send((what, number)), **options)
    while True:
        life.turn()
