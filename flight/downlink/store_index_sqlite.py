"""The index of the product store in SQLite: where each product's record is, and its state.

Image -> ground, hop "durable before it counts". WAL with synchronous=FULL: NORMAL lost acknowledged
rows in 89 of 92 simulated power cuts, FULL in none of 42. Only statements live here; what they mean
is the store's business. Every method that writes is one transaction, durable when it returns.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product_lives import LifeLine
from flight.downlink.segment_record import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

_SCHEMA_VERSION = 3
_ADDED_IN_2 = (
    "CREATE TABLE segments (id INTEGER PRIMARY KEY, indexed INTEGER NOT NULL)",
    "CREATE INDEX products_of_segment ON products (segment)",
)
_ADDED_IN_3 = (
    """CREATE TABLE lives (
        line INTEGER PRIMARY KEY, product INTEGER, t_ns INTEGER NOT NULL, deed INTEGER NOT NULL,
        "first" INTEGER NOT NULL, "last" INTEGER NOT NULL, "start" INTEGER NOT NULL,
        "end" INTEGER NOT NULL, note TEXT NOT NULL)""",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)
_SCHEMA = (
    """CREATE TABLE products (
        id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
        manifest BLOB NOT NULL, state INTEGER NOT NULL, acked BLOB NOT NULL, reason TEXT)
        WITHOUT ROWID""",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE blobs (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    *_ADDED_IN_2,
    *_ADDED_IN_3,
    "INSERT INTO segments VALUES (0, 0)",  # until the first recovery has filled it
)
_MIGRATIONS = {0: _SCHEMA, 1: _ADDED_IN_2 + _ADDED_IN_3, 2: _ADDED_IN_3}
LIVES_MAX = 65_536
"""Lines of the book of lives that are kept; the oldest go first."""
_SIGN = 1 << 63
_FREED = 3
"""`ProductState.FREED`; the store gives it its meaning."""


ProductRow = tuple[int, int, int, bytes, int, bytes]
"""Identity, segment, offset, manifest, state, acked: a row as SQLite has it."""
PIECE_ROWS = 4_096


class IndexRow(msgspec.Struct, frozen=True, gc=False):
    """One product in the index; `acked` as the store encodes it."""

    product_id: int
    place: Place
    manifest: bytes
    state: int
    acked: bytes


class IndexBatch(msgspec.Struct):
    """Everything one transaction writes; later lists see the effect of earlier ones.

    `ends` is how far each segment's records are in the index; it never shrinks. `found` are rows
    that a start found in the log.
    """

    found: Sequence[ProductRow] = ()
    rows: list[IndexRow] = msgspec.field(default_factory=list)
    moves: dict[int, Place] = msgspec.field(default_factory=dict)
    ends: dict[int, int] = msgspec.field(default_factory=dict)
    acked: dict[int, bytes] = msgspec.field(default_factory=dict)
    states: dict[int, tuple[int, str | None]] = msgspec.field(default_factory=dict)
    freed_segments: list[int] = msgspec.field(default_factory=list)
    names: dict[str, int] = msgspec.field(default_factory=dict)
    blobs: dict[str, bytes] = msgspec.field(default_factory=dict)
    lives: Sequence[LifeLine] = ()

    @property
    def changes(self) -> bool:
        """Whether the index would be another one for it."""
        return any(msgspec.structs.astuple(self))

    def set_state(self, product_id: int, state: int, reason: str | None) -> None:
        """A product's next state; a reason that was given stays."""
        if reason is None and (former := self.states.get(product_id)) is not None:
            reason = former[1]
        self.states[product_id] = (state, reason)

    @property
    def index_alone(self) -> bool:
        """Whether it holds anything that the log does not tell."""
        return bool(self.states or self.acked or self.moves or self.lives)


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
        self._db = sqlite3.connect(path, isolation_level=None)
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
        if mode != "wal" or not 0 <= version <= _SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"journal {mode}, schema {version}")
        if version < _SCHEMA_VERSION:
            lines = _MIGRATIONS[version]
            self._transaction(lambda: [self._db.execute(line) for line in lines])

    def pieces(self) -> Iterator[list[ProductRow]]:
        """Every product, in order of identity as SQLite sorts it, a piece at a time."""
        rows = self._db.execute(
            "SELECT id, segment, offset, manifest, state, acked FROM products ORDER BY id"
        )
        while piece := rows.fetchmany(PIECE_ROWS):
            yield piece

    def walk(self) -> None:
        """Reads all there is of every product and keeps nothing: is the file whole?"""
        self._db.execute("SELECT sum(length(manifest) + segment + state) FROM products").fetchall()

    def counters(self) -> dict[str, int]:
        """Every counter's highest reserved value."""
        rows = self._db.execute("SELECT name, value FROM counters ORDER BY name")
        return {name: _unsigned(value) for name, value in rows}

    def blobs(self) -> dict[str, bytes]:
        """Every state blob."""
        return dict(self._db.execute("SELECT name, value FROM blobs ORDER BY name"))

    def ends(self) -> dict[int, int]:
        """How far each segment's records are in here; those of an older schema are not."""
        return dict(self._db.execute("SELECT id, indexed FROM segments"))

    def alive_in(self, segment: int) -> list[tuple[int, int]]:
        """(offset, product) of every record of a segment that is still needed, by offset."""
        rows = self._db.execute(
            "SELECT offset, id FROM products WHERE segment = ? AND state < ? ORDER BY offset",
            (segment, _FREED),
        )
        return [(offset, _unsigned(product_id)) for offset, product_id in rows]

    def segment_of(self, product_id: int) -> int | None:
        """Where a product's record is, None for an unknown one."""
        row = self._db.execute(
            "SELECT segment FROM products WHERE id = ?", (_signed(product_id),)
        ).fetchone()
        return None if row is None else int(row[0])

    def row_of(self, product_id: int) -> IndexRow | None:
        """Everything about a product, None for an unknown one."""
        row = self._db.execute(
            "SELECT segment, offset, manifest, state, acked FROM products WHERE id = ?",
            (_signed(product_id),),
        ).fetchone()
        return None if row is None else IndexRow(product_id, Place(*row[:2]), *row[2:])

    def lives(self, product_id: int) -> list[LifeLine]:
        """What the book tells of a product and of the node meanwhile, oldest first."""
        rows = self._db.execute(
            'SELECT product, t_ns, deed, "first", "last", "start", "end", note FROM lives'
            " WHERE product = ? OR product IS NULL ORDER BY line",
            (_signed(product_id),),
        )
        return [
            LifeLine(None if product is None else _unsigned(product), *rest)
            for product, *rest in rows
        ]

    def write(self, batches: Iterable[IndexBatch]) -> None:
        """One transaction; durable when it returns, without effect when it or a batch raises."""
        self._transaction(lambda: self._write_all(batches))

    def close(self) -> None:
        """Ends the connection."""
        self._db.close()

    def _write_all(self, batches: Iterable[IndexBatch]) -> None:
        for batch in batches:
            self._write(batch)

    def _write(self, batch: IndexBatch) -> None:
        self._write_products(batch)
        self._many("INSERT OR REPLACE INTO segments VALUES (?, ?)", list(batch.ends.items()))
        gone = [(segment,) for segment in batch.freed_segments]
        self._many("DELETE FROM products WHERE segment = ?", gone)
        self._many("DELETE FROM segments WHERE id = ?", gone)
        self._many(
            "INSERT OR REPLACE INTO counters VALUES (?, ?)",
            [(name, _signed(value)) for name, value in batch.names.items()],
        )
        self._many("INSERT OR REPLACE INTO blobs VALUES (?, ?)", list(batch.blobs.items()))
        if batch.lives:
            self._write_lives(batch.lives)

    def _write_products(self, batch: IndexBatch) -> None:
        put = "INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?, ?, ?, NULL)"
        self._many(put, batch.found)
        self._many(
            put,
            [
                (
                    _signed(row.product_id),
                    row.place.segment,
                    row.place.offset,
                    row.manifest,
                    row.state,
                    row.acked,
                )
                for row in batch.rows
            ],
        )
        self._many(
            "UPDATE products SET segment = ?, offset = ? WHERE id = ?",
            [(at.segment, at.offset, _signed(i)) for i, at in batch.moves.items()],
        )
        self._many(
            "UPDATE products SET acked = ? WHERE id = ?",
            [(acked, _signed(product_id)) for product_id, acked in batch.acked.items()],
        )
        self._many(
            "UPDATE products SET state = ?, reason = coalesce(?, reason) WHERE id = ?",
            [
                (state, reason, _signed(product_id))
                for product_id, (state, reason) in batch.states.items()
            ],
        )

    def _many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            self._db.executemany(statement, rows)

    def _write_lives(self, lives: Sequence[LifeLine]) -> None:
        self._db.executemany(
            "INSERT INTO lives VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    None if line.product_id is None else _signed(line.product_id),
                    *msgspec.structs.astuple(line)[1:],
                )
                for line in lives
            ),
        )
        self._db.execute(
            "DELETE FROM lives WHERE line <= (SELECT max(line) FROM lives) - ?", (LIVES_MAX,)
        )

    def _transaction(self, body: Callable[[], object]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            body()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
