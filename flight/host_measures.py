"""What the flight process costs its machine, for the channels `sys.*`.

Hop "told": telemetry asks once a period. The only reader of /proc/self; the figures differ from
run to run, so a bench leaves them out of everything that is compared.
"""

from __future__ import annotations

import os

from flight.telemetry.dictionary import CHANNEL_INDEX

STAT_BYTES_MAX = 4096
_MIB = 1024 * 1024
_UTIME, _STIME, _RSS_PAGES = 11, 12, 21
"""Fields of /proc/PID/stat behind the command's name: 14, 15 and 24 of proc(5), there from 1."""


class HostMeasures:
    """Called with the channels' values; fills its own. One read of 0.3 kB a call.

    The file stays open: /proc makes its text anew for each read at offset zero.
    """

    def __init__(self) -> None:
        self._stat = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
        self._page_mib = os.sysconf("SC_PAGE_SIZE") / _MIB
        self._ticks_a_s = os.sysconf("SC_CLK_TCK")
        self._rss = CHANNEL_INDEX["sys.rss_mib"]
        self._cpu = CHANNEL_INDEX["sys.cpu_s"]

    def __call__(self, values: list[float]) -> None:
        """Resident memory and processor time of this process, its worker's not included."""
        text = os.pread(self._stat, STAT_BYTES_MAX, 0)
        # The name stands in brackets and may hold anything, brackets and blanks too.
        fields = text.rpartition(b") ")[2].split()
        values[self._rss] = int(fields[_RSS_PAGES]) * self._page_mib
        values[self._cpu] = (int(fields[_UTIME]) + int(fields[_STIME])) / self._ticks_a_s

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._stat)
