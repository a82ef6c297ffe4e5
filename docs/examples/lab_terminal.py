"""A laboratory's own laser terminal on a node's serial line: copy this and put your drivers in.

    python docs/examples/lab_terminal.py --serial /dev/ttyUSB0
    python docs/examples/lab_terminal.py --pty

This one is a fibre loop on an optical table: what it sends it receives. `FibreLoop.step` is the
place for a laser driver, a detector and a mount; registers, FIFOs, credit and every rule about
going dark are in `serve`. Whatever is not measured is left out of the readings and reads as absent.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from hal.sample import TermFlag
from hal.terminal_registers import TermFault, TermRegister
from hil.bench_link.port_serial import PortError, PtyPort, SerialPort
from hil.terminal.terminal_core import Identity, Sight, Told
from hil.terminal.terminal_port import serve

if TYPE_CHECKING:
    from collections.abc import Callable

LINE_RATE_BPS = 50e6
LOCK_NS = 300_000_000
"""From pointing to lock: the piezo of the fibre coupler."""
LOCKED = TermFlag.BEACON | TermFlag.COARSE | TermFlag.FINE
DRIVER_MW = 1500


class FibreLoop:
    """The hardware: one peer, number 1, which is the terminal itself."""

    def __init__(self) -> None:
        self.identity = Identity(vendor="LOOP", serial=7, tx_fifo_frames=16, rx_fifo_frames=16)
        self.free_ns = 0
        self.pointed_ns: int | None = None
        self.locks = 0
        self.locked = False

    def step(self, told: Told, take: Callable[[], bytes | None], now_ns: int) -> Sight:
        """Do what was told, send what waits, say what is seen; called a hundred times a second."""
        if told.target_id != 1:
            self.pointed_ns = None
        elif self.pointed_ns is None:
            self.pointed_ns = now_ns
        locked = self.pointed_ns is not None and now_ns - self.pointed_ns >= LOCK_NS
        self.locks += locked and not self.locked
        self.locked = locked
        # Here a laser driver is told told.laser_on and told.tx_power_permille.
        flags = (LOCKED if locked else 0) | (TermFlag.TX if told.laser_on else 0)
        received: list[bytes] = []
        if locked and told.laser_on:
            flags |= TermFlag.SYNC
            self.free_ns = max(self.free_ns, now_ns - 10_000_000)
            while self.free_ns < now_ns and (frame := take()) is not None:
                self.free_ns += int(len(frame) * 8e9 / LINE_RATE_BPS)
                received.append(frame)
        driver_broken = False  # what the driver says of its interlock
        return Sight(
            readings={
                TermRegister.FLAGS: int(flags),
                TermRegister.LINE_RATE_KBPS: int(LINE_RATE_BPS / 1e3),
                TermRegister.LOCK_COUNT: self.locks,
                TermRegister.POWER_MW: DRIVER_MW if told.laser_on else 0,
            },
            faults=TermFault.LASER if driver_broken else 0,
            received=received,
        )

    def reset(self, now_ns: int) -> None:
        """The node asked for a reset, or the terminal was switched on."""
        del now_ns
        self.pointed_ns, self.locks, self.locked = None, 0, False


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A fibre loop as a laser terminal.")
    parser.add_argument("--serial", metavar="DEV")
    parser.add_argument("--pty", action="store_true")
    parser.add_argument("--baud", type=int, default=921_600)
    options = parser.parse_args()
    port = SerialPort(options.serial, options.baud) if options.serial else PtyPort()
    sys.stdout.write(port.name + "\n")
    sys.stdout.flush()
    try:
        serve(FibreLoop(), port)
    except PortError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
