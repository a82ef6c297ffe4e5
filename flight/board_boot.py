"""The start of a flight on this machine: how the last one ended, and since when time goes on.

Before anything of the node is opened, so that also a start that fails at once is counted. A start
that a person has to mend (exit code 2) is none of a boot loop and is taken back.

The boot record's medium is a file of two slots a page apart. The first write of a run and the last
one wait for it, since nothing flies then. Those in between are a thread's: a sync may take a worn
card a second, and the loop has none to give. Of beats that wait only the newest is of any use.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flight.base.clock import LoopClock, host_correlation
from flight.boot_keeper import BootPorts, BootStart, Instant, begin
from flight.boot_record import SLOT_BYTES, SLOTS, Ended, encode, ending, newest, slot_of
from hal.sample import SensorBit
from hal.tick_source import utc_synchronised

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from flight.base.clock import UtcCorrelation
    from flight.bench_seat import BenchSeat
    from flight.boot_record import BootRecord, Found

BOOT_RECORD: Final = "boot-record"
"""In the data folder."""
SLOT_STRIDE: Final = 4096
"""A torn page takes one slot with it, never both."""
KERNEL_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
JOIN_S: Final = 2.0
LAST_WORDS: Final = "last-words"
"""In the data folder: of this run, and of the one before."""
WORDS_BYTES_MAX: Final = 65_536
_ABORTED: Final = b"Fatal Python error: Aborted"


class BoardBoot:
    """Boot record, last words and mission time of this run.

    Raises OSError from the constructor, with everything closed again.

    Attributes:
        clock: tells mission time.
        utc: of this start, in mission time.
        start: for the node.
    """

    def __init__(
        self,
        folder: Path,
        loop: asyncio.AbstractEventLoop,
        seat: BenchSeat | None,
        reset: Callable[[], None],
    ) -> None:
        self._seat = seat
        with contextlib.ExitStack() as undo:
            self._slots = BootSlots(folder)
            undo.callback(self._slots.close)
            self._words = LastWords(folder)
            undo.callback(self._words.close)
            self.start = self._begin(LoopClock(loop), reset)
            undo.pop_all()
        offset_ns = self.start.resumed.offset_ns
        self.clock = LoopClock(loop, offset_ns)
        self.utc: UtcCorrelation = (
            host_correlation(offset_ns) if seat is None else seat.correlation(self.clock.now_ns())
        )

    def _begin(self, clock: LoopClock, reset: Callable[[], None]) -> BootStart:
        seat, now_ns = self._seat, clock.now_ns()
        utc = host_correlation() if seat is None else seat.correlation(now_ns)
        record, resumed = begin(
            self._slots.found,
            Instant(mono_ns=now_ns, utc_ns=utc.utc_ns(now_ns), utc_trusted=self.utc_trusted()),
            power_up=self._power_up(),
            watched=watchdog_interval_ns() > 0,
            granted=seat is not None and seat.lock_step,
        )
        self._slots.write(record)
        return BootStart(
            before=self._slots.found.record,
            damaged=self._slots.found.damaged,
            record=record,
            resumed=resumed,
            aborted=self._words.aborted,
            ports=BootPorts(
                offer=self._slots.offer,
                finish=self._slots.finish,
                failed=lambda: self._slots.failed,
                utc_trusted=self.utc_trusted,
                reset=reset,
            ),
        )

    def utc_trusted(self) -> bool:
        """Whether anybody stands behind UTC now.

        A bench vouches for its date; the machine's kernel says whether anybody does.
        """
        return self._seat is not None or utc_synchronised()

    def _power_up(self) -> bytes:
        """A node on a bench has its power from there: the bench counts how often."""
        if self._seat is not None:
            frame = self._seat.devices.snapshot()
            if frame.is_valid(SensorBit.BOOT_COUNT):
                return frame.boot_count.to_bytes(8, "little")
        return kernel_power_up()

    def refused(self) -> None:
        """This start ends here because a person has to mend something: nobody's boot loop."""
        with contextlib.suppress(OSError):
            self._slots.finish(ending(self.start.record, Ended.ORDERED))

    def close(self) -> None:
        """Gives the files back. Twice is allowed."""
        self._words.close()
        self._slots.close()


