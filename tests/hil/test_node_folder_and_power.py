"""A node finds in its folder what it needs to fly, and is switched as a child is."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.clock import LoopClock
from flight.board_config import load_fly_config
from flight.inference.frame_source import FolderSource
from flight.keys import Half, KeyFileError, derive_from_seed, load_half
from hil.bench_link.layout import Mode
from hil.folder_camera import KEPT_FILES, FolderCamera
from hil.imagery import synthetic_tiles
from hil.node_folder import CONFIG, FRAMES, KEYS, NodeSide, write_node_folder
from hil.node_power import ChildNode, RemoteNode
from hil.scenario import load_scenario
from hil.scene_camera import SceneCamera
from hil.simloop import SimLoop

S = 1_000_000_000


def side(tmp_path, *, here=True):
    return NodeSide(
        "/dev/ttyX",
        Mode.FREE_RUN,
        460_800,
        62,
        tmp_path / "store" if here else None,
        sees_frames=here,
    )


def test_a_node_flies_from_its_folder_with_what_the_scenario_says(tmp_path):
    node = load_scenario("first-flight").node
    folder = tmp_path / "node"
    path = write_node_folder(folder, node, derive_from_seed(7), side(tmp_path))
    config = load_fly_config(path)
    assert path == folder / CONFIG
    assert config.board.hal == "link:/dev/ttyX"
    assert (config.board.link_mode, config.board.link_baud) == ("free-run", 460_800)
    assert config.board.link_fifo_frames == 62
    assert config.board.data == str(tmp_path / "store")
    assert (config.frames.source, config.frames.path) == ("folder", str(folder / FRAMES))
    assert (config.camera, config.battery, config.link) == (node.camera, node.battery, node.link)


def test_the_keys_are_the_nodes_half_alone_and_nobody_else_can_read_them(tmp_path):
    node = load_scenario("first-flight").node
    write_node_folder(tmp_path / "node", node, derive_from_seed(7), side(tmp_path))
    keys = tmp_path / "node" / KEYS
    assert load_half(keys / Half.NODE.file_name, Half.NODE) == derive_from_seed(7)
    with pytest.raises(KeyFileError):
        load_half(keys / Half.GROUND.file_name, Half.GROUND)
    assert stat.S_IMODE((keys / Half.NODE.file_name).stat().st_mode) == 0o600


def test_a_folder_for_another_machine_names_nothing_of_this_one(tmp_path):
    node = load_scenario("first-flight").node
    path = write_node_folder(
        tmp_path / "node", node, derive_from_seed(7), side(tmp_path, here=False)
    )
    assert str(tmp_path) not in path.read_text()
    assert load_fly_config(path).board.data == str(path.parent / "data")


# The camera.


class Camera:
    def __init__(self, folder, lit=lambda _t: True):
        folder.mkdir(exist_ok=True)
        self.tiles = synthetic_tiles(3, 4, 32)
        self.folder = folder
        self.camera = FolderCamera(folder, self.tiles, lit, np.random.default_rng(5), S)

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())


def test_a_watching_node_gets_each_tile_once_with_the_number_the_bench_knows_it_by(tmp_path):
    bench = Camera(tmp_path / "frames")
    loop = SimLoop()
    source = FolderSource(tmp_path / "frames", LoopClock(loop), S // 2)
    got = []

    async def watch():
        while True:
            got.append(await source.next_tile())

    loop.create_task(watch())
    for second in range(1, 6):
        loop.run_until_ns(second * S)
        bench.camera.drop(second * S)
    loop.run_until_ns(10 * S)
    assert [tile.pixels for tile in got] == [bench.camera.shown(k).pixels for k in range(1, 6)]
    assert source.rejected == 0
    loop.cancel_all()


@given(
    st.lists(st.integers(1, 300), max_size=6), st.integers(0, 40), st.sampled_from([1, 4, 7, 30])
)
@settings(deadline=None, max_examples=40)
def test_it_shoots_exactly_when_the_imager_of_target_sim_does(dawns_and_dusks, starts_s, cadence_s):
    edges = sorted(dawns_and_dusks)
    lit = lambda t_ns: sum(edge * S <= t_ns for edge in edges) % 2 == 0
    loop, tiles = SimLoop(), synthetic_tiles(3, 4, 32)
    sim = SceneCamera(tiles, LoopClock(loop), cadence_s, lit, np.random.default_rng(5))
    shots = []

    async def watch():
        await LoopClock(loop).sleep_until(starts_s * S)
        while True:
            tile = await sim.next_tile()
            shots.append((tile.captured_ns, tile.pixels))

    loop.create_task(watch())
    loop.run_until_ns(400 * S)
    loop.cancel_all()
    with TemporaryDirectory() as folder:
        camera = FolderCamera(Path(folder), tiles, lit, np.random.default_rng(5), cadence_s * S)
        camera.restart(starts_s * S)
        dropped = []
        for second in range(0, 401, cadence_s):
            before = camera.frames
            if second > starts_s:
                camera.drop(second * S)
            if camera.frames > before:
                dropped.append((second * S, camera.shown(camera.frames).pixels))
    assert dropped == shots


def test_a_frame_says_whether_it_shows_land(tmp_path):
    bench = Camera(tmp_path / "frames")
    bench.camera.drop(S)
    (name,) = bench.names()
    with np.load(tmp_path / "frames" / name) as held:
        assert bool(held["land"]) is bench.camera.shown(1).land


def test_old_frames_are_taken_away(tmp_path):
    bench = Camera(tmp_path / "frames")
    for second in range(1, KEPT_FILES + 6):
        bench.camera.drop(second * S)
    assert len(bench.names()) == KEPT_FILES
    assert bench.names()[0] == "000000006.npz"


def test_after_a_reset_no_old_frame_is_seen_and_numbers_go_on_behind_a_gap(tmp_path):
    bench = Camera(tmp_path / "frames")
    bench.camera.drop(S)
    bench.camera.restart(2 * S)
    assert bench.names() == []
    bench.camera.drop(3 * S)
    assert bench.camera.shown(1) is not None
    assert bench.camera.shown(2) is None, "the node lost the numbers it had set aside"
    assert bench.camera.shown(1025) is not None


# The switch.


def child(tmp_path, program):
    return ChildNode([sys.executable, "-c", program], tmp_path / "log")


SLEEPS = "import time; print('up', flush=True); time.sleep(600)"


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_cut_ends_the_child_whatever_it_thinks_of_it(tmp_path):
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPS
    node = child(tmp_path, stubborn)
    node.on()
    assert node.ended() is None
    pid = node._process.pid
    node.cut()
    assert not running(pid)
    assert node.ended() is None, "nobody ended by themselves"
    node.cut()


def test_a_cut_takes_along_what_the_child_has_started(tmp_path):
    parent = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\ntime.sleep(600)"
    )
    node = child(tmp_path, parent)
    node.on()
    while not (tmp_path / "log").read_text().endswith("\n"):
        os.sched_yield()
    node.cut()
    state = Path(f"/proc/{(tmp_path / 'log').read_text().strip()}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] not in "ZX":
        os.sched_yield()


def test_an_orderly_end_asks_first(tmp_path):
    said = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye')))\n"
    node = child(tmp_path, said + "print('up', flush=True)\nsignal.pause()")
    node.on()
    while "up" not in (tmp_path / "log").read_text():
        os.sched_yield()
    node.stop()
    assert (tmp_path / "log").read_text().endswith("bye\n")


def test_a_child_that_ends_by_itself_leaves_code_and_last_words(tmp_path):
    node = child(tmp_path, "import sys; print('one'); sys.exit('no keys')")
    node.on()
    node._process.wait()
    assert node.ended() == (1, "no keys")
    node.cut()


def test_nobody_switches_a_node_at_the_end_of_a_cable():
    node = RemoteNode()
    node.on()
    node.cut()
    node.stop()
    assert node.ended() is None
    assert not node.owned
