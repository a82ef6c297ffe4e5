import asyncio
import selectors
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from camera_kernel import CameraKernel

from flight.board_config import load_fly_config
from flight.board_node import BoardNode, FlightLostError, settle
from flight.config import ConfigError
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.inference.model_manifest import ModelError
from flight.inference.tile_cache import ImageryError
from flight.keys import KeyFileError
from flight.telemetry.dictionary import EVENT_BY_ID
from hal.guard import GuardState
from hal.native_camera import NativeCamera
from hal.sim_bench import SimBench

SAFE = (0, 0, 0, 0)


@pytest.fixture
def loop():
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    yield loop
    loop.close()


@pytest.fixture
def config_path(make_board, tmp_path):
    return make_board(tmp_path)


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def flown(board, loop, seconds):
    """Flies for so long; what ended it and what the hardware was left in."""
    stop = loop.create_future()
    loop.call_later(seconds, settle, stop, "test over")
    return loop.run_until_complete(board.fly(stop))


def devices_in_activity(board):
    devices = board.node._around.devices
    devices.point_terminal(7)
    devices.set_laser(True)
    devices.set_payload_level(2)
    return SimBench(devices)


def test_a_flight_that_is_asked_to_end_leaves_the_hardware_safe(config_path, loop):
    board = BoardNode(load_fly_config(config_path), loop)
    bench = devices_in_activity(board)
    assert flown(board, loop, 0.05) == "test over"
    assert bench.read_actuators()[:4] == SAFE
    board.close()


def test_a_camera_that_goes_away_and_comes_back_is_told(config_path, loop, monkeypatch, capfd):
    kernel = CameraKernel("RGB24", pixel_bytes=3)
    kernel.plugged = False
    camera = partial(NativeCamera, system=kernel.table)
    monkeypatch.setattr("flight.board_camera.NativeCamera", camera)
    config_path.write_text(
        '[frames]\nsource = "camera"\npath = "/dev/video0"\n[frames.camera]\nformat = "RGB24"\n'
        'width_px = 64\nheight_px = 48\ntile_px = 32\nbands = ["blue", "green", "red", "red", '
        '"red", "red"]\n[camera]\ncadence_s = 0.05\n[battery]\nseries = 8\n'
    )
    board = BoardNode(load_fly_config(config_path), loop)
    stop = loop.create_future()
    tell = board.journal.__call__

    def listen(event):
        tell(event)
        kernel.plugged = True
        if EVENT_BY_ID[event.event_id].name == "HAL_RECOVERED":
            settle(stop, "seen")

    board.node.events._listener = listen
    loop.call_later(30, settle, stop, "too late")
    assert loop.run_until_complete(board.fly(stop)) == "seen"
    lines = capfd.readouterr().out
    assert "HAL_FAILED: HAL camera: NODEV" in lines
    assert "HAL_RECOVERED: HAL camera answers again" in lines
    board.close()
    assert not kernel.open


def test_a_lost_service_is_told_and_the_hardware_is_made_safe_all_the_same(
    config_path, loop, capfd
):
    board = BoardNode(load_fly_config(config_path), loop)
    bench = devices_in_activity(board)

    async def lost():
        raise RuntimeError("main loop gone")

    board.node.serve = lost
    with pytest.raises(FlightLostError, match="RuntimeError: main loop gone"):
        flown(board, loop, 30)
    assert bench.read_actuators()[:4] == SAFE
    told = capfd.readouterr().out
    assert "FATAL   FATAL_ERROR: RuntimeError: main loop gone" in told
    assert "SHUTDOWN: stopping: service lost" in told
    board.close()
    with_record = BoardNode(load_fly_config(config_path), loop)
    assert with_record.node.boot.record.unplanned == 1, "and the next start knows of it"
    with_record.close()


def test_a_service_that_does_not_end_is_left_behind_and_the_store_committed(
    config_path, loop, monkeypatch
):
    monkeypatch.setattr("flight.board_node.STOP_TIMEOUT_S", 0.01)
    board = BoardNode(load_fly_config(config_path), loop)
    bench = devices_in_activity(board)
    ended = asyncio.Event()

    async def stubborn():
        while not ended.is_set():
            try:
                await ended.wait()
            except asyncio.CancelledError:
                continue

    board.node.serve = stubborn
    assert flown(board, loop, 0.01) == "test over"
    assert bench.read_actuators()[:4] == SAFE
    ended.set()
    loop.run_until_complete(asyncio.sleep(0))
    board.close()


