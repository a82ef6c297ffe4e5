"""What the command line says of a line, and what the bench says to whoever starts the node."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pytest

from hil.bench_link.layout import Mode
from hil.line_arguments import add_line_arguments, invitation, mode_of, pty_setup, serial_setup


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_line_arguments(parser, wait_s=math.inf)
    return lambda *words: parser.parse_args(words)


def test_by_default_a_line_is_lock_step_fast_and_waited_for(parse):
    setup = serial_setup(parse(), "/dev/ttyUSB0", "serial:/dev/ttyUSB0")
    assert (setup.mode, setup.baud, setup.node_device) == (Mode.LOCK_STEP, 921_600, "/dev/serial0")
    assert (setup.wait_for_node_s, setup.capture, setup.child) == (math.inf, False, False)


def test_what_is_said_is_what_the_line_is(parse):
    said = parse("--mode", "free-run", "--baud", "460800", "--node-device", "/dev/x", "--wait", "5")
    setup = serial_setup(said, "/dev/ttyUSB0", "serial:/dev/ttyUSB0")
    assert (setup.mode, setup.baud, setup.node_device) == (Mode.FREE_RUN, 460_800, "/dev/x")
    assert setup.wait_for_node_s == 5.0
    assert mode_of(said) is Mode.FREE_RUN


@pytest.mark.parametrize(
    "words",
    [("--baud", "9599"), ("--baud", "4000001"), ("--baud", "fast"), ("--wait", "0.5"),
     ("--wait", "long"), ("--wait", "nan"), ("--mode", "both")],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(parse, words):
    with pytest.raises(argparse.ArgumentError):
        parse(*words)


def test_a_pty_is_told_with_the_file_that_the_node_flies_from(parse):
    setup = pty_setup(parse())
    where, how = invitation(setup, Path("/runs/x/node/lumenode.toml"))
    setup.port.close()
    assert where == f"bench at {setup.node_device}, lock-step; waiting for a node"
    assert how.endswith("lumenode fly --config /runs/x/node/lumenode.toml")


def test_a_board_is_told_what_to_copy_and_a_path_of_its_own(parse):
    setup = serial_setup(parse(), "/dev/ttyUSB0", "serial:/dev/ttyUSB0")
    where, how = invitation(setup, Path("/runs/x/node/lumenode.toml"))
    assert where == "bench at /dev/ttyUSB0, 921600 bit/s, lock-step; waiting for a node"
    assert how.startswith("copy /runs/x/node to the board, then there: ")
    assert how.endswith("lumenode fly --config node/lumenode.toml")
