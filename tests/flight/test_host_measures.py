import mmap
import resource
from pathlib import Path

import pytest

from flight.host_measures import HostMeasures
from flight.telemetry.channel_values import ChannelValues


def test_memory_and_processor_time_agree_with_the_system_s_own_count():
    channels, measures = ChannelValues(), HostMeasures()
    ballast = mmap.mmap(-1, 32 << 20)  # goes back at once, whatever the heap holds already
    for at in range(0, len(ballast), 4096):
        ballast[at] = 1
    measures(channels.values)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (rss_kib,) = (int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    assert channels.get("sys.rss_mib") == pytest.approx(rss_kib / 1024, abs=4.0)
    assert channels.get("sys.cpu_s") == pytest.approx(usage.ru_utime + usage.ru_stime, abs=0.5)
    ballast.close()
    before = channels.get("sys.rss_mib")
    measures(channels.values)
    assert channels.get("sys.rss_mib") < before - 16  # read anew, not remembered
    measures.close()