def test_a_store_that_fails_at_the_end_is_told(config_path, loop, monkeypatch):
    board = BoardNode(load_fly_config(config_path), loop)

    def full(_cause):
        raise StoreError(StoreErrorKind.FULL, "no room")

    monkeypatch.setattr(board.node, "stop", full)
    with pytest.raises(FlightLostError, match="no room"):
        flown(board, loop, 0.01)
    board.close()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[board]\nkeys = "none"\n', KeyFileError),
        ('[board]\ndata = "tiles.npz"\n', ConfigError),
        ('[board]\ndata = "used"\n', OSError),
        ('[inference]\nmodel = "no_such"\n', ModelError),
        ('[inference]\nprofile = "no-such"\n', ConfigError),
        ("", ImageryError),
    ],
)
def test_what_cannot_be_opened_leaves_nothing_open(config_path, loop, tmp_path, text, error):
    config_path.write_text(config_path.read_text() + text)
    if error is ImageryError:
        (tmp_path / "tiles.npz").unlink()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "segments").write_text("a file where the folder belongs")
    before = open_files()
    with pytest.raises(error) as caught:
        BoardNode(load_fly_config(config_path), loop)
    assert "\n" not in str(caught.value)
    assert open_files() == before


def test_tiles_dropped_into_a_folder_are_flown(config_path, loop, tmp_path):
    text = config_path.read_text().replace(
        'path = "tiles.npz"', 'source = "folder"\npath = "in"\npoll_s = 0.05'
    )
    config_path.write_text(text)
    with pytest.raises(ConfigError, match="no such folder"):
        BoardNode(load_fly_config(config_path), loop)
    (tmp_path / "in").mkdir()
    pixels = np.zeros((64, 64, 6), dtype=np.uint16)
    np.savez(tmp_path / "in" / "0001.npz", pixels=pixels)
    board = BoardNode(load_fly_config(config_path), loop)
    tile = loop.run_until_complete(board.node._around.frames.next_tile())
    assert (tile.tile_id, tile.origin) == (1, "folder:0001.npz")
    board.close()


def test_tile_numbers_never_start_again(config_path, loop):
    seen = []
    for _ in range(2):
        board = BoardNode(load_fly_config(config_path), loop)
        seen.append(loop.run_until_complete(board.node._around.frames.next_tile()).tile_id)
        board.close()
    assert seen[0] < seen[1]


@pytest.mark.slow  # some cycles of a second
def test_a_loop_that_stood_still_finds_the_node_safe_and_says_so(config_path, loop, capfd):
    config_path.write_text(config_path.read_text() + "[board]\ntick_hz = 50\nguard_ticks = 25\n")
    board = BoardNode(load_fly_config(config_path), loop)
    devices = board.node._around.devices
    guard = board.tick.guard
    stop = loop.create_future()
    seen = []

    def stand_still():
        if guard.status().state is not GuardState.ARMED or guard.status().trips:
            loop.call_later(0.05, stand_still)  # before the first cycle
            return
        devices.point_terminal(7)
        devices.set_payload_level(2)
        devices.set_laser(True)
        while not guard.status().safe:
            pass  # nothing of the node runs, and its lock is held but for this look
        frame = devices.snapshot()
        seen.append((guard.status().silent_ticks, frame.payload_level, frame.laser_on))
        loop.call_later(0.05, end_when_armed_again)

    def end_when_armed_again():
        if guard.status().state is GuardState.ARMED:
            settle(stop, "seen")
        else:
            loop.call_later(0.05, end_when_armed_again)

    loop.call_soon(stand_still)
    assert loop.run_until_complete(board.fly(stop)) == "seen"
    board.close()
    assert seen == [(25, 0, 0)]
    told = capfd.readouterr().out
    assert "GUARD_TRIPPED: payload and laser switched off" in told
    assert "to SAFE: software stood still" in told
    assert "GUARD_REARMED" in told


def test_the_first_cause_of_an_end_counts(loop):
    stop = loop.create_future()
    settle(stop, "SIGTERM")
    settle(stop, "SIGINT")
    assert stop.result() == "SIGTERM"
