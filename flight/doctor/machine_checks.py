"""The machine under the node: its clock, what it lets a process do in real time, serial ports."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

from flight.base.clock import host_resolution_ns, host_synchronisation
from flight.doctor.finding import Finding, State, found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CLOCK_RESOLUTION_NS_MAX = 1_000_000
RTPRIO_LEAST = 95
"""`board.rt_priority` at most, and the tick's thread above it."""
MEMLOCK_LEAST_BYTES = 64 * 1024 * 1024
CAP_SYS_NICE, CAP_IPC_LOCK = 23, 14
"""Numbers of capabilities(7)."""
PORTS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyTHS*", "serial*")
UNIT_REMEDY = "in lumenode.service: LimitRTPRIO=95, LimitMEMLOCK=64M; or board.rt_priority = 0"


def _clock(_root: Path) -> Iterator[Finding]:
    resolution_ns = host_resolution_ns()
    fine = resolution_ns <= CLOCK_RESOLUTION_NS_MAX
    yield Finding(
        "clock",
        State.OK if fine else State.UNSUPPORTED,
        f"monotonic, resolution {resolution_ns} ns",
        "" if fine else "boot a kernel with high-resolution timers",
    )
    synchronised, error_us = host_synchronisation()
    if synchronised is None:
        yield Finding(
            "clock synchronised", State.UNSUPPORTED, "this system does not say",
            "compare `date -u` with another clock before a contact plan is flown",
        )  # fmt: skip
    else:
        detail = f"to {error_us} us at most" if synchronised else "no time source holds it"
        remedy = "" if synchronised else "timedatectl set-ntp true (or apt install chrony)"
        yield found("clock synchronised", detail, remedy)


def _real_time(root: Path) -> Iterator[Finding]:
    capabilities = effective_capabilities(root)
    most, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    priority = bool(capabilities >> CAP_SYS_NICE & 1) or most == resource.RLIM_INFINITY
    yield found(
        "real-time priority",
        "any" if priority else f"up to {most}",
        "" if priority or most >= RTPRIO_LEAST else UNIT_REMEDY,
    )
    memory, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    lock = bool(capabilities >> CAP_IPC_LOCK & 1) or memory == resource.RLIM_INFINITY
    yield found(
        "locked memory",
        "any" if lock else f"up to {memory // 1024} KiB",
        "" if lock or memory >= MEMLOCK_LEAST_BYTES else UNIT_REMEDY,
    )


def effective_capabilities(root: Path) -> int:
    """The process's effective capability mask; 0 when the kernel does not tell."""
    try:
        lines = (root / "proc/self/status").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return 0
    masks = [line.split()[1] for line in lines if line.startswith("CapEff:")]
    return int(masks[0], 16) if masks else 0


def _ports(root: Path) -> Iterator[Finding]:
    """Serial devices: looked at, not opened, since opening one resets many a board behind it."""
    ports = sorted({path for name in PORTS for path in (root / "dev").glob(name)})
    if not ports:
        remedy = "only for a bench or a terminal on a serial line: plug its adapter in"
        yield Finding("serial ports", State.MISSING, "none", remedy)
    for path in ports:
        name = f"/{path.relative_to(root)}"
        usable = os.access(path, os.R_OK | os.W_OK)
        remedy = "" if usable else "sudo usermod -aG dialout $USER, then log in again"
        yield found(f"port {name}", "may be opened" if usable else "may not be opened", remedy)


CHECKS: tuple[Callable[[Path], Iterator[Finding]], ...] = (_clock, _real_time, _ports)
"""In the order they are told."""
