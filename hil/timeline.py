"""What a scenario makes happen, put on the world's loop: said, then done."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from flight.commanding.sequence import FORMAT_VERSION, encode_sequence
from flight.sequence_file import sequence_from
from flight.telemetry.dictionary import COMMAND_BY_NAME, Severity
from hil.world import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.telemetry.dictionary import Command
    from hil.scenario import Scenario, TimelineEntry
    from hil.simloop import SimLoop
    from hil.world import World

BEFORE = -1
"""Order at one instant: plant and link, then the node."""
POWER_CUT_OFFSET_NS = 500_000
"""A power cut falls between cycles: half a millisecond after the second the scenario names."""


def entry_ns(entry: TimelineEntry) -> int:
    """When an entry takes effect."""
    offset_ns = POWER_CUT_OFFSET_NS if entry.action == "reset" else 0
    return round(entry.at_s * NS_PER_S) + offset_ns


def schedule(scenario: Scenario, world: World, cut_power: Callable[[], None]) -> None:
    """Every entry of the timeline; the plant knows its own faults, the rest happens here."""

    def happen(entry: TimelineEntry) -> None:
        now_ns = world.loop.time_ns()
        text = entry.text or f"{entry.action} for {entry.for_s:g} s"
        world.recorder.bench_event(
            now_ns, "bench", entry.action.upper(), Severity.NOTICE, f"timeline: {text}"
        )
        if entry.action == "reset":
            cut_power()
        elif entry.action == "command":
            arguments = COMMAND_BY_NAME[entry.command].arguments
            command = cast("Command", msgspec.convert(entry.arguments, arguments))
            world.ground.command(command, now_ns)
        elif entry.action == "sequence":
            data = encode_sequence(sequence_from(entry.sequence, "timeline"))
            world.ground.upload("sequence", FORMAT_VERSION, data)

    for entry in scenario.timeline:
        world.loop.call_at_ns(entry_ns(entry), happen, entry, priority=BEFORE)


def every(loop: SimLoop, period_ns: int, call: Callable[[int], None], priority: int) -> None:
    """Calls with the mission time at each multiple of the period, from zero on."""

    def tick(t_ns: int) -> None:
        call(t_ns)
        loop.call_at_ns(t_ns + period_ns, tick, t_ns + period_ns, priority=priority)

    loop.call_at_ns(0, tick, 0, priority=priority)
