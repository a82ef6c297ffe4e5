"""A payload that cannot start is no reason not to fly: a real node, its broker, an operator.

The product's own files are copied, damaged in one place, and flown from there.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

import pytest

from flight import __file__ as package
from flight.config import InferenceConfig
from flight.inference.model_registry import DEFAULT_ROOT

sys.path.append(str(Path(__file__).parent / "telemetry"))
from broker_process import Broker, free_port

pytestmark = pytest.mark.slow  # real processes, real time

PATIENCE_S = 120
CHOSEN = InferenceConfig()
MODEL = DEFAULT_ROOT.relative_to(Path(package).parent) / CHOSEN.model / f"{CHOSEN.variant}.onnx"
WORKER = Path("inference") / "worker_main.py"
MORE = """
[parameters]
"telemetry.period_s" = 1.0
[mqtt]
enabled = true
"""


def flip(path):
    """One bit of the network."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def break_off(path):
    """A worker that ends before it has begun."""
    path.write_text("raise SystemExit(3)\n")


class Flight:
    """A node that flies from a damaged copy, and every line it says."""

    def __init__(self, folder, config, damaged, damage):
        shutil.copytree(Path(package).parent, folder / "flight")
        damage(folder / "flight" / damaged)
        self.lines, self._said = deque(), threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "flight", "fly", "--config", str(config)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self):
        for line in self._process.stdout:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()

    def wait_for(self, words):
        """The first line with these words, said already or to come."""
        with self._said:
            found = self._said.wait_for(
                lambda: next((line for line in self.lines if words in line), None), PATIENCE_S
            )
        assert found, f"{words!r} never came; said was {list(self.lines)[-10:]}"
        return found

    def kill(self):
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._listener.join(PATIENCE_S)
        self._process.stdout.close()


@pytest.mark.parametrize(
    ("damaged", "damage", "said"),
    [
        (MODEL, flip, "SHA-256 expected"),
        (WORKER, break_off, "3 jobs in a row: worker process ended"),
    ],
    ids=["corrupt model", "worker that cannot start"],
)
def test_the_inference_service_fails_to_start_and_command_and_telemetry_still_run(
    make_board, lumenode, tmp_path, damaged, damage, said
):
    broker, config = Broker(free_port()).start(), make_board(tmp_path)
    config.write_text(config.read_text() + MORE + f"port = {broker.port}\n")
    flight = Flight(tmp_path, config, damaged, damage)
    try:
        flight.wait_for("BROKER_CONNECTED")
        flight.wait_for("mode BOOT to IDLE")
        assert said in flight.wait_for("SERVICE_FAILED: service inference failed")
        flight.wait_for("mode IDLE to COMPUTE")
        flight.wait_for("HEALTH_CHANGED: health of inference: healthy to needs_recovery")
        sent = lumenode("send", "NO_OP", "--config", config, "--json")
        assert (sent.returncode, sent.stderr) == (0, "")
        assert json.loads(sent.stdout.splitlines()[-1])["stage"] == "completed"
        watched = lumenode("watch", "mode.current", "--config", config, "--for", "5")
        assert "mode.current = COMPUTE" in watched.stdout
        assert not any("SHUTDOWN" in line for line in flight.lines)
    finally:
        flight.kill()
        broker.kill()


def test_a_model_that_stays_corrupt_is_given_up_and_the_node_flies_on_without_its_payload(
    make_board, lumenode, tmp_path
):
    broker, config = Broker(free_port()).start(), make_board(tmp_path)
    config.write_text(config.read_text() + MORE + f"port = {broker.port}\n")
    flight = Flight(tmp_path, config, MODEL, flip)
    try:
        flight.wait_for("SERVICE_GIVEN_UP: service inference")
        flight.wait_for("health of inference: needs_recovery to faulty, given up")
        flight.wait_for("RECOVERY_FIRED: health.inference.faulty: shed_payload")
        sent = lumenode("send", "NO_OP", "--config", config)
        assert (sent.returncode, sent.stderr) == (0, "")
    finally:
        flight.kill()
        broker.kill()
