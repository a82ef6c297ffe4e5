"""What a service manager is told of this process: one datagram a message, as sd_notify(3) has it.

Only loaded under one (NOTIFY_SOCKET is set). Whatever becomes of the manager's socket, the flight
goes on; a manager that hears nothing draws its own conclusions.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, final

from flight.watchdog_chain import STOPPING

if TYPE_CHECKING:
    from flight.base.clock import Clock
    from flight.telemetry.event_log import EventLog
    from flight.watchdog_chain import WatchdogChain


@final
class ServiceManager:
    """The way to it.

    Attributes:
        failed: messages that did not get there.
        trouble: why, in one line; empty once one got there.
    """

    def __init__(self, address: str) -> None:
        """`address` is the variable's value: a path, or "@" and an abstract name."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.failed = 0
        self.trouble = ""

    def tell(self, message: str) -> None:
        """One message of one or more lines; it never waits and never raises."""
        try:
            self._socket.sendto(message.encode(), self._address)
        except (OSError, ValueError) as error:
            self.failed += 1
            self.trouble = str(error)
        else:
            self.trouble = ""

    def stopping(self, cause: str) -> None:
        """The end has begun: a watchdog that hears no more is right from now on."""
        self.tell(f"{STOPPING}\nSTATUS=stopping: {cause}")

    def close(self) -> None:
        """Gives the socket back. Twice is allowed."""
        self._socket.close()


@final
class WatchdogService:
    """Looks, tells, waits for the next look. Nobody watches it: without it there is no stroke."""

    name = "watchdog"

    def __init__(
        self, manager: ServiceManager, chain: WatchdogChain, events: EventLog, clock: Clock
    ) -> None:
        self._manager = manager
        self._chain = chain
        self._events = events
        self._clock = clock
        self._trouble = ""

    async def serve(self) -> None:
        """Runs until cancelled."""
        while True:
            now_ns = self._clock.now_ns()
            message = self._chain.look(now_ns)
            if message:
                self._manager.tell(message)
                self._report(now_ns)
            await self._clock.sleep_until(now_ns + self._chain.pace_ns)

    def _report(self, now_ns: int) -> None:
        """The edge of a trouble is one event."""
        trouble, before = self._manager.trouble, self._trouble
        self._trouble = trouble
        if trouble and not before:
            reason = f"service manager does not hear: {trouble}"
            self._events.emit("GUARD_DEGRADED", now_ns, reason=reason)
