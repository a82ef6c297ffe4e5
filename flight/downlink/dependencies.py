"""Index before bulk: a product waits until the one it depends on has been sent once.

Image -> ground, hop "acted". Only products that are queued already are waited for, so there are no
circles, and nothing waits for what is gone; nor for what the ground has to be asked about, which
was under way before, and whose answer may never come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flight.downlink.queue_entry import Entry

_CHAIN_MAX = 8


def wait_for_leader(entry: Entry, entries: Mapping[int, Entry]) -> None:
    """Makes a newcomer wait if what it depends on is queued and has not been sent yet."""
    depends_on = entry.product.depends_on
    leader = None if depends_on is None else entries.get(depends_on)
    if leader is None or leader is entry or leader.sent_once or leader.suspended:
        return
    entry.waits_on = depends_on
    leader.dependents.append(entry.product.product_id)


def part_from_leader(entry: Entry, entries: Mapping[int, Entry]) -> None:
    """It waits no more, because it leaves."""
    leader = None if entry.waits_on is None else entries.get(entry.waits_on)
    if leader is not None:
        leader.dependents.remove(entry.product.product_id)
    entry.waits_on = None


def boosted_leaders(entry: Entry, entries: Mapping[int, Entry]) -> Iterator[Entry]:
    """Leaders that have to be ranked anew, for what a dense product waits for must not wait itself.

    At most `_CHAIN_MAX` links are followed; longer chains still go in order, only later.
    """
    key = entry.key
    for _ in range(_CHAIN_MAX):
        leader = None if entry.waits_on is None else entries.get(entry.waits_on)
        if leader is None or leader.key >= key:
            return
        leader.boost = key
        yield leader
        entry = leader


def released_dependents(entry: Entry, entries: Mapping[int, Entry]) -> Iterator[Entry]:
    """Everything that waited for `entry`, waiting no more; each has to be looked at anew."""
    for product_id in entry.dependents:
        waiting = entries.get(product_id)
        if waiting is not None and waiting.waits_on == entry.product.product_id:
            waiting.waits_on = None
            yield waiting
    entry.dependents.clear()
