"""A node at the far end of a line is driven as the one in this process is, and judged as fairly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from scripted_node import ScriptedNode, SocketPort

from flight.telemetry.dictionary import CHANNEL_INDEX
from hal.sample import ResetCause
from hil.bench_link.layout import Mode
from hil.bench_link.port_serial import PortError
from hil.node_power import RemoteNode
from hil.node_turns import judge_lateness
from hil.scenario import load_scenario
from hil.stream_link import BenchError, StreamLink
from hil.stream_target import STARTS_IN_VAIN_MAX, StreamTarget
from hil.stream_world import StreamWorld

if TYPE_CHECKING:
    from pathlib import Path

S = 1_000_000_000
SCENARIO = """
name = "line"
title = "half a minute of nothing"
duration_s = 40.0
epoch_utc = 2026-06-21T03:30:00Z
[imagery]
source = "synthetic"
[ground]
stations = []
relay = false
max_passes = 0
"""


class Rig:
    """A target, its scripted node, and the run."""

    def __init__(self, folder: Path, text: str = "", mode: Mode = Mode.LOCK_STEP, **node) -> None:
        path = folder / "line.toml"
        path.write_text(SCENARIO + text)
        scenario = load_scenario(str(path))
        self.port = SocketPort()
        self.link = StreamLink(self.port, mode, tx_fifo_frames=4, period_s=1.0)
        self.node = ScriptedNode(self.port, **{"mode": mode, **node})
        self.node.loop = self.link._loop
        self.world = StreamWorld(scenario, folder, self.link.bench, None)
        self.target = StreamTarget(
            scenario,
            self.world,
            name="pty",
            link=self.link,
            power=self.node if self.node.owned else RemoteNode(),
            wait_for_node_s=2.0,
        )
        self.link.open()

    def fly(self, to_s: float) -> StreamTarget:
        if not self.node.starts:
            self.target.start()
        self.target.advance(to_s)
        return self.target

    def close(self) -> None:
        self.target.close()
        self.port.far.close()

    def names(self) -> list[str]:
        return [event.name for event in self.world.recorder.events]


@pytest.fixture
def rig(tmp_path):
    made = []

    def make(*args, **options) -> Rig:
        made.append(Rig(tmp_path, *args, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_every_second_is_shown_granted_and_done_in_order(rig):
    flown = rig()
    flown.fly(5.0)
    assert [g.tick for g in flown.node.grants] == [1, 2, 3, 4, 5]
    assert [g.until_ns for g in flown.node.grants] == [k * S - 1 for k in range(1, 6)]
    assert [s.t_ns for s in flown.node.sensors] == [k * S for k in range(5)]
    epoch_ns = round(flown.target.scenario.epoch_utc_s * S)
    assert all(s.utc_ns == epoch_ns + s.t_ns for s in flown.node.sensors)


def test_what_the_node_sets_acts_on_the_coming_second_and_heats_by_its_business(rig):
    flown = rig()
    flown.node.on_grant = lambda node, grant: (
        grant.tick == 1 and node.set(payload_level=2, payload_busy_permille=500)
    )
    flown.node.on_grant = _set_once
    flown.fly(3.0)
    level = flown.world.profile
    half_w = (level.idle_w(2) + level.active_w(2)) / 2
    assert [s.payload_mw for s in flown.node.sensors] == [0, *[round(half_w * 1000)] * 2]
    assert flown.link.bench.read_actuators().payload_level == 2


def _set_once(node, grant):
    if grant.tick == 1:
        node.set(payload_level=2, payload_busy_permille=500)


def test_rows_and_events_the_node_tells_are_recorded_at_its_own_times(rig):
    flown = rig()

    def tell(node, grant):
        at_ns = grant.until_ns - S + 1
        node.values.values[CHANNEL_INDEX["power.soc_estimate"]] = 0.5 + grant.tick / 100
        node.events.emit("LINK_ACQUIRED", at_ns + 5, peer="calern", seconds=1.0)
        node.umbilical.tell_row(node.values.values, at_ns + 1_000_000)

    flown.node.on_grant = tell
    target = flown.fly(4.0)
    assert target.value("power.soc_estimate") == 0.54
    target._sample(5 * S)
    assert flown.world.recorder.column("power.soc_estimate").tolist()[:4] == [
        0.51, 0.52, 0.53, 0.54,
    ]  # fmt: skip
    told = [e for e in flown.world.recorder.events if e.name == "LINK_ACQUIRED"]
    assert [e.t_s for e in told] == [k + 5e-9 for k in range(4)]


def test_a_power_cut_of_the_timeline_kills_the_node_and_starts_it_twelve_seconds_later(rig):
    flown = rig('[[timeline]]\nat_s = 3.0\naction = "reset"\n')
    target = flown.fly(20.0)
    assert flown.node.starts == 2
    assert flown.node.resets == [] or flown.node.resets == [int(ResetCause.INJECTED)]
    assert target.resets == [(3.0005, "injected")]
    granted = [(g.until_ns + 1) // S for g in flown.node.grants]
    assert granted == [1, 2, 3, 3, *range(16, 21)]
    first = next(s for s in flown.node.sensors if s.t_ns >= 15 * S)
    assert (first.t_ns, first.boot_count, first.reset_cause) == (15 * S, 2, ResetCause.INJECTED)
    assert math.isnan(target.value("power.soc_estimate"))


def test_a_node_that_dies_is_started_again_by_its_watchdog_and_all_see_it(rig):
    flown = rig()
    flown.node.on_grant = lambda node, grant: node.die() if len(node.grants) == 3 else None
    target = flown.fly(20.0)
    assert flown.node.starts == 2
    assert target.resets == [(2.0, "watchdog")]
    (stopped,) = [e for e in flown.world.recorder.events if e.name == "NODE_STOPPED"]
    assert "exit code 1: segmentation fault" in stopped.text


def test_a_node_that_hangs_in_mid_turn_is_reset_by_its_watchdog_and_all_see_it(rig, monkeypatch):
    monkeypatch.setattr("hil.node_turns.DONE_LIMIT_S", 0.2)
    monkeypatch.setattr("hil.node_turns.RETRY_S", 0.1)
    flown = rig()
    flown.node.on_grant = lambda node, _grant: node.starts > 1 or len(node.grants) < 3
    target = flown.fly(20.0)
    assert flown.node.starts == 2
    assert target.resets == [(2.0, "watchdog")]
    (stopped,) = [e for e in flown.world.recorder.events if e.name == "NODE_STOPPED"]
    assert "no end of its turn" in stopped.text


def test_a_line_that_is_gone_for_good_is_the_benchs_own_trouble(rig, monkeypatch):
    monkeypatch.setattr("hil.node_turns.DONE_LIMIT_S", 0.2)
    monkeypatch.setattr("hil.node_turns.RETRY_S", 0.1)
    flown = rig(owned=False)
    flown.node.on()
    flown.target.start()
    flown.node.on_grant = lambda node, _grant: node.cut()
    flown.port.open = lambda: (_ for _ in ()).throw(PortError("gone"))
    flown.link._loop.call_later(0.05, flown.link._line._lost)
    with pytest.raises(BenchError, match="socket: the line or the node is gone"):
        flown.target.advance(3.0)


def test_a_node_that_never_gets_anywhere_is_given_up_and_the_world_goes_on(rig):
    flown = rig()
    flown.node.on_grant = lambda node, _grant: node.die()
    target = flown.fly(40.0)
    assert flown.node.starts == STARTS_IN_VAIN_MAX
    assert target.now_s == 40.0
    assert flown.names().count("NODE_STOPPED") == STARTS_IN_VAIN_MAX


def test_a_node_that_does_not_even_start_is_the_benchs_own_trouble(rig):
    flown = rig()
    start = flown.node.on

    def dies_at_once():
        start()
        flown.node.die(2, "lumenode fly: no keys")

    flown.node.on = dies_at_once
    with pytest.raises(BenchError, match="exit code 2: lumenode fly: no keys"):
        flown.fly(1.0)


def test_a_node_of_another_make_is_refused_in_one_line(rig):
    flown = rig(abi_version=99)
    with pytest.raises(BenchError, match="do not fit together: another abi"):
        flown.fly(1.0)


def test_a_node_that_says_nothing_is_waited_for_only_so_long(rig):
    flown = rig()
    flown.node.mute = True
    with pytest.raises(BenchError, match="no word of a node"):
        flown.fly(1.0)


def test_a_node_of_somebody_else_restarts_when_it_is_told(rig):
    flown = rig('[[timeline]]\nat_s = 3.0\naction = "reset"\n', owned=False)
    flown.node.on()
    target = flown.target
    target.start()
    target.advance(20.0)
    assert flown.node.resets == [int(ResetCause.INJECTED)]
    assert target.resets == [(3.0005, "injected")]
    assert [(g.until_ns + 1) // S for g in flown.node.grants][-5:] == [16, 17, 18, 19, 20]


def test_frames_go_up_one_a_credit_and_what_was_drained_gives_it_back(rig):
    flown = rig()
    taken = []

    def submit(node, _grant):
        taken.append([node.submit(b"frame %d" % k) for k in range(6)])

    flown.node.on_grant = submit
    flown.fly(1.0)
    assert taken[0] == [True] * 4 + [False] * 2
    assert flown.link.bench.drain_tx(3) == [b"frame 0", b"frame 1", b"frame 2"]
    flown.fly(2.0)
    assert taken[1] == [True] * 3 + [False] * 3


def test_frames_come_down_until_the_nodes_fifo_is_full_and_the_rest_is_lost(rig):
    flown = rig()
    flown.fly(1.0)
    flown.node.fetched = -100  # it fetches none: no credit comes back
    assert [flown.link.bench.push_rx(b"up %d" % k) for k in range(10)] == [True] * 8 + [False] * 2
    flown.fly(2.0)
    assert flown.node.received == [b"up %d" % k for k in range(8)]


def test_two_runs_of_one_scenario_leave_the_same_log(rig, tmp_path):
    hashes = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        flown = Rig(folder, '[[timeline]]\nat_s = 3.0\naction = "reset"\n')

        def tell(node, grant):
            node.set(payload_level=grant.tick % 3, payload_busy_permille=grant.tick)
            node.events.emit("LINK_ACQUIRED", grant.until_ns, peer="x", seconds=1.0)
            node.umbilical.tell_row(node.values.values, grant.until_ns - S + 1_000_001)

        flown.node.on_grant = tell
        flown.fly(30.0)
        hashes.append(flown.world.recorder.log_hash)
        flown.close()
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("booted", [False, True])
def test_a_new_session_is_a_reset_only_if_the_node_says_that_it_has_started(rig, booted):
    flown = rig()

    def unplugged_in_the_third_second(node, grant):
        if node.starts == 1 and grant.tick == 3:
            node.cut()
            node.on()
            return False
        if booted and node.starts == 2 and grant.tick == 1:
            node.events.emit("BOOTED", grant.until_ns, boot_count=2, cause="watchdog", version="0")
        return None

    flown.node.on_grant = unplugged_in_the_third_second
    # The first start is heard of, too.
    target = flown.target
    target.start()
    target.record.starts_expected = 0
    target.advance(6.0)
    granted = [(g.tick, (g.until_ns + 1) // S) for g in flown.node.grants]
    assert granted == [(1, 1), (2, 2), (3, 3), (1, 3), (2, 4), (3, 5), (4, 6)]
    assert target.resets == ([(2.0, "unknown")] if booted else [])
    assert "NODE_STOPPED" not in flown.names()


def test_a_session_that_begins_between_two_turns_is_granted_from_its_first_tick(rig):
    flown = rig()
    flown.fly(3.0)
    flown.node.cut()
    flown.node.on()
    flown.link.wait(lambda: flown.link.bench._session.peer_session > 1000 and flown.link.up, 1.0)
    flown.link.bench.follow_session()
    flown.fly(5.0)
    granted = [(g.tick, (g.until_ns + 1) // S) for g in flown.node.grants]
    assert granted == [(1, 1), (2, 2), (3, 3), (1, 4), (2, 5)]


def test_where_only_the_benchs_end_was_unplugged_frames_begin_anew_on_both_sides(rig):
    flown = rig()
    flown.node.on_grant = lambda node, grant: node.submit(b"frame %d" % grant.until_ns) and None
    flown.fly(2.0)
    flown.link.start_anew()
    flown.fly(4.0)
    frames = [b"frame %d" % (k * S - 1) for k in (3, 4)]
    assert flown.link.bench.drain_tx(9) == frames, "the first two were under way"
    assert flown.link.bench.sessions == 2
    assert "NODE_STOPPED" not in flown.names()


def test_in_free_run_the_node_sees_the_world_by_the_walls_clock(rig):
    flown = rig(mode=Mode.FREE_RUN)
    flown.target.start()
    flown.target._turns._zero_ns -= 3 * S  # three seconds are over already
    flown.target.advance(3.0)
    assert [s.t_ns for s in flown.node.sensors] == [0, S, 2 * S]
    assert flown.node.grants == []
    told = flown.target.link_statistics()
    assert (told["steps"], told["steps_late"]) == (3, 3)
    assert told["mode"] == "free_run"


class Late:
    def __init__(self, late, steps):
        self.late_steps, self.steps = late, steps


@pytest.mark.parametrize(
    ("turns", "link", "reason"),
    [
        (Late(1, 100), {"samples_late": 1, "samples_sent": 100}, None),
        (Late(2, 100), {"samples_late": 0, "samples_sent": 100}, "2 of 100 steps of the bench"),
        (Late(0, 100), {"samples_late": 3, "samples_sent": 100}, "3 of 100 samples at the node"),
        (Late(0, 0), {"samples_late": 0, "samples_sent": 0}, None),
    ],
)
def test_a_free_run_with_too_much_late_says_nothing_about_the_node(turns, link, reason):
    judged = judge_lateness(turns, link)
    assert judged is None if reason is None else judged.startswith(reason)
