"""Signs of life: every rate group and service counts on, or it is found to stand still.

Hop: "sensor to actuator", the judging step; the watchdog chain asks the same question. What is
watched is a counter and never a promise: a loop that turns counts its turns, a member that is
stepped counts its steps. Whoever waits for something outside (a camera's next frame, the next
command) says so before it waits; such a wait has no end that could be late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class Heartbeat:
    """The counter of one service; it survives the service, as the root keeps it.

    Attributes:
        beats: turns taken.
        resting: it waits for something outside, for as long as that takes.
    """

    __slots__ = ("beats", "resting")

    def __init__(self) -> None:
        self.beats = 0
        self.resting = False

    def beat(self) -> None:
        """One turn more; ends a rest."""
        self.beats += 1
        self.resting = False

    def rest(self) -> None:
        """What follows is a wait for something outside."""
        self.resting = True

    def read(self) -> int | None:
        """The count, or None while it rests."""
        return None if self.resting else self.beats


class Stalled(NamedTuple):
    """One that stands still.

    Attributes:
        name: as it was watched.
        silent_ns: since its counter was last seen to move, by the calls of `progress`.
        limit_ns: what is allowed.
        critical: the node cannot do without it.
    """

    name: str
    silent_ns: int
    limit_ns: int
    critical: bool


@dataclass(slots=True)
class _Watched:
    name: str
    limit_ns: int
    critical: bool
    read: Callable[[], int | None]
    count: int | None
    moved_ns: int
    suspended: bool = False


@final
class HealthMonitor:
    """All counters with a limit each.

    `progress` may be asked by several, at any pace: it only looks. A counter is judged by its own
    limit and by nothing else, so whoever asks seldom finds a stall late, never falsely.
    """

    def __init__(self) -> None:
        self._watched: Final[dict[str, _Watched]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Who is watched, in the order of `watch`."""
        return tuple(self._watched)

    def watch(
        self,
        name: str,
        read: Callable[[], int | None],
        *,
        limit_ns: int,
        now_ns: int,
        critical: bool = False,
    ) -> None:
        """Watch a counter from now on; `read` gives None while it may stand still."""
        assert limit_ns > 0, f"{name}: a limit of no time is always passed"
        assert name not in self._watched, f"{name} is watched already"
        self._watched[name] = _Watched(name, limit_ns, critical, read, read(), now_ns)

    def begun(self) -> bool:
        """Whether everybody whom the node cannot do without has counted once."""
        return all(watched.read() != 0 for watched in self._watched.values() if watched.critical)

    def suspend(self, name: str) -> None:
        """Not judged until `resume`: it does not run, and somebody else knows. Unknown: no-op."""
        if name in self._watched:
            self._watched[name].suspended = True

    def resume(self, name: str, now_ns: int) -> None:
        """It runs (again): its limit counts from now. Unknown: no-op."""
        watched = self._watched.get(name)
        if watched is not None:
            watched.suspended = False
            watched.moved_ns = now_ns

    def progress(self, now_ns: int) -> tuple[Stalled, ...]:
        """Everybody whose counter has stood still for longer than its limit, in order."""
        stalled: list[Stalled] | None = None
        for watched in self._watched.values():
            count = watched.read()
            if count != watched.count or count is None or watched.suspended:
                watched.count = count
                watched.moved_ns = now_ns
                continue
            silent_ns = now_ns - watched.moved_ns
            if silent_ns > watched.limit_ns:
                found = Stalled(watched.name, silent_ns, watched.limit_ns, watched.critical)
                stalled = [found] if stalled is None else [*stalled, found]
        return () if stalled is None else tuple(stalled)
