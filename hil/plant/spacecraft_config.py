"""What the node is made of: sizes, surfaces, conductances and loads, with the reason of each.

The defaults are a node whose 25 W of compute run at a die of 65 C through the eclipse season,
and which 30 W of stray heat drive past 85 C unless it throttles.
"""

from dataclasses import dataclass, field

from hil.plant.array_battery import ArrayConfig
from hil.plant.battery import BatteryConfig
from hil.plant.thermal import LinkConfig, NodeConfig, ThermalNode


@dataclass(frozen=True, slots=True)
class SurfaceConfig:
    """What a radiating node takes in from Sun and Earth."""

    absorptivity: float = 0.0
    """Solar band; white paint 0.20, cells 0.90."""
    sun_fraction: float = 0.0
    """Share of the area that the Sun sees at normal incidence."""
    earth_view_factor: float = 0.27
    """A plate that stands vertical over the Earth: 0.27 at 600 km."""


def _nodes() -> tuple[NodeConfig, ...]:
    return (
        NodeConfig(12.0),  # die and lid: 6 s behind its sink
        NodeConfig(250.0),  # heat sink and board
        NodeConfig(3000.0, 0.065, 0.88),  # radiator and the panel that carries the bus
        NodeConfig(900.0, 0.010, 0.80),  # twelve cells and their holder
        NodeConfig(2500.0, 0.010, 0.80),  # laser terminal
        NodeConfig(600.0, 0.44, 0.85),  # array, both faces
    )


def _links() -> tuple[LinkConfig, ...]:
    return (
        LinkConfig(ThermalNode.DIE, ThermalNode.SINK, 2.0),  # 0.5 K/W
        LinkConfig(ThermalNode.SINK, ThermalNode.RADIATOR, 3.0),
        LinkConfig(ThermalNode.BATTERY, ThermalNode.RADIATOR, 0.10),
        LinkConfig(ThermalNode.TERMINAL, ThermalNode.RADIATOR, 1.2),
        LinkConfig(ThermalNode.ARRAY, ThermalNode.RADIATOR, 0.02),
    )


def _surfaces() -> tuple[SurfaceConfig, ...]:
    return (
        SurfaceConfig(),
        SurfaceConfig(),
        SurfaceConfig(absorptivity=0.20),  # white paint, on the side away from the Sun
        SurfaceConfig(absorptivity=0.20),
        SurfaceConfig(absorptivity=0.20, sun_fraction=0.2),
        SurfaceConfig(absorptivity=0.90, sun_fraction=0.5, earth_view_factor=0.2),
    )


@dataclass(frozen=True, slots=True)
class SpacecraftConfig:
    """The default node: 25 W of compute, a 22 W laser terminal, a 12 W bus."""

    array: ArrayConfig = field(default_factory=ArrayConfig)
    battery: BatteryConfig = field(default_factory=BatteryConfig)
    bus_w: float = 12.0
    """Avionics, attitude and radio: always on."""
    laser_w: float = 22.0
    laser_efficiency: float = 0.10
    """Share of the terminal's power that leaves as light."""
    heater_w: float = 10.0
    nodes: tuple[NodeConfig, ...] = field(default_factory=_nodes)
    links: tuple[LinkConfig, ...] = field(default_factory=_links)
    surfaces: tuple[SurfaceConfig, ...] = field(default_factory=_surfaces)
    initial_soc: float = 0.80
    initial_temp_c: tuple[float, ...] = (26.0, 24.0, 20.0, 16.0, 18.0, 38.0)

    def __post_init__(self) -> None:
        """One figure a node, and no negative loads."""
        count = len(ThermalNode)
        for row in (self.nodes, self.surfaces, self.initial_temp_c):
            if len(row) != count:
                raise ValueError(f"every node needs its figure: {len(row)} of {count}")
        if min(self.bus_w, self.laser_w, self.heater_w) < 0.0:
            raise ValueError("loads cannot be negative")
        if not 0.0 <= self.laser_efficiency < 1.0 or not 0.0 <= self.initial_soc <= 1.0:
            raise ValueError("laser efficiency and state of charge lie in 0..1")
