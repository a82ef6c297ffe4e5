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
    the database. DAMAGED: a record does not verify. UNKNOWN: no such product. CLOSED: the store
    failed earlier or is closed.
    """

    FULL = "full"
    SYNC = "sync"
    INDEX = "index"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    CLOSED = "closed"


class StoreError(Exception):
    """The store's only exception; the hardware's or the caller's plan's fault, see `kind`."""

    def __init__(self, kind: StoreErrorKind, detail: str = "") -> None:
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
        self.kind = kind


class Recovered(msgspec.Struct, frozen=True):
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
        commits: group commits; each costs one device sync per dirty segment and one of the index.
        products_put: products made durable.
        records_unindexed: records found in the log but not in the index at opening.
        records_damaged: products lost because their record does not verify.
        index_rebuilt: openings at which the index was lost and made anew from the log.
        segments_freed: segments given back.
    """

    commits: int = 0
    products_put: int = 0
    records_unindexed: int = 0
    records_damaged: int = 0
    index_rebuilt: int = 0
    segments_freed: int = 0
