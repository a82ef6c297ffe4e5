"""A real broker in a process of its own: what a test may start, stop, freeze and kill."""

import signal
import socket
import subprocess
import sys
import time

PATIENCE_S = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port):
    """Returns when somebody listens there."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the broker did not start")


class Broker:
    """`lumenode broker` on a loopback port."""

    def __init__(self, port):
        self.port = port
        self._process = None

    def start(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flight", "broker", "--port", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        await_port(self.port)
        return self

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None
