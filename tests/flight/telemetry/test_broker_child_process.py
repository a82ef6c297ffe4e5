"""The broker that a node brings along: a first hour without a set-up, and no harm when it dies."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from broker_process import free_port

pytestmark = pytest.mark.slow  # real processes, real time

PATIENCE_S = 60
MQTT = """
[parameters]
"telemetry.period_s" = 1.0
[mqtt]
enabled = true
embedded = true
port = {port}
reconnect_max_s = 0.4
"""


class Flight:
    """A node in a process of its own, and what it has told so far."""

    def __init__(self, config):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flight", "fly", "--config", str(config)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def until(self, *words):
        """Reads events until one holds all the words."""
        for line in self.process.stdout:
            if all(word in line for word in words):
                return line
        raise AssertionError(f"the node ended: {self.process.communicate()[1]}")

    def broker(self):
        """Process id of its broker."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        (found,) = [c for c in children if b"broker" in Path(f"/proc/{c}/cmdline").read_bytes()]
        return int(found)


@pytest.fixture
def config(make_board, tmp_path):
    config = make_board(tmp_path)
    config.write_text(config.read_text() + MQTT.format(port=free_port()))
    return config


@pytest.fixture
def flight(config):
    flight = Flight(config)
    yield flight
    flight.process.kill()
    flight.process.communicate(timeout=PATIENCE_S)


def is_there(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except OSError:
        return False


def await_end(pid):
    give_up = time.monotonic() + PATIENCE_S
    while is_there(pid) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not is_there(pid)


def test_a_newcomer_s_node_is_watched_and_commanded_without_any_set_up(lumenode, tmp_path):
    port = free_port()
    environment = {**os.environ, "LUMENODE_CACHE": str(tmp_path / "cache")}
    made = lumenode("init", tmp_path / "node", "--hal", "sim", "--mqtt", "--json", env=environment)
    assert made.returncode == 0, made.stderr
    config = tmp_path / "node" / "lumenode.toml"
    assert json.loads(made.stdout)["mqtt"] is True
    config.write_text(config.read_text().replace("port = 1883", f"port = {port}"))
    flight = Flight(config)
    try:
        flight.until("BROKER_CONNECTED")
        watched = lumenode("watch", "--for", "2", "--config", config)
        assert (watched.returncode, watched.stderr) == (0, "")
        assert "lumenode-1 online, " in watched.stdout
        sent = lumenode("send", "NO_OP", "--config", config)
        assert (sent.returncode, sent.stderr) == (0, "")
        broker = flight.broker()
        flight.process.terminate()
        _, errors = flight.process.communicate(timeout=PATIENCE_S)
        assert (flight.process.returncode, errors) == (0, "")
        await_end(broker)
    finally:
        flight.process.kill()


def test_a_broker_that_dies_is_told_and_replaced_and_the_node_flies_on(flight, config, lumenode):
    flight.until("BROKER_CONNECTED")
    os.kill(flight.broker(), signal.SIGKILL)
    flight.until("BROKER_LOST")
    flight.until("SERVICE_FAILED", "broker", "code -9")
    flight.until("SERVICE_RESTARTED", "broker")
    flight.until("BROKER_CONNECTED")
    sent = lumenode("send", "NO_OP", "--config", config)
    assert (sent.returncode, sent.stderr) == (0, "")


def test_the_broker_ends_with_a_node_that_is_killed_and_yields_to_it_before(flight):
    flight.until("BROKER_CONNECTED")
    broker = flight.broker()
    assert os.getpriority(os.PRIO_PROCESS, broker) >= os.getpriority(
        os.PRIO_PROCESS, flight.process.pid
    )
    flight.process.kill()
    await_end(broker)


def test_a_port_that_somebody_has_is_one_line_before_anything_flies(flight, config, lumenode):
    flight.until("BROKER_CONNECTED")
    second = lumenode("fly", "--config", config, "--data", config.parent / "second")
    assert second.returncode == 2
    (line,) = second.stderr.splitlines()
    assert line.startswith("lumenode fly: mqtt.port = ")
    assert line.endswith("Address already in use; a broker that is there already: embedded = false")
