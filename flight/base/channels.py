"""How components hand values on: the latest one, or a bounded queue that counts what it loses.

Hop: between hops of all three flows. Pure; only the composition root makes them. One producer's
values reach one consumer's step, on one thread.
"""

from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Final, Generic, TypeVar, final

T = TypeVar("T")


@final
class Latest(Generic[T]):
    """The newest value and its age; setting overwrites, reading does not consume."""

    __slots__ = ("_set_at_ns", "_value", "sets")

    def __init__(self) -> None:
        self._value: T | None = None
        self._set_at_ns: int | None = None
        self.sets: int = 0

    def set(self, value: T, now_ns: int) -> None:
        """Store the value as of `now_ns`."""
        self._value = value
        self._set_at_ns = now_ns
        self.sets += 1

    def get(self) -> T | None:
        """The newest value, or None if there never was one."""
        return self._value

    def age_ns(self, now_ns: int) -> int | None:
        """Nanoseconds since it was set, or None if it never was."""
        return None if self._set_at_ns is None else now_ns - self._set_at_ns


class Overflow(Enum):
    """What a full queue does with the next item."""

    REJECT_NEWEST = "reject_newest"
    DROP_OLDEST = "drop_oldest"


class Offer(Enum):
    """What became of an offered item."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  # full; the item was not taken
    DISPLACED = "displaced"  # full; taken, and the oldest was dropped for it


@final
class Bounded(Generic[T]):
    """First in, first out, never more than `capacity`.

    Attributes:
        name: for telemetry.
        capacity: items. policy: what gives way when it is full.
        high_water: most items ever held.
        offered: items ever offered.
        dropped: items lost, newest or oldest according to the policy.
    """

    __slots__ = ("_items", "capacity", "dropped", "high_water", "name", "offered", "policy")

    def __init__(self, name: str, capacity: int, policy: Overflow) -> None:
        assert capacity > 0, f"queue {name} needs room for at least one item"
        self.name: Final = name
        self.capacity: Final = capacity
        self.policy: Final = policy
        self._items: deque[T] = deque()
        self.high_water = 0
        self.offered = 0
        self.dropped = 0

    def offer(self, item: T) -> Offer:
        """Append the item, or do what the policy says when full; a loss is counted."""
        self.offered += 1
        verdict = Offer.ACCEPTED
        if len(self._items) >= self.capacity:
            self.dropped += 1
            if self.policy is Overflow.REJECT_NEWEST:
                return Offer.REJECTED
            self._items.popleft()
            verdict = Offer.DISPLACED
        self._items.append(item)
        self.high_water = max(self.high_water, len(self._items))
        return verdict

    def take(self) -> T | None:
        """Remove and return the oldest item, or None if empty."""
        return self._items.popleft() if self._items else None

    def clear(self) -> None:
        """Forget all of it on purpose: no loss, and not counted as one."""
        self._items.clear()

    def peek(self) -> T | None:
        """The oldest item, left where it is, or None if empty."""
        return self._items[0] if self._items else None

    def __iter__(self) -> Iterator[T]:
        """The items from the oldest on, left where they are."""
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
