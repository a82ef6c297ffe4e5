"""What the flight process weighs: resident memory, processor time, modules, against their limits.

    python benchmarks/flight_process.py [SECONDS]

Flies a node on the "sim" hardware layer with a real inference worker beside it, twice: once as a
user would, watched from outside through /proc, and once inside a fresh interpreter that tells
afterwards what it has loaded. Exit code 1 when a limit is passed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

# Beside this file lies hal.py, which is not the package `hal`.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from flight.inference.job import REFLECTANCE_SCALE  # noqa: E402
from flight.inference.tile_pixels import pixels_of  # noqa: E402
from hil.synthetic_scene import synthetic_labelled_tiles  # noqa: E402
from hil.tile_writer import LabelledScene, write_tile_cache  # noqa: E402

RSS_MIB_MAX = 60.0
MODULES_MAX = 420
FORBIDDEN = (
    "hil", "numpy", "onnxruntime", "onnx", "torch", "scipy", "dask", "distributed", "matplotlib",
    "plotly", "starlette", "uvicorn", "rich", "pytest", "hypothesis",
)  # fmt: skip
CENSUS = (
    "import sys\n"
    "from flight.fly_command import main_fly\n"
    "code = main_fly(sys.argv[2:])\n"
    "open(sys.argv[1], 'w').write(chr(10).join(sorted(sys.modules)))\n"
    "sys.exit(code)\n"
)
CONFIG = """
[frames]
path = "tiles.npz"
[camera]
cadence_s = 0.5
[battery]
series = 8
"""


def make_board(folder):
    """Configuration, keys and a synthetic tile cache in `folder`; the configuration's path."""
    ((tile, cloud),) = synthetic_labelled_tiles(7, 1, 256)
    scene = LabelledScene(
        name="synthetic", reflectance=pixels_of(tile).astype(np.float32) / REFLECTANCE_SCALE,
        cloud=cloud, notice="synthetic", reference="made with the scene", synthetic=True,
        sources=(),
    )  # fmt: skip
    write_tile_cache(scene, folder / "tiles.npz", 128)
    (folder / "lumenode.toml").write_text(CONFIG)
    lumenode = [sys.executable, "-m", "flight"]
    subprocess.run([*lumenode, "keys", "init", str(folder / "keys")], check=True, stdout=-3)
    return folder / "lumenode.toml"


def status_kib(pid, name):
    """A size out of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(name)


def cpu_s(pid):
    """Processor time of one process, its children not included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def weigh(config, seconds):
    """RSS and its peak in MiB, processor time and its share while flying, seconds to end."""
    command = [sys.executable, "-m", "flight", "fly", "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "COMPUTE" in line:
            break
    before_s, started = cpu_s(process.pid), time.monotonic()
    time.sleep(seconds)
    busy_s, passed_s = cpu_s(process.pid) - before_s, time.monotonic() - started
    rss, peak = (status_kib(process.pid, name) / 1024 for name in ("VmRSS", "VmHWM"))
    asked = time.monotonic()
    process.terminate()
    process.stdout.read()
    code = process.wait()
    assert code == 0, f"flight ended with {code}"
    return rss, peak, before_s, 100 * busy_s / passed_s, time.monotonic() - asked


def census(config):
    """Names of all modules in a flight process that flew for four seconds."""
    told = config.parent / "modules.txt"
    argv = [sys.executable, "-c", CENSUS, str(told), "--config", str(config), "--for", "4"]
    subprocess.run(argv, check=True, stdout=-3)
    return told.read_text().split()


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as folder:
        config = make_board(Path(folder))
        rss, peak, start_s, share, end_s = weigh(config, seconds)
        modules = census(config)
    foreign = [name for name in modules if name.partition(".")[0] not in {"flight", "hal"}]
    forbidden = [name for name in modules if name.partition(".")[0] in FORBIDDEN]
    print(f"resident memory      {rss:6.1f} MiB  (limit {RSS_MIB_MAX:g})  peak {peak:.1f} MiB")
    print(f"start up             {start_s:6.2f} s of processor time")
    print(f"flying               {share:6.2f} % of one core")
    print(f"SIGTERM to exit      {end_s:6.2f} s")
    print(f"modules              {len(modules):6d}      (limit {MODULES_MAX})")
    print(f"  not our own        {len(foreign):6d}")
    print(f"  forbidden          {len(forbidden):6d}      {' '.join(forbidden)}")
    kept = rss <= RSS_MIB_MAX and len(modules) <= MODULES_MAX and not forbidden
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
