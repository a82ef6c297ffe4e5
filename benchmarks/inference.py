"""What the inference service costs beside a bare ONNX Runtime loop, and what its guard costs.

    python benchmarks/inference.py [PART ...]

throughput: frames a second through service and worker, next to a loop that feeds, runs and makes
products with the runtime's own settings. latency: what a frame waits for beside network and
products. idle: processor time of a session that has nothing to do. guard: what the protections of a
run cost. Rounds of both sides alternate, so that whatever else the machine does hits both; a row
with a limit says whether it was kept, and the exit code is 1 when one was not.
"""

import sys
from pathlib import Path

# Beside this file lies hal.py, which is not the package `hal`.
HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE / "inference_parts")

import part_guard  # noqa: E402
import part_idle  # noqa: E402
import part_latency  # noqa: E402
import part_throughput  # noqa: E402

import hal  # noqa: E402, F401  the package, before its namesake can be seen

sys.path.append(str(HERE))

from rows import main  # noqa: E402

PARTS = {
    "throughput": part_throughput.rows,
    "latency": part_latency.rows,
    "idle": part_idle.rows,
    "guard": part_guard.rows,
}

if __name__ == "__main__":
    sys.exit(main(PARTS, sys.argv[1:]))