def kernel_power_up(path: Path = KERNEL_BOOT_ID) -> bytes:
    """Which power-up of this machine it is, as the kernel numbers them (random(4)).

    Eight zero bytes where there is no such file: then every start looks like one of the same
    power-up, and a power cut like the death of a process.
    """
    try:
        return bytes.fromhex(path.read_bytes().decode().strip().replace("-", ""))[:8]
    except (OSError, ValueError):
        return bytes(8)


def watchdog_interval_ns() -> int:
    """What the service manager's watchdog allows between two strokes, ns; 0 for none, or not ours.

    Of WATCHDOG_USEC and WATCHDOG_PID, as sd_watchdog_enabled(3) reads them.
    """
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or (pid and pid != str(os.getpid())):
        return 0
    return int(usec) * 1_000


class BootSlots:
    """The file; raises OSError from the constructor and from `write`.

    Attributes:
        found: what it held when it was opened.
        written, failed: beats of the thread.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / BOOT_RECORD
        fresh = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._beats: threading.Thread | None = None
        self._wanted = threading.Condition()
        self._next: BootRecord | None = None
        self._ending = False
        self.written = 0
        self.failed = 0
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, self._fd)
            slots = [os.pread(self._fd, SLOT_BYTES, n * SLOT_STRIDE) for n in range(SLOTS)]
            self.found: Found = newest(slots)
            if fresh:
                _sync_folder(folder)
            undo.pop_all()

    def write(self, record: BootRecord) -> None:
        """Durable when it returns. Raises OSError."""
        os.pwrite(self._fd, encode(record), slot_of(record) * SLOT_STRIDE)
        os.fdatasync(self._fd)

    def offer(self, record: BootRecord) -> None:
        """A beat, written soon by the thread; one that still waits is overtaken by it."""
        if self._beats is None:
            self._beats = threading.Thread(target=self._write_beats, name="boot-beat", daemon=True)
            self._beats.start()
        with self._wanted:
            self._next = record
            self._wanted.notify()

    def finish(self, record: BootRecord) -> None:
        """The last write of a run: beats that wait are given up. Raises OSError."""
        self._end_thread()
        self.write(record)

    def close(self) -> None:
        """Gives the file back, unless a write hangs in it. Twice is allowed."""
        if self._end_thread() and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _end_thread(self) -> bool:
        with self._wanted:
            self._next, self._ending = None, True
            self._wanted.notify()
        if self._beats is None:
            return True
        self._beats.join(JOIN_S)
        return not self._beats.is_alive()

    def _write_beats(self) -> None:
        while True:
            with self._wanted:
                while self._next is None and not self._ending:
                    self._wanted.wait()
                record, self._next = self._next, None
            if record is None:
                return
            try:
                self.write(record)
                self.written += 1
            except OSError:
                self.failed += 1


def _sync_folder(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class LastWords:
    """What a process that is killed by a fatal signal still says, and how the next one reads it.

    The interpreter's fault handler writes the signal's name and the stack of each thread, in C and
    without the interpreter's lock: also when the loop is blocked. SIGABRT among them is how a
    service manager ends a process that no longer feeds its watchdog (systemd.service(5),
    WatchdogSignal=). The words of the run before stay in a file beside, for people. Raises OSError.

    Attributes:
        before: at most `WORDS_BYTES_MAX` of them; empty when it did not die of a fatal signal.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LAST_WORDS
        self.before = _read(path)
        if self.before:
            path.replace(path.with_suffix(".before"))
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        faulthandler.enable(file=self._fd)

    @property
    def aborted(self) -> bool:
        """The run before was ended by SIGABRT."""
        return _ABORTED in self.before

    def close(self) -> None:
        """An orderly end: there is nothing more to say. Twice is allowed."""
        if self._fd >= 0:
            faulthandler.disable()
            os.close(self._fd)
            self._fd = -1


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(WORDS_BYTES_MAX)
    except FileNotFoundError:
        return b""
