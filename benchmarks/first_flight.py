"""How fast a mission flies on the bench, where the time goes, and whether runs repeat.

    python benchmarks/first_flight.py

Four blocks: a day of flight in virtual time with its cost by part, the default mission three times
over, the flight process alone where a bench for it is there, and each figure against its limit.
Process time is compared, not wall time: other work on the machine only ever adds to that.
"""

import gc
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Beside this file lies hal.py, which is not the package `hal`.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from hil.scenario import load_scenario  # noqa: E402
from hil.sim_target import SimTarget  # noqa: E402

SPEED_FLOOR_X, SPEED_GOAL_X = 3_000.0, 10_000.0
WALL_LIMIT_S = 60.0
RUNS = 3

# What each part of a run costs itself, without what it calls of another part: part, module, place.
PARTS = (
    ("plant", "hil.plant_bench", "PlantBench.step"),
    ("flight cycle", "flight.base.rate_group", "RateGroup.step"),
    ("products", "flight.downlink.product_intake", "ProductIntake.step"),
    ("products", "flight.downlink.product_intake", "ProductIntake.submit"),
    ("products", "flight.inference.screening", "screen"),
    ("products", "flight.inference.inference_service", "products_of"),
    ("products", "hil.ground.archive", "Archive.file"),
    ("inference", "flight.inference.session_ort", "OrtSession.run"),
    ("link and frames", "hil.link_bench", "LinkBench.step"),
    ("link and frames", "hil.link_bench", "LinkBench._land"),
    ("link and frames", "flight.downlink.downlink_service", "DownlinkService._turn"),
    ("recorder", "hil.run_recorder", "RunRecorder.sample"),
    ("recorder", "hil.run_recorder", "RunRecorder.frame"),
    ("recorder", "hil.run_recorder", "RunRecorder._event"),
)


class Stopwatch:
    """Exclusive seconds by part: a part's clock stands while a part that it called runs."""

    def __init__(self):
        self.spent_s = {}
        self._stack = []
        self._undo = []

    def __enter__(self):
        for part, module, place in PARTS:
            owner = importlib.import_module(module)
            *outer, name = place.split(".")
            for each in outer:
                owner = getattr(owner, each)
            call = getattr(owner, name)
            self._undo.append((owner, name, call))
            setattr(owner, name, self._timed(part, call))
        return self

    def __exit__(self, *_error):
        for owner, name, call in reversed(self._undo):
            setattr(owner, name, call)

    def _timed(self, part, call):
        stack, spent, clock = self._stack, self.spent_s, time.perf_counter
        spent.setdefault(part, 0.0)

        def timed(*args, **kwargs):
            started = clock()
            stack.append(0.0)
            try:
                return call(*args, **kwargs)
            finally:
                whole = clock() - started
                spent[part] += whole - stack.pop()
                if stack:
                    stack[-1] += whole

        return timed


def fly(scenario):
    """One flight without its report: (target, process seconds, wall seconds), set-up included."""
    with tempfile.TemporaryDirectory() as folder:
        gc.collect()
        started, wall = time.process_time(), time.perf_counter()
        target = SimTarget(scenario, Path(folder))
        target.start()
        target.advance(scenario.duration_s)
        target.finish()
        return target, time.process_time() - started, time.perf_counter() - wall


def day(verdicts):
    scenario = load_scenario("day")
    target, cpu_s, _ = fly(scenario)
    speed = scenario.duration_s / cpu_s
    unit = 1e6 / scenario.duration_s
    world = target.world
    made = f"{world.camera.frames} images, {world.ledger.products} products"
    print(f"one day ({scenario.name}: {made}, {world.recorder.frames} frames)")
    print(f"  {speed:,.0f} x real time, {cpu_s:.2f} s of CPU, {cpu_s * unit:.0f} us a second")
    print(f"  hash {world.recorder.log_hash}")
    with Stopwatch() as watch:
        again, timed_s, wall_s = fly(scenario)
    print(f"  by part, in a second flight under stopwatches ({timed_s * unit:.0f} us a second):")
    shares = {part: spent_s / wall_s for part, spent_s in watch.spent_s.items()}
    shares["loop and rest"] = 1.0 - sum(shares.values())
    for part, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"    {part:<16}{share * timed_s * unit:7.1f} us  {share:6.1%}")
    verdicts.append(("day: speed", speed, ">=", SPEED_FLOOR_X, "x real time"))
    verdicts.append(("day: goal for the speed", speed, ">=", SPEED_GOAL_X, "x real time"))
    same = again.world.recorder.log_hash == world.recorder.log_hash
    verdicts.append(("day: hashes that differ, of 2", 0 if same else 1, "<=", 0, ""))


def lumenode_run(folder):
    """The default mission as a user runs it: (summary, wall seconds, process seconds)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    command = [sys.executable, "-m", "flight", "run", "--json", "--out", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall_s = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout:
        sys.exit(done.stderr)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), wall_s, cpu_s


def default_mission(verdicts):
    print(f"default mission, {RUNS} runs with report")
    hashes, walls = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS):
            summary, wall_s, cpu_s = lumenode_run(folder)
            above_s = summary["violation_s_thermal"] + summary["violation_s_soc"]
            hashes.append(summary["log_hash"])
            walls.append(wall_s)
            print(
                f"  {summary['log_hash']}  {summary['verdict']}, {above_s:.0f} s above limits; "
                f"flight {summary['speed_x']:,.0f} x, {summary['cpu_s']:.2f} s of CPU; "
                f"all with report {cpu_s:.2f} s of CPU, {wall_s:.2f} s of wall time"
            )
            verdicts.append(("default: seconds above limits", above_s, "<=", 0, "s"))
    verdicts.append((f"default: distinct hashes of {RUNS}", len(set(hashes)), "<=", 1, ""))
    verdicts.append(("default: longest wall time", max(walls), "<=", WALL_LIMIT_S, "s"))


def flight_process(verdicts):
    """The node alone in real time, by its own bench beside this one."""
    print("flight process")
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("flight_process.py")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for line in (done.stdout or done.stderr).splitlines():
        print(f"  {line}")
    verdicts.append(("flight process: exit code", done.returncode, "<=", 0, ""))


def judge(verdicts):
    print("against limits")
    failed = 0
    for name, value, op, limit, unit in dict.fromkeys(verdicts):
        good = value >= limit if op == ">=" else value <= limit
        failed += not good
        word = "pass" if good else "FAIL"
        ratio = f"{value / limit:.2f} of it" if limit else ""
        print(f"  {word}  {name:<34}{value:12,.2f}  {op} {limit:<8,g}{unit:<12}{ratio}")
    return failed


def main():
    verdicts = []
    day(verdicts)
    default_mission(verdicts)
    flight_process(verdicts)
    judge(verdicts)


if __name__ == "__main__":
    main()
