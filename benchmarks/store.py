"""What the product store costs: durable enqueue, recovery of a million, memory of a million queued.

    python benchmarks/store.py [PART ...]        parts: enqueue, recovery, million
    python benchmarks/store.py --dir DIR PART    on the medium of that folder

Limits: 4 kB products made durable 100 at a time at 10 times SQLite FULL of the same run (one row a
product), one at a time at 0.8 of a bare append with fdatasync; 10^6 products recovered from the
segments alone in 5 s; 10^6 products queued in 64 MiB above idle, flat during a pass. Exit code 1
when a limit is not kept. Runs alternate, and the best of each counts: other work disturbs little.
"""

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The folder of this file holds programs named like packages of the product.
ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from flight.downlink.downlink_queue import DownlinkQueue  # noqa: E402
from flight.downlink.file_store import FolderStore  # noqa: E402
from flight.downlink.product import Product, ProductClass, manifest_of  # noqa: E402
from flight.downlink.product_store_sqlite import ProductStore  # noqa: E402
from flight.downlink.queue_values import QueueConfig  # noqa: E402
from flight.downlink.segment_file import SegmentLog  # noqa: E402
from flight.downlink.segment_record import RecordKind  # noqa: E402
from flight.wire.crc import crc32c  # noqa: E402
from flight.wire.product_packet import encode_manifest  # noqa: E402

ITEM_BYTES, ITEMS_OF_BATCH = 4_096, {1: 200, 100: 4_000}
REPEATS = 3
BATCH_GAIN, SINGLE_SHARE = 10.0, 0.8
MILLION, SMALL_BYTES = 1_000_000, 64
RECOVERED_S_MAX, MIB_MAX, FLAT_MIB = 5.0, 64.0, 4.0
SEGMENTS_OF_PASS = 20_000
S = 1_000_000_000


def product_of(number, size, crc=0):
    return Product(
        number, ProductClass(1 + number % 5), size, 1 + number * 7919 % 100_003, None,
        number * 1_000, crc, f"tile-{number:08d}-mask.msk",
    )  # fmt: skip


def enqueue_ours(folder, batch, items):
    store = ProductStore(FolderStore(folder / "segments"), folder / "index.sqlite3")
    store.recover()
    payload = os.urandom(ITEM_BYTES)
    crc = crc32c(payload)
    store.put(product_of(0, ITEM_BYTES, crc), payload)
    store.commit(0)
    started, durable = time.perf_counter(), 0
    for first in range(1, items + 1, batch):
        for number in range(first, first + batch):
            store.put(product_of(number, ITEM_BYTES, crc), payload)
        durable += len(store.commit(0).durable)
    spent_s = time.perf_counter() - started
    assert durable == items
    store.close()
    return spent_s


