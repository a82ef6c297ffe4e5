"""The flight software on an aarch64 processor, by emulation: the very sources, cross-compiled."""

import os
import shutil
import struct
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from hil.emulated.recipe import Recipe
from hil.emulated.root import unpack_wheels
from hil.emulated.stage import SOURCE

pytestmark = [pytest.mark.emulated, pytest.mark.timeout(900)]
TEST_TOOLS = ("hypothesis", "iniconfig", "pluggy", "pygments", "pytest", "sortedcontainers")
AARCH64 = 183
"""EM_AARCH64 in an ELF header."""


def emulated(python, *arguments, path="", **options):
    return subprocess.run(
        [str(python), *map(str, arguments)],
        capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "PYTHONPATH": path}, **options,
    )  # fmt: skip


def test_the_extension_is_for_the_processor_and_so_is_the_interpreter(python):
    head = (python.parent / "hal" / "_native.abi3.so").read_bytes()[:20]
    assert struct.unpack("<16xHH", head)[1] == AARCH64
    told = emulated(python, "-c", "import platform, sys; print(platform.machine(), sys.executable)")
    assert told.stdout.split() == ["aarch64", str(python)]


def test_the_hal_keeps_its_contract_on_aarch64(python, tmp_path):
    """All its backends, in a folder where no more of the repository is found than it needs."""
    for name in ("hal/test_hal_contract.py", "hal/line_bench.py", "linux_boards.py"):
        shutil.copy(SOURCE / "tests" / name, tmp_path)
    shutil.copytree(SOURCE / "hil" / "bench_link", tmp_path / "hil" / "bench_link")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    tools = Recipe({name: version(name) for name in TEST_TOOLS})
    unpack_wheels(tools, tmp_path / "site", tmp_path / "wheels")
    done = emulated(
        python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_hal_contract.py",
        path=str(tmp_path / "site"), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_frames_sealed_on_aarch64_are_the_bytes_sealed_here(python, tmp_path):
    program = (
        "import json, sys; from hal.native_library import ffi, lib\n"
        "data = bytes(range(256)) * 33\n"
        "print(lib.framer_crc32c(0, data, len(data)))\n"
    )
    there = emulated(python, "-c", program, cwd=tmp_path).stdout
    here = subprocess.run(
        [os.sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=SOURCE,
    ).stdout  # fmt: skip
    assert there == here != ""


def test_the_networks_give_their_golden_answers_on_aarch64(python, tmp_path):
    done = emulated(python, "-m", "flight", "models", "verify", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ok" in done.stdout.lower()


def test_the_node_flies_computes_and_ends_in_order_on_aarch64(python, make_board, tmp_path):
    config = make_board(tmp_path)
    done = emulated(python, "-m", "flight", "fly", "--config", config, "--for", "25", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "BOOTED" in done.stdout
    assert "IDLE to COMPUTE" in done.stdout
    assert "SHUTDOWN: stopping: time over" in done.stdout
    assert "failed" not in done.stdout.lower()
    again = emulated(python, "-m", "flight", "fly", "--config", config, "--for", "3", cwd=tmp_path)
    assert "start 2" in again.stdout
    recovered = [line for line in again.stdout.splitlines() if "recovered" in line]
    assert recovered, "the worker's results were durable products"
    assert not recovered[0].endswith(" 0 products recovered, 0 B, 0 torn")
    assert Path(config).exists()
