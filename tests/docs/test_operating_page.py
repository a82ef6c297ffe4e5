"""The page on operating keeps its word: every command in its blocks is run, in its order."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flight.boot_record import LOOP_STARTS
from flight.telemetry.dictionary import CHANNELS, COMMANDS, EVENTS, Severity
from flight.wire.link_security import SecurityVerdict

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
PATIENCE_S = 120
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Reader:
    """Somebody who types what the page says, in a folder of their own."""

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


@pytest.mark.slow
def test_whoever_types_the_page_from_top_to_bottom_sees_what_it_says(tmp_path):
    reader = Reader(tmp_path)
    try:
        for kind, text in BLOCKS:
            if kind == "toml":
                name = re.match(r"# (\S+\.toml)\n", text).group(1)
                (tmp_path / name).write_text(text)
            elif kind == "sh":
                for line in text.splitlines():
                    reader.types(line)
        assert reader.flight.wait(PATIENCE_S) == 0, "RESET_NODE is the last that it is told"
    finally:
        if reader.flight is not None:
            reader.flight.kill()
            reader.flight.wait(PATIENCE_S)
    said, log = reader.said, reader.log()
    assert said["lumenode watch --for 12"].startswith("lumenode-1 online, ")
    assert "power.bus_w = " in said["lumenode watch --group power thermal.die_c --for 12"]
    assert said["lumenode send NO_OP"].endswith(" completed\n")
    assert (
        "rejected: out_of_range"
        in said["! lumenode send SET_PARAMETER name=power.soc_floor value=7"]
    )
    for word in ("to SAFE: command", "SAFE to IDLE: command", "PARAMETERS_REPLACED",
                 "EVENT_FILTER_SET", "reset by command"):  # fmt: skip
        assert word in log
    assert (tmp_path / "interface" / "dictionary.json").exists()
    assert (tmp_path / "broker-keys" / "operator.crt").exists()


def test_there_is_more_than_a_handful_to_type_and_the_reset_comes_last_of_what_needs_the_node():
    lines = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
    assert len(lines) >= 20
    last = max(i for i, line in enumerate(lines) if "--config" in line)
    assert "RESET_NODE" in lines[last]


def test_every_command_and_every_event_that_warns_is_on_the_page():
    for command in COMMANDS:
        assert f"| `{command.name}` |" in PAGE
    for event in EVENTS:
        row = f"| `{event.name}` | {event.severity.name} |"
        assert (row in PAGE) == (event.severity >= Severity.WARNING), event.name


def test_every_verdict_that_the_page_names_is_one():
    (cell,) = re.findall(r"`verdict`: ([^|]+) \|", PAGE)
    named = re.findall(r"`(\w+)`", cell)
    assert len(named) == 3
    assert set(named) <= {verdict.value for verdict in SecurityVerdict}
    assert (LOOP_STARTS == 3) == ("after three unplanned starts" in PAGE)


def test_every_channel_that_the_page_names_is_there():
    names = {channel.name for channel in CHANNELS}
    groups = {channel.name.partition(".")[0] for channel in CHANNELS}
    table = PAGE.partition("## Once a day")[2].partition("## When")[0]
    for name in re.findall(r"`([a-z]+\.[a-z_*]+)`", table):
        pattern = re.escape(name).replace(r"\*", ".+")
        assert any(re.fullmatch(pattern, known) for known in names), name
        assert name.partition(".")[0] in groups
