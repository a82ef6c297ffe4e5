"""The line itself: a serial port or a pseudo-terminal as a raw descriptor.

pyserial only configures a port (any rate, raw, exclusive); octets then go through the descriptor,
which measured best: reads by `read_until` take 3 to 14 times as long, and its asyncio wrappers no
less than the bare descriptor.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import termios
import tty
from typing import Protocol

import serial

_LOW_LATENCY_ERRORS = (AttributeError, OSError, ValueError, serial.SerialException)


class PortError(OSError):
    """The port cannot be opened; its text is one line for the user."""


class Port(Protocol):
    """Something that can be opened again and again."""

    name: str

    def open(self) -> int:
        """A non-blocking descriptor, ready to read and write; PortError when there is none."""
        ...

    def close(self) -> None:
        """Gives it back; may be called twice."""
        ...

    def free(self) -> None:
        """Lets another process have the far end, where that needs doing."""
        ...


class SerialPort:
    """A UART or a USB adapter.

    Attributes:
        low_latency: the driver hands octets on at once instead of after its timer (1 to 16 ms in
            USB adapters); None where there is no such timer to set.
    """

    def __init__(self, path: str, baud: int) -> None:
        self.name = path
        self._baud = baud
        self._port: serial.Serial | None = None
        self.low_latency: bool | None = None

    def open(self) -> int:
        """See `Port`."""
        try:
            port = serial.Serial(self.name, self._baud, timeout=0, exclusive=True)
        except (OSError, ValueError, OverflowError) as error:
            number = error.errno if isinstance(error, OSError) else None
            reason = error if number is None else os.strerror(number)
            raise PortError(f"{self.name}: cannot be opened as a serial port: {reason}") from None
        self._port = port
        try:
            port.set_low_latency_mode(True)
            self.low_latency = True
        except _LOW_LATENCY_ERRORS:
            self.low_latency = None
        descriptor = int(port.fileno())
        os.set_blocking(descriptor, False)
        return descriptor

    def close(self) -> None:
        """See `Port`."""
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError, serial.SerialException):
                port.close()

    def free(self) -> None:
        """Nothing to do: whoever is at the far end of a cable has a port of their own."""


class PtyPort:
    """A pseudo-terminal: the bench has the master, `path` is what a node opens.

    The bench holds the node's side open as well: without any holder a read of the master is an
    error until somebody opens it.
    """

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self.name = self.path

    def open(self) -> int:
        """See `Port`; once closed it is gone."""
        if self._master < 0:
            raise PortError(f"{self.path}: this pseudo-terminal is closed")
        return self._master

    def close(self) -> None:
        """Ends both sides."""
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1

    def free(self) -> None:
        """A node that took the terminal for itself and died left the claim behind."""
        fcntl.ioctl(self._slave, termios.TIOCNXCL)
