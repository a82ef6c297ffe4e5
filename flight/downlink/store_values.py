"""What the product store says: states, errors, what recovery found, counters.

Image -> ground, hop "durable before it counts". Apart from the store because the rooms that use it
must not import SQLite to name an error.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from flight.downlink.product import Product


class ProductState(IntEnum):
    """A product's life in the store.

    NEW: durable, never sent. SENDING: some bytes may be on the ground, so ask before resending.
    DELIVERED: the ground holds it, verified, and that is durable here. FREED: its space is given
    up, because it was delivered or because it was dropped.
    """

    NEW = 0
    SENDING = 1
    DELIVERED = 2
    FREED = 3


class StoreErrorKind(Enum):
    """Why the store could not do it.

    FULL: no space, nothing was changed. SYNC: the medium did not confirm a write; what is durable
    is not known any more and the store refuses all further work until it is opened again (a failed
    fsync must not be retried: the kernel may have dropped the dirty pages). INDEX: the same for
    the database. READ_ONLY: the medium takes no more writes. DAMAGED: a record does not verify.
    UNKNOWN: no such product. CLOSED: the store failed earlier or is closed.
    """

    FULL = "full"
    SYNC = "sync"
    INDEX = "index"
    READ_ONLY = "read_only"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class StoreError(Exception):
    """The store's only exception; the hardware's or the caller's plan's fault, see `kind`."""

    def __init__(self, kind: StoreErrorKind, detail: str = "") -> None:
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
        self.kind = kind


class Recovered(msgspec.Struct, frozen=True, gc=False):
    """An undelivered product found at opening, with what the ground was known to hold.

    `announced` is False when its commit never returned: it counts, but nobody was told of it.
    """

    product: Product
    state: ProductState
    acked: tuple[tuple[int, int], ...]
    announced: bool = True


class StoreCounters(msgspec.Struct):
    """What the store did and lost.

    Attributes:
        commits: commits that are durable; each costs one device sync per segment written to and one
            of the index, or a part of them.
        products_put: products made durable.
        records_unindexed: records found in the log but not in the index at opening.
        records_damaged: records found not to verify, at opening, when read or by the scrub.
        records_repaired: of these, written again because their bytes were still known.
        index_rebuilt: openings at which the index was lost and made anew from the log.
        segments_freed: segments given back.
        moved_bytes: records copied forward so that a sparse segment could go.
        scrubbed_bytes: records read and verified in passing.
    """

    commits: int = 0
    products_put: int = 0
    records_unindexed: int = 0
    records_damaged: int = 0
    records_repaired: int = 0
    index_rebuilt: int = 0
    segments_freed: int = 0
    moved_bytes: int = 0
    scrubbed_bytes: int = 0


class Settled(msgspec.Struct):
    """What has become of products since the last look.

    Attributes:
        durable: these count from now on.
        delivered: the ground holds these, and that is durable.
        refused: there was no room for these; they never counted.
        damaged: these cannot be read any more.
        repaired: these had to be written again.
        commits: commits that became durable.
    """

    durable: list[int] = msgspec.field(default_factory=list)
    delivered: list[int] = msgspec.field(default_factory=list)
    refused: list[int] = msgspec.field(default_factory=list)
    damaged: list[int] = msgspec.field(default_factory=list)
    repaired: list[int] = msgspec.field(default_factory=list)
    commits: int = 0
