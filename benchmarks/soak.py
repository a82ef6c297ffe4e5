"""Hours, not seconds: the fuzzers at all that reads foreign octets, hostile frames by the million,
beside a node that flies.

    python benchmarks/soak.py [SECONDS]

One hour by default, in it 10^7 frames and as many reports that must not be believed, and 1,050
kills and 1,400 power cuts of a node that acknowledges, which must lose nothing. The node flies
in real time on the "sim" hardware layer with a real inference worker; it must end cleanly, and its
process must hold hardly more memory and descriptors at the end than after the first tenth. Exit
code 1 when it does not, when a fuzzer finds something, or when a hostile frame changes a node.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from flight_process import make_board, status_kib

ROOT = Path(__file__).resolve().parents[1]
NATIVE = ROOT / "native"
CRASH_TIMES_AN_HOUR = 7
CRASHES = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "0"]
CRASHES += ["tests/durability"]
HOSTILE = Path(__file__).with_name("hostile_link.py")
HOSTILE_FRAMES_PER_S = 3_000
SAMPLES = 100
RSS_GROWTH_MIB_MAX = 6.0
# Nobody fetches the products. The store is soon full, and goes on taking small products in the
# place of large ones; each that waits holds some 1.7 kB of memory, so their number is bounded too.
STORE = """
[link]
queue_products = 400
[store]
cap_bytes = 1_000_000
segment_bytes = 65_536
"""
FDS_GROWTH_MAX = 64
"""A descriptor each segment that the store may come to have, four times its cap of them."""


def weight(pid):
    """(resident MiB, open descriptors) of a process."""
    return status_kib(pid, "VmRSS") / 1024, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


class Flight:
    """`lumenode fly`, watched from outside."""

    def __init__(self, folder):
        self._log = (folder / "flight.txt").open("w+")
        config = make_board(folder)
        config.write_text(config.read_text() + STORE)
        command = [sys.executable, "-m", "flight", "fly", "--config", str(config)]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        self.weights = []

    def watch(self, seconds):
        """Weighs it now and then, until it ends or the time is over."""
        for _ in range(SAMPLES):
            time.sleep(seconds / SAMPLES)
            if self.process.poll() is not None:
                return
            self.weights.append(weight(self.process.pid))

    def verdict(self):
        """Ends it and says how it went: whether it is good, and a line."""
        self.process.terminate()
        code = self.process.wait(60)
        self._log.seek(0)
        events = self._log.readlines()
        if code != 0 or len(self.weights) < SAMPLES:
            return False, f"the node ended with {code} after {len(self.weights)} % of the time"
        early, late = self.weights[SAMPLES // 10], self.weights[-1]
        grown_mib, grown_fds = late[0] - early[0], late[1] - early[1]
        said = (
            f"node: ended cleanly, {len(events)} events; resident {early[0]:.1f} MiB after a tenth,"
            f" {late[0]:.1f} MiB at the end; descriptors {early[1]}, {late[1]}"
        )
        return grown_mib <= RSS_GROWTH_MIB_MAX and grown_fds <= FDS_GROWTH_MAX, said


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 3600
    fuzz = ["make", "-s", "-C", str(NATIVE), "fuzz"]
    subprocess.run([*fuzz, "FUZZ_S=1"], check=True, stdout=-3)  # built before the clock starts
    print(f"soak: {seconds} s, fuzzers in turn, a node in real time beside them", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        flight = Flight(Path(folder))
        watcher = threading.Thread(target=flight.watch, args=(seconds,))
        watcher.start()
        frames = str(HOSTILE_FRAMES_PER_S * seconds)
        hard = {"CRASH_TIMES": str(max(1, CRASH_TIMES_AN_HOUR * seconds // 3600))}
        crashes = subprocess.Popen(CRASHES, cwd=ROOT, env=os.environ | hard)
        hostile = subprocess.Popen([sys.executable, str(HOSTILE), frames])
        found = subprocess.run([*fuzz, f"FUZZ_ALL_S={seconds}"], check=False).returncode
        watcher.join()
        believed, lost = hostile.wait(), crashes.wait()
        good, said = flight.verdict()
    print(said, "" if good else "NOT GOOD", flush=True)
    return 0 if good and not found and not believed and not lost else 1


if __name__ == "__main__":
    sys.exit(main())
