"""Types the commands of a page, as its reader would."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Reader:
    """Somebody who types what a page says, in a folder of their own.

    A block of TOML that begins with the name of a file becomes that file; one of `sh` is typed line
    by line. What each line printed is in `said`.
    """

    def __init__(self, folder):
        self.folder, self.flight, self.said = folder, None, {}
        (folder / "bin").mkdir()
        command = folder / "bin" / "lumenode"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m flight "$@"\n')
        command.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LUMENODE_CACHE": str(folder / "cache"),
        }

    def reads(self, page):
        for kind, text in BLOCKS.findall(page):
            if kind == "toml":
                named = re.match(r"# (\S+\.toml)\n", text)
                if named:
                    (self.folder / named.group(1)).write_text(text)
            elif kind == "sh":
                for line in text.splitlines():
                    self.types(line)

    def leaves(self):
        """Ends whatever still flies."""
        if self.flight is not None:
            self.flight.kill()
            self.flight.wait(PATIENCE_S)

    def types(self, line):
        if line.endswith("&"):
            self.flight = subprocess.Popen(
                ["/bin/bash", "-c", f"exec {line[:-1]}"], cwd=self.folder, env=self.environment
            )
            self.waits_for("BROKER_CONNECTED")
            return
        done = subprocess.run(
            ["/bin/bash", "-c", line], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        self.said[line.partition(" --config")[0]] = done.stdout
        if line.startswith("lumenode init"):
            config = self.folder / "node" / "lumenode.toml"
            text = config.read_text()
            assert text.count("port = 1883") == 1
            config.write_text(text.replace("port = 1883", f"port = {free_port()}"))

    def waits_for(self, word):
        give_up = time.monotonic() + PATIENCE_S
        while word not in self.log() and time.monotonic() < give_up:
            assert self.flight.poll() is None, self.log()
            time.sleep(0.1)
        assert word in self.log()

    def log(self):
        path = self.folder / "node" / "flight.log"
        return path.read_text() if path.exists() else ""