def enqueue_sqlite(folder, batch, items):
    db = sqlite3.connect(folder / "peer.sqlite3", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE products (id INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
    payload = os.urandom(ITEM_BYTES)
    started = time.perf_counter()
    for first in range(1, items + 1, batch):
        db.execute("BEGIN")
        rows = ((number, payload) for number in range(first, first + batch))
        db.executemany("INSERT INTO products VALUES (?, ?)", rows)
        db.execute("COMMIT")
    spent_s = time.perf_counter() - started
    db.close()
    return spent_s


def enqueue_raw(folder, batch, items):
    file = os.open(folder / "raw", os.O_RDWR | os.O_CREAT)
    os.write(file, bytes((items + 1) * ITEM_BYTES))
    os.fsync(file)
    payload = os.urandom(ITEM_BYTES)
    started = time.perf_counter()
    for first in range(0, items, batch):
        for number in range(first, first + batch):
            os.pwrite(file, payload, number * ITEM_BYTES)
        os.fdatasync(file)
    spent_s = time.perf_counter() - started
    os.close(file)
    return spent_s


def enqueue_part(medium):
    """Products a second, side by side in one run."""
    ways = {"ours": enqueue_ours, "SQLite FULL": enqueue_sqlite, "append + sync": enqueue_raw}
    print(f"durable 4 kB products a second, best of {REPEATS} alternating runs")
    rates = {}
    for batch, items in ITEMS_OF_BATCH.items():
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(REPEATS):
            for name, way in ways.items():
                with tempfile.TemporaryDirectory(dir=medium) as folder:
                    (Path(folder) / "segments").mkdir()
                    best[name] = min(best[name], way(Path(folder), batch, items))
        rates[batch] = {name: items / spent_s for name, spent_s in best.items()}
        row = "".join(f"  {name} {rate:>9,.0f}" for name, rate in rates[batch].items())
        print(f"  batch {batch:>3} {row}")
    gain = rates[100]["ours"] / rates[100]["SQLite FULL"]
    share = rates[1]["ours"] / rates[1]["append + sync"]
    kept = gain >= BATCH_GAIN and share >= SINGLE_SHARE
    print(f"  batch 100: {gain:.1f} times SQLite FULL, wanted {BATCH_GAIN:.0f}")
    print(f"  batch   1: {share:.2f} of append + sync, wanted {SINGLE_SHARE}")
    print(f"  limits: {'kept' if kept else 'NOT KEPT'}")
    return kept


def recovery_part(medium):
    """A million records in segments, no index: how long the store takes to be there again."""
    payload = bytes(SMALL_BYTES)
    crc = crc32c(payload)
    with tempfile.TemporaryDirectory(dir=medium) as name:
        folder = Path(name)
        (folder / "segments").mkdir()
        log = SegmentLog(FolderStore(folder / "segments", device_sync=False))
        for number in range(MILLION):
            manifest = encode_manifest(manifest_of(product_of(number, SMALL_BYTES, crc)))
            if not log.fits(len(manifest), SMALL_BYTES):
                log.roll(len(manifest), SMALL_BYTES)
            log.append(RecordKind.PRODUCT, number, manifest, payload)
        log.close()
        spent = {}
        for what in ("segments alone", "index and segments"):
            store = ProductStore(FolderStore(folder / "segments"), folder / "index.sqlite3")
            started = time.perf_counter()
            found = store.recover()
            spent[what] = time.perf_counter() - started
            assert len(found) == MILLION
            store.close()
        queued, queued_s, idle, resident = told_by("--start", name)
        assert queued == MILLION
    for what, spent_s in spent.items():
        print(f"recovery of {MILLION:,} products, {what}: {spent_s:.1f} s")
    print(f"  queued again, index there: {queued_s:.1f} s, {resident - idle:.0f} MiB above idle")
    kept = spent["segments alone"] < RECOVERED_S_MAX and resident - idle <= MIB_MAX
    print(f"  limits, {RECOVERED_S_MAX:.0f} s, {MIB_MAX:.0f} MiB: {'kept' if kept else 'NOT KEPT'}")
    return kept


def told_by(part, *folder):
    """Figures that another process prints: memory that was used before would count otherwise."""
    where = [option for name in folder for option in ("--dir", name)]
    command = [sys.executable, __file__, *where, part]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in done.stdout.split()]


def resident_mib():
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * resource.getpagesize() / (1 << 20)


def million_here(medium):
    """In a process of its own: fills queue and store's catalogue, plays a pass."""
    with tempfile.TemporaryDirectory(dir=medium) as name:
        folder = Path(name)
        (folder / "segments").mkdir()
        files = FolderStore(folder / "segments", device_sync=False)
        store = ProductStore(
            files, folder / "index.sqlite3", capacity_bytes=1 << 40, device_sync=False
        )
        store.recover()
        config = QueueConfig(budget_bytes=1 << 40, products_max=2 * MILLION)
        queue = DownlinkQueue(config, far=store.far)
        payload = bytes(SMALL_BYTES)
        idle = resident_mib()
        for first in range(0, MILLION, 1_000):
            for number in range(first, first + 1_000):
                store.put(product_of(number, SMALL_BYTES), payload)
            for product_id in store.commit(0).durable:
                queue.offer(product_of(product_id, SMALL_BYTES), 0)
        filled = resident_mib()
        started = time.process_time()
        for _ in range(SEGMENTS_OF_PASS):
            segment = queue.next_segment(0, 8_192)
            queue.acknowledge(segment.product_id, [(0, segment.length)], 0)
            queue.complete(segment.product_id)
        spent_us = 1e6 * (time.process_time() - started) / SEGMENTS_OF_PASS
        print(len(queue), idle, filled, resident_mib(), spent_us)
        store.close()


def start_here(medium):
    """In a process of its own: a million products that were queued before are queued again."""
    idle = resident_mib()
    started = time.perf_counter()
    folder = Path(medium)
    store = ProductStore(FolderStore(folder / "segments"), folder / "index.sqlite3")
    store.recover()
    store.far.begin()
    queue = DownlinkQueue(
        QueueConfig(budget_bytes=1 << 40, products_max=2 * MILLION), far=store.far
    )
    assert not queue.adopt(0).displaced
    print(len(queue), time.perf_counter() - started, idle, resident_mib())
    store.close()


def million_part(medium):
    """Memory of a million products that wait."""
    _, idle, filled, after, spent_us = told_by("--here", *([] if medium is None else [medium]))
    grown = after - filled
    print(f"{MILLION:,} products queued: {filled - idle:.0f} MiB above idle ({idle:.0f} MiB)")
    print(
        f"  after {SEGMENTS_OF_PASS:,} products of a pass {grown:+.1f} MiB; {spent_us:.1f} us each"
    )
    kept = filled - idle <= MIB_MAX and grown <= FLAT_MIB
    print(f"  limits, {MIB_MAX:.0f} MiB and flat: {'kept' if kept else 'NOT KEPT'}")
    return kept


PARTS = {"enqueue": enqueue_part, "recovery": recovery_part, "million": million_part}


def main():
    """Print the parts named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--dir", metavar="DIR", help="folder on the medium to measure")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--start", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        million_here(arguments.dir)
        return 0
    if arguments.start:
        start_here(arguments.dir)
        return 0
    unknown = [name for name in arguments.parts if name not in PARTS]
    if unknown:
        parser.error(f"unknown part {unknown[0]!r}; allowed: {', '.join(PARTS)}")
    kept = [PARTS[name](arguments.dir) for name in (arguments.parts or PARTS)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
