"""The charts over mission time as a table: which channels, in which unit, against which limits.

Adding a chart is adding a row here and naming it in a section.
"""

from dataclasses import dataclass

from hil.report import palette


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One channel in a chart; `scale` turns the channel's unit into the chart's."""

    channel: str
    label: str
    colour: str
    scale: float = 1.0
    dashed: bool = False
    stepped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One horizontal line, from `limits` of report_data.json."""

    key: str
    label: str
    colour: str = palette.RED
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One figure; `low` and `high` are values the axis always shows."""

    id: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    limits: tuple[Limit, ...] = ()
    low: float | None = None
    high: float | None = None
    height: int = 190
    digits: int = 2


CHARTS: tuple[Chart, ...] = (
    Chart(
        id="power",
        title="Electrical power",
        unit="W",
        low=0.0,
        height=230,
        lines=(
            Line(channel="power.array_w", label="array", colour=palette.AMBER),
            Line(channel="power.bus_w", label="bus loads", colour=palette.BLUE),
            Line(channel="power.payload_w", label="payload", colour=palette.PURPLE),
            Line(channel="power.laser_w", label="laser", colour=palette.GREEN),
        ),
    ),
    Chart(
        id="soc",
        title="Battery state of charge",
        unit="%",
        high=100.0,
        lines=(
            Line(channel="truth.soc", label="true", colour=palette.BLUE, scale=100.0),
            Line(
                channel="power.soc_estimate",
                label="estimated on board",
                colour=palette.AMBER,
                scale=100.0,
                dashed=True,
            ),
        ),
        limits=(Limit(key="soc_floor", label="floor", scale=100.0),),
    ),
    Chart(
        id="current",
        title="Battery current (discharge positive)",
        unit="A",
        low=0.0,
        height=140,
        lines=(Line(channel="battery.current_a", label="current", colour=palette.BLUE),),
    ),
    Chart(
        id="voltage",
        title="Battery voltage",
        unit="V",
        height=140,
        lines=(Line(channel="battery.voltage_v", label="voltage", colour=palette.PURPLE),),
    ),
    Chart(
        id="temperature",
        title="Temperatures",
        unit="°C",
        height=270,
        digits=1,
        lines=(
            Line(channel="thermal.die_c", label="die, measured", colour=palette.RED),
            Line(channel="truth.die_c", label="die, true", colour=palette.INK, dashed=True),
            Line(channel="thermal.sink_c", label="heat sink", colour=palette.AMBER),
            Line(channel="thermal.radiator_c", label="radiator", colour=palette.BLUE),
            Line(channel="battery.temp_c", label="battery", colour=palette.GREEN),
        ),
        limits=(
            Limit(key="die_c", label="die limit"),
            Limit(key="sink_c", label="sink limit", colour=palette.AMBER),
            Limit(key="radiator_c", label="radiator limit", colour=palette.BLUE),
            Limit(key="battery_c", label="battery limit", colour=palette.GREEN),
            Limit(key="battery_min_c", label="battery low limit", colour=palette.GREEN),
        ),
    ),
    Chart(
        id="level",
        title="Payload level commanded by the governor (0 is off)",
        unit="",
        low=0.0,
        height=130,
        digits=0,
        lines=(Line(channel="governor.level", label="level", colour=palette.PURPLE, stepped=True),),
    ),
    Chart(
        id="prices",
        title="What more would be worth to the planner",
        unit="frames",
        low=0.0,
        height=150,
        digits=3,
        lines=(
            Line(channel="plan.price_energy", label="a kilojoule of energy", colour=palette.AMBER),
            Line(
                channel="plan.price_heat",
                label="a kilojoule less heat",
                colour=palette.RED,
            ),
            Line(channel="plan.price_time", label="a second of payload", colour=palette.BLUE),
            Line(channel="plan.price_link", label="a megabyte of link", colour=palette.GREEN),
        ),
    ),
    Chart(
        id="learned",
        title="Learned in flight: what is not as the node was built",
        unit="W",
        height=150,
        digits=1,
        lines=(
            Line(channel="learned.array_w", label="array in full light", colour=palette.AMBER),
            Line(channel="learned.base_w", label="loads beside payload", colour=palette.BLUE),
            Line(
                channel="learned.radiator_w",
                label="heat that the radiator keeps",
                colour=palette.RED,
            ),
        ),
    ),
    Chart(
        id="jobs",
        title="Inference jobs finished",
        unit="jobs",
        low=0.0,
        height=150,
        digits=0,
        lines=(
            Line(channel="inference.jobs_total", label="finished", colour=palette.BLUE),
            Line(channel="inference.refused_total", label="refused", colour=palette.AMBER),
            Line(channel="inference.failed_total", label="failed", colour=palette.RED),
        ),
    ),
    Chart(
        id="queue",
        title="Downlink queue",
        unit="products",
        low=0.0,
        digits=0,
        lines=(
            Line(channel="queue.products", label="waiting", colour=palette.BLUE, stepped=True),
            Line(
                channel="queue.dropped_total",
                label="dropped, total",
                colour=palette.RED,
                stepped=True,
            ),
            Line(
                channel="queue.delivered_total",
                label="delivered, total",
                colour=palette.GREEN,
                stepped=True,
            ),
        ),
    ),
    Chart(
        id="backlog",
        title="Downlink backlog",
        unit="MB",
        low=0.0,
        height=150,
        digits=3,
        lines=(
            Line(
                channel="queue.bytes",
                label="bytes to be acknowledged",
                colour=palette.PURPLE,
                scale=1e-6,
            ),
        ),
    ),
    Chart(
        id="received",
        title="Optical power received by the terminal",
        unit="dBm",
        height=150,
        digits=1,
        lines=(Line(channel="link.rx_power_dbm", label="received", colour=palette.GREEN),),
    ),
    Chart(
        id="memory",
        title="Resident memory of the flight process",
        unit="MiB",
        low=0.0,
        height=130,
        digits=1,
        lines=(Line(channel="sys.rss_mib", label="resident", colour=palette.GREY),),
    ),
)
CHART_BY_ID = {chart.id: chart for chart in CHARTS}
