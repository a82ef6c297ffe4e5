"""Targets `pty` and `serial:DEV`: the node is another process, at the far end of a byte stream.

The world is that of target `sim`. It stops at every instant at which the node could see or change
something (a plant step, a look at the link, a power cut), shows the node what is to be seen, and
gives it its turn until just before the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flight.telemetry.dictionary import Severity
from hal.sample import ResetCause
from hil.bench_link.layout import Mode
from hil.node_record import NodeRecord
from hil.node_turns import RETRY_S, FreeRun, LockStep, Turn, judge_lateness
from hil.sim_target import BOOT_NS
from hil.stream_link import BenchError
from hil.target import Target
from hil.timeline import BEFORE, entry_ns, every, schedule
from hil.world import NS_PER_S

if TYPE_CHECKING:
    from flight.inference.job import Tile
    from hil.node_power import NodePower
    from hil.node_turns import Turns
    from hil.scenario import Scenario
    from hil.stream_link import StreamLink
    from hil.stream_world import StreamWorld

FIRST = BEFORE - 1
"""Order at one instant: first the row of the second that is over, then plant and link."""
START_LIMIT_S = 120.0
"""A small board may take half a minute from its reset to its first word."""
ROW_NS = 2_000_000
"""Within so much of a second a node has told its row."""
STARTS_IN_VAIN_MAX = 3
"""Starts without a single turn done; then the node counts as dead and the world goes on alone."""


class StreamTarget(Target):
    """One run over a line that is open.

    Args:
        power: switches the node; may be changed until `start`.
        wait_for_node_s: for the node's first word.
    """

    def __init__(  # noqa: PLR0913  the command names every part
        self,
        scenario: Scenario,
        world: StreamWorld,
        *,
        name: str,
        link: StreamLink,
        power: NodePower,
        wait_for_node_s: float = START_LIMIT_S,
    ) -> None:
        self.name = name
        self.look_s = 20.0 if link.mode is Mode.LOCK_STEP else 1.0
        self.world: StreamWorld = world
        super().__init__(scenario, world)
        self.link = link
        self.record = NodeRecord(world, link.bench, self._mission_ns, self._started_unasked)
        self._loop = world.loop
        self.power = power
        self._wait_for_node_s = wait_for_node_s
        kind = LockStep if link.mode is Mode.LOCK_STEP else FreeRun
        self._turns: Turns = kind(link, world.plant.utc_ns, lambda: self.power.ended() is not None)
        self._power_cuts_ns = sorted(
            entry_ns(entry) for entry in scenario.timeline if entry.action == "reset"
        )
        self._next_link_ns = 0
        self._cut: ResetCause | None = None
        self._up_ns = 0
        self._is_up = False
        self._gone_session = 0
        self._starts_in_vain = 0
        self._closed = False

    # The run.

    def start(self) -> None:
        """The world at mission time zero, and a node that has said its first word."""
        cadence_ns = round(self.scenario.node.camera.cadence_s * NS_PER_S)
        every(self._loop, NS_PER_S, self._sample, FIRST)
        every(self._loop, NS_PER_S, self.world.plant.step, BEFORE)
        every(self._loop, cadence_ns, self._shoot, BEFORE)
        self._loop.call_at_ns(0, self._step_link, priority=BEFORE)
        schedule(self.scenario, self.world, lambda: self._ask_reset(ResetCause.INJECTED))
        self._loop.run_until_ns(0)
        self.power.on()
        self.record.starts_expected = 1
        self._await_node(self._wait_for_node_s)

    def advance(self, t_s: float) -> None:
        """Runs to mission time `t_s`; what fails inside is raised here."""
        end_ns = round(t_s * NS_PER_S)
        while (now_ns := self._loop.time_ns()) < end_ns:
            next_ns = min(self._next_stop(now_ns), end_ns)
            self._act(now_ns, next_ns)
            self._loop.run_until_ns(next_ns)
            if self._cut is not None:
                self._cut_power(self._cut)

    def pause(self, seconds: float) -> None:
        """The line goes on meanwhile: heartbeats, nothing else."""
        self.link.rest(seconds)

    def finish(self) -> None:
        """The row of the last instant; then the node ends in order, and the line is given back."""
        now_ns = self._loop.time_ns()
        if self._is_up and self.link.mode is Mode.LOCK_STEP:
            self._turns.act(now_ns, now_ns + ROW_NS)
        self._sample(now_ns + NS_PER_S)
        self.power.stop()
        self.invalid = judge_lateness(self._turns, self.link.statistics())
        self.close()

    def close(self) -> None:
        """Ends everything at once; for a run that broke, too."""
        if not self._closed:
            self._closed = True
            self.power.cut()
            self.link.close()
            self.world.close()

    # What the bench knows of it.

    def value(self, channel: str) -> float:
        """Latest value the node told; NaN while it is down."""
        return self.record.umbilical.value(channel)

    @property
    def frames_seen(self) -> int | None:
        """Of a camera on this side; a node's own tells nobody."""
        return None if self.world.camera is None else self.world.camera.frames

    @property
    def executions(self) -> dict[str, int | None]:
        """The node computes every frame; how many it did it tells itself."""
        return {"executed": None, "memoised": 0}

    def inference_statistics(self) -> dict[str, float | bool | None]:
        """As the node told of the last frame of each second."""
        return self.world.inference_statistics(modelled=self.link.mode is Mode.LOCK_STEP)

    def shown(self, tile_id: int) -> Tile | None:
        """The tile a frame showed, where the camera is on this side."""
        return None if self.world.camera is None else self.world.camera.shown(tile_id)

    def link_statistics(self) -> dict[str, Any]:
        """What the line did, and what the bench itself was late with."""
        return {
            **self.link.statistics(),
            "steps": self._turns.steps,
            "steps_late": self._turns.late_steps,
            "step_late_ms_max": self._turns.late_ns_max / 1e6,
            "rows_missing": self.record.rows_missing,
            "records_refused": self.record.umbilical.refused,
        }

    # Turns.

    def _next_stop(self, now_ns: int) -> int:
        """The next instant at which the node could see or change something."""
        stops = [now_ns - now_ns % NS_PER_S + NS_PER_S]
        if self._next_link_ns > now_ns:
            stops.append(self._next_link_ns)
        while self._power_cuts_ns and self._power_cuts_ns[0] <= now_ns:
            self._power_cuts_ns.pop(0)
        return min(*stops, *self._power_cuts_ns[:1])

    def _act(self, now_ns: int, next_ns: int) -> None:
        if not self._is_up and now_ns >= self._up_ns and not self._is_dead:
            self._look_for_node()
        if not self._is_up:
            self._turns.skip(next_ns)
            return
        while (turn := self._turns.act(now_ns, next_ns)) is Turn.RESTARTED:
            # The line was gone. Whether the node was, too, it says itself, by its BOOTED.
            self._turns.begin()
        if turn is Turn.DONE:
            self._starts_in_vain = 0
        else:
            if turn is Turn.HANGS and not (self.power.owned or self.link.up):
                raise BenchError(f"{self.link.port.name}: the line or the node is gone")
            self._node_stopped(turn)

    def _look_for_node(self) -> None:
        """In lock-step the world waits for a node that has power; in free-run it only looks."""
        if self.link.mode is Mode.LOCK_STEP:
            self._await_node(START_LIMIT_S)
        elif self._has_come():
            self._node_is_up()

    @property
    def _is_dead(self) -> bool:
        return self._starts_in_vain >= STARTS_IN_VAIN_MAX

    # Power.

    def _await_node(self, seconds: float) -> None:
        """Until the node has said its first word; one that dies instead is started again."""
        waited_s = 0.0
        while not self.link.wait(self._has_come, RETRY_S):
            waited_s += RETRY_S
            ended = self.power.ended()
            if ended is not None:
                if not self.link.bench.sessions:
                    raise BenchError(f"the node does not start: exit code {ended[0]}: {ended[1]}")
                self._node_stopped(Turn.ENDED)
                return
            if waited_s >= seconds:
                raise BenchError(f"{self.link.port.name}: no word of a node for {waited_s:g} s")
            if self.link.session.peer_session == self._gone_session != 0:
                self.link.bench.tell_reset(int(ResetCause.INJECTED))
        self._node_is_up()

    def _has_come(self) -> bool:
        return self.link.up and self.link.session.peer_session != self._gone_session

    def _node_is_up(self) -> None:
        self.link.bench.follow_session()
        self._turns.begin()
        self._is_up = True

    def _ask_reset(self, cause: ResetCause) -> None:
        """The loop stops here; `advance` cuts the power."""
        self._cut = cause
        self._loop.stop()

    def _node_stopped(self, turn: Turn) -> None:
        """The node's software gave up by itself: its watchdog starts it again, and all see it."""
        ended = self.power.ended()
        why = turn.value if ended is None else f"exit code {ended[0]}: {ended[1]}"
        self.world.recorder.bench_event(
            self._loop.time_ns(),
            "bench",
            "NODE_STOPPED",
            Severity.ALARM,
            f"the node's software ended: {why}",
        )
        self._starts_in_vain += 1
        self._gone_session = self.link.session.peer_session
        if turn is Turn.HANGS:
            self.link.bench.tell_reset(int(ResetCause.WATCHDOG))
        self._reset_node(ResetCause.WATCHDOG)

    def _cut_power(self, cause: ResetCause) -> None:
        """The power goes because the scenario says so; whoever is there is told."""
        self._cut = None
        self._gone_session = self.link.session.peer_session
        self.link.bench.tell_reset(int(cause))
        self._reset_node(cause)

    def _reset_node(self, cause: ResetCause) -> None:
        """Power off, and on again: the world goes on, the node starts twelve seconds later."""
        now_ns = self._loop.time_ns()
        self.link.flush()
        self.link.bench.reset(int(cause))
        self.power.cut()
        self._is_up = False
        self.record.umbilical.forget()
        self._up_ns = now_ns - now_ns % NS_PER_S + BOOT_NS
        self.world.node_reset(now_ns, self._up_ns)
        self.resets.append((now_ns / NS_PER_S, cause.name.lower()))
        if not self._is_dead:
            self.power.on()
            self.record.starts_expected += 1

    # What happens each second, and what the node says.

    def _step_link(self) -> None:
        self._next_link_ns = self.world.link.step(self._loop.time_ns())
        self._loop.call_at_ns(self._next_link_ns, self._step_link, priority=BEFORE)

    def _shoot(self, now_ns: int) -> None:
        if self.world.camera is not None and now_ns > self._up_ns and not self._is_dead:
            self.world.camera.drop(now_ns)

    def _sample(self, now_ns: int) -> None:
        """The row of the second that is over."""
        if now_ns >= NS_PER_S:
            self.record.sample(now_ns - NS_PER_S, up=self._is_up)

    def _started_unasked(self) -> None:
        """A node that runs freely came back by itself; its hardware began anew with it."""
        now_ns = self._loop.time_ns()
        self.world.node_reset(now_ns, now_ns)
        self.resets.append((self.now_s, ResetCause.UNKNOWN.name.lower()))

    def _mission_ns(self, node_ns: int) -> int:
        """A node that runs freely tells its own clock's time."""
        if not isinstance(self._turns, FreeRun):
            return node_ns
        best = self.link.session.clock.best
        return self._turns.mission_ns(node_ns - (0 if best is None else best.offset_ns))
