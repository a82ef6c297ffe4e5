"""Mosquitto as docs/deploy ships it: its files, but for port, user and the folder they lie in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from broker_process import Broker, await_port, free_port

DEPLOY = Path(__file__).resolve().parents[3] / "docs" / "deploy"
HOME = "/etc/mosquitto/lumenode"
MAIN = """user {user}
persistence true
persistence_location {folder}/
include_dir {folder}/conf.d
"""
"""What Debian's own mosquitto.conf says, and as whom."""


def mosquitto_program():
    """Where it is; in the automatic check its absence is a failure."""
    found = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        missing = "Mosquitto is missing: apt install mosquitto"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return found


def make_keys(folder, *words):
    """What `lumenode keys tls` makes for a broker on the loopback."""
    subprocess.run(
        [sys.executable, "-m", "flight", "keys", "tls", str(folder), *words,
         "--broker", "127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


class Mosquitto(Broker):
    """The shipped configuration on a loopback port, with the keys of a folder."""

    def __init__(self, folder, keys):
        super().__init__(free_port())
        self._program = mosquitto_program()
        self.config = folder / "mosquitto.conf"
        (folder / "conf.d").mkdir()
        user = "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody")
        self.config.write_text(MAIN.format(folder=folder, user=user))
        shipped = (DEPLOY / "lumenode-mosquitto.conf").read_text()
        assert shipped.count("listener 8883\n") == 1
        assert shipped.count(HOME) == 4
        text = shipped.replace("listener 8883\n", f"listener {self.port} 127.0.0.1\n")
        (folder / "conf.d" / "lumenode.conf").write_text(text.replace(HOME, str(keys)))
        access = (DEPLOY / "lumenode-mosquitto.acl").read_text()
        (node,) = [part for part in access.split("\n\n") if "user lumenode-1\n" in part]
        (keys / "acl").write_text(f"{access}\n{node.replace('lumenode-1', 'lumenode-2')}\n")
        (keys / "acl").chmod(0o600)
        self._log = folder / "mosquitto.log"

    def start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self.config)], stdout=log, stderr=log
            )
        await_port(self.port)
        return self

    @property
    def log(self):
        return self._log.read_text()
