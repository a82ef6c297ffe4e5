"""The two shapes of everything that runs: stepped components and asynchronous services.

Hop: all of them; the executive steps components, the supervisor serves services.
"""

from typing import Protocol


class Component(Protocol):
    """A plain object that a rate group steps; it never awaits and keeps to its budget."""

    @property
    def name(self) -> str:
        """Stable name, used in telemetry and events."""
        ...

    def step(self, now_ns: int) -> None:
        """Do this period's work. `now_ns` is monotonic."""
        ...


class Service(Protocol):
    """Something that awaits; it runs until cancelled, and cleans up on cancellation."""

    @property
    def name(self) -> str:
        """Stable name, used in telemetry and events."""
        ...

    async def serve(self) -> None:
        """Run. Returning means the work is done; raising means it failed."""
        ...
