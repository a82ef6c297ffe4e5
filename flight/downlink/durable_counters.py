"""Counters of the link on the product store: never reused, whatever happens to the power.

The wire's reserves and windows know only "load" and "store"; here those become records of the
store. To them a store that fails is a disk that fails: StoreError turns into OSError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.store_values import StoreError
from flight.wire.counter_reserve import BLOCK_DEFAULT, CounterReserve
from flight.wire.replay_window import ReplayWindow

if TYPE_CHECKING:
    from flight.downlink.product_store_sqlite import ProductStore


IDENTITY_AHEAD_NS = 1_000_000_000
"""No start takes less until a command is heard; what was sent before it is refused in any case."""
UTC_2020_NS = 1_577_836_800 * 1_000_000_000
"""Whoever counts from 1 never gets here."""


def counter_reserve(store: ProductStore, name: str, block: int = BLOCK_DEFAULT) -> CounterReserve:
    """Numbers of the counter `name`, reserved ahead in durable blocks; the first one at once."""
    reserve = CounterReserve(
        load=lambda: store.load_counter(name),
        store=lambda value: _store(store, name, value, urgent=False),
        block=block,
        durable=lambda: store.durable_counter(name),
    )
    reserve.ready()
    return reserve


def replay_window(store: ProductStore, name: str, *, store_every: int = 1) -> ReplayWindow:
    """Memory of what was accepted, with its high mark durable as `name`."""
    return ReplayWindow(
        load=lambda: store.load_counter(name),
        store=lambda value: _store(store, name, value, urgent=store_every == 1),
        store_every=store_every,
        durable=lambda: store.durable_counter(name),
    )


def identity_window(store: ProductStore, name: str) -> ReplayWindow:
    """Memory of identities as operators draw them: UTC in nanoseconds, or small and counted up.

    Those that come within a second of one another share a reservation; whoever counts has each one
    stored.
    """
    return ReplayWindow(
        load=lambda: store.load_counter(name),
        store=lambda value: _store(store, name, value, urgent=True),
        durable=lambda: store.durable_counter(name),
        ahead=lambda number: IDENTITY_AHEAD_NS if number >= UTC_2020_NS else 0,
    )


def _store(store: ProductStore, name: str, value: int, *, urgent: bool) -> None:
    try:
        store.store_counter(name, value, urgent=urgent)
    except StoreError as error:
        raise OSError(str(error)) from error
