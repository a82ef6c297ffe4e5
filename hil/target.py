"""A target: where the node of a scenario lives, and what the bench knows of it there.

Summary, report and live line read a run through this alone; what a target cannot know is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flight.telemetry.dictionary import PARAMETER_BY_NAME
from hil.world import NS_PER_S

if TYPE_CHECKING:
    from flight.inference.job import Tile
    from hil.scenario import Scenario
    from hil.world import World


class Target:
    """One run of a scenario; `advance` moves it on, the rest is read at the end.

    Attributes:
        name: as on the command line.
        resets: (mission time in seconds, cause) of each reset of the node.
        invalid: why the run says nothing about the node, None while it does.
        look_s: mission time between two looks at the live line.
    """

    name = "none"
    look_s = 20.0

    def __init__(self, scenario: Scenario, world: World) -> None:
        self.scenario = scenario
        self.world = world
        self.resets: list[tuple[float, str]] = []
        self.invalid: str | None = None

    @property
    def soc_floor(self) -> float:
        """State of charge the node must not go below, as configured."""
        floor = PARAMETER_BY_NAME["power.soc_floor"].default
        return self.scenario.node.parameters.get("power.soc_floor", floor)

    @property
    def credits(self) -> list[str]:
        """Whose data the run shows."""
        if self.scenario.imagery.source == "synthetic":
            return ["Synthetic tiles, made from the seed."]
        return ["Contains modified Copernicus Sentinel data."]

    @property
    def now_s(self) -> float:
        """Mission time."""
        return self.world.loop.time_ns() / NS_PER_S

    def start(self) -> None:
        """Puts everything in place at mission time zero."""
        raise NotImplementedError

    def advance(self, t_s: float) -> None:
        """Runs to mission time `t_s`; what fails inside is raised here."""
        raise NotImplementedError

    def pause(self, seconds: float) -> None:
        """Lets real time pass and mission time stand still."""
        raise NotImplementedError

    def finish(self) -> None:
        """Ends the node in order and gives everything back; what it left can then be read."""
        raise NotImplementedError

    def close(self) -> None:
        """Gives everything back, however the run went; may be called twice."""
        raise NotImplementedError

    def value(self, channel: str) -> float:
        """Latest value of a flight channel; NaN while the node is down."""
        raise NotImplementedError

    @property
    def frames_seen(self) -> int | None:
        """Frames the camera took."""
        raise NotImplementedError

    @property
    def executions(self) -> dict[str, int | None]:
        """How often the network really ran, and how often its answer was remembered."""
        raise NotImplementedError

    def inference_statistics(self) -> dict[str, float | bool | None]:
        """Mean, 95th percentile and maximum of the time a frame takes, and its mean energy."""
        raise NotImplementedError

    def shown(self, tile_id: int) -> Tile | None:
        """The tile a frame showed."""
        raise NotImplementedError

    def link_statistics(self) -> dict[str, Any] | None:
        """What the line between bench and node did; None where there is none."""
        return None
