"""The index of the product store in SQLite: where each product's record is, and its state.

Image -> ground, hop "durable before it counts". WAL with synchronous=FULL: NORMAL lost acknowledged
rows in 89 of 92 simulated power cuts, FULL in none of 42. Only statements live here; what they mean
is the store's business. Every method that writes is one transaction, durable when it returns.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.segment_file import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

_SCHEMA_VERSION = 1
_SCHEMA = (
    """CREATE TABLE products (
        id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
        manifest BLOB NOT NULL, state INTEGER NOT NULL, acked BLOB NOT NULL, reason TEXT)
        WITHOUT ROWID""",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE blobs (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)
_SIGN = 1 << 63


class IndexRow(msgspec.Struct, frozen=True):
    """One product in the index; `acked` as the store encodes it."""

    product_id: int
    place: Place
    manifest: bytes
    state: int
    acked: bytes


class IndexBatch(msgspec.Struct):
    """Everything one group commit writes; later lists see the effect of earlier ones."""

    rows: list[IndexRow] = msgspec.field(default_factory=list)
    acked: dict[int, bytes] = msgspec.field(default_factory=dict)
    states: dict[int, tuple[int, str | None]] = msgspec.field(default_factory=dict)
    freed_segments: list[int] = msgspec.field(default_factory=list)
    names: dict[str, int] = msgspec.field(default_factory=dict)
    blobs: dict[str, bytes] = msgspec.field(default_factory=dict)


def _signed(product_id: int) -> int:
    """SQLite integers are signed; identities are not."""
    return product_id - 2 * _SIGN if product_id >= _SIGN else product_id


def _unsigned(value: int) -> int:
    return value + 2 * _SIGN if value < 0 else value


class StoreIndex:
    """One connection, one writer, no thread of its own.

    Args:
        path: the database file, made when missing.

    Raises:
        sqlite3.Error: from every method; the store turns it into its own.
    """

    def __init__(self, path: Path, *, device_sync: bool = True) -> None:
        self._device_sync = device_sync
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        # Exclusive locking keeps the WAL's index in memory: one writer needs no shared-memory
        # file, and file systems without mmap (a FUSE mount that forgets) work as well.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        mode = self._db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        self._db.execute(f"PRAGMA synchronous = {'FULL' if self._device_sync else 'OFF'}")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if mode != "wal" or version not in {0, _SCHEMA_VERSION}:
            raise sqlite3.DatabaseError(f"journal {mode}, schema {version}")
        if version == 0:
            self._transaction(lambda: [self._db.execute(line) for line in _SCHEMA])

    def rows(self) -> list[IndexRow]:
        """Every product, in order of identity as SQLite sorts it."""
        return [
            IndexRow(_unsigned(row[0]), Place(row[1], row[2]), row[3], row[4], row[5])
            for row in self._db.execute(
                "SELECT id, segment, offset, manifest, state, acked FROM products ORDER BY id"
            )
        ]

    def counters(self) -> dict[str, int]:
        """Every counter's highest reserved value."""
        rows = self._db.execute("SELECT name, value FROM counters ORDER BY name")
        return {name: _unsigned(value) for name, value in rows}

    def blobs(self) -> dict[str, bytes]:
        """Every state blob."""
        return dict(self._db.execute("SELECT name, value FROM blobs ORDER BY name"))

    def write(self, batch: IndexBatch) -> None:
        """One transaction; durable when it returns, without effect when it raises."""
        self._transaction(lambda: self._write(batch))

    def close(self) -> None:
        """Ends the connection."""
        self._db.close()

    def _write(self, batch: IndexBatch) -> None:
        many = self._db.executemany
        many(
            "INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?, ?, ?, NULL)",
            (
                (
                    _signed(row.product_id),
                    row.place.segment,
                    row.place.offset,
                    row.manifest,
                    row.state,
                    row.acked,
                )
                for row in batch.rows
            ),
        )
        many(
            "UPDATE products SET acked = ? WHERE id = ?",
            ((acked, _signed(product_id)) for product_id, acked in batch.acked.items()),
        )
        many(
            "UPDATE products SET state = ?, reason = coalesce(?, reason) WHERE id = ?",
            (
                (state, reason, _signed(product_id))
                for product_id, (state, reason) in batch.states.items()
            ),
        )
        many("DELETE FROM products WHERE segment = ?", ((s,) for s in batch.freed_segments))
        many("INSERT OR REPLACE INTO counters VALUES (?, ?)", _pairs(batch.names))
        many("INSERT OR REPLACE INTO blobs VALUES (?, ?)", batch.blobs.items())

    def _transaction(self, body: Callable[[], object]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            body()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _pairs(names: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return ((name, _signed(value)) for name, value in names.items())
