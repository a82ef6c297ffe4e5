"""A node in flight for the tests of guard and planner: profile, heat path, orbit and contacts."""

from flight.config import PlannerConfig, load_profile
from flight.power.power_budget import PowerState, SunPhase
from flight.telemetry.channel_values import ChannelValues
from flight.thermal.flight_outlook import ContactAhead, FlightOutlook
from flight.thermal.governor import GovernorInputs
from flight.thermal.node_plant import NodePlant
from flight.thermal.plan_desk import PlanDesk, Stock
from flight.thermal.plan_model import HeatPath, Limits, Work
from flight.thermal.thermal_estimate import ThermalState

S = 1_000_000_000
PROFILE = load_profile("orin-nano-modelled")
TOP = PROFILE.top
CONFIG = PlannerConfig()
PATH = HeatPath(**{name: getattr(CONFIG, name) for name in CONFIG.__struct_fields__})
WORK = Work("fp32", 1024, 0.25)
PERIOD_S = 5800.0
FULL_J = 280_000.0
LIMITS = Limits(351.15, 341.15, FULL_J, 0.57 * FULL_J)
LIGHT, SHADE = SunPhase(True, 1e9, 0.0), SunPhase(False, 0.0, 2000.0)
DIE_C, SINK_C = 78.0, 68.0
COOL = ThermalState(
    die_c=30.0, sink_c=28.0, radiator_c=20.0, sink_slope_k_s=0.0, radiator_slope_k_s=0.0,
    payload_w=0.0, payload_now_w=0.0,
)  # fmt: skip
RICH = PowerState(
    soc=0.9, soc_floor=0.55, margin=0.02, energy_full_j=FULL_J, array_w=60.0, base_w=12.0,
    laser_j_light=0.0, laser_j_shadow=0.0, phase=LIGHT,
)  # fmt: skip
CALM = GovernorInputs(
    thermal=COOL, power=RICH, duty=1.0, payload_allowed=True, commanded_off=False,
    queue_full=False, fault=False, utc_s=0.0,
)  # fmt: skip
NOTHING_MADE = Stock(0, 0.0, 0.0, 0.0, 0.0)


class Sky:
    """A share of each orbit lies in the shadow, at its end; another is day below, at its start."""

    period_s = PERIOD_S

    def __init__(self, shadow=0.0, day=1.0):
        self.shadow, self.day, self.asked = shadow, day, 0

    def ahead(self, start_s, end_s, step_s):
        count = int((end_s - start_s) / step_s) + 1
        self.asked += count
        times = [start_s + i * step_s for i in range(count)]
        turn = [t / PERIOD_S % 1.0 for t in times]
        return [(t, x < 1.0 - self.shadow, x < self.day) for t, x in zip(times, turn, strict=True)]


class NoSky(Sky):
    def ahead(self, start_s, end_s, step_s):
        return []


def passes(*begins_s, lasts_s=600.0, bps=1e8, share=1.0):
    """Contacts as the pass plan would tell them."""
    each = [ContactAhead(t, t + lasts_s, bps, share) for t in begins_s]
    return lambda start_s, end_s: [c for c in each if c.end_s > start_s and c.start_s < end_s]


class Trial:
    """Plant and desk of one node; `told` is a channel's value."""

    def __init__(self, sky=None, contacts=None, work=WORK, link_w=22.0, stock=NOTHING_MADE):
        self.channels, self.stock, self.work = ChannelValues(), stock, work
        outlook = FlightOutlook(sky or Sky(), work.frames_per_s)
        self.node = NodePlant(
            PROFILE, PATH, work, outlook, contacts or passes(), link_w, self.channels
        )
        self.desk = PlanDesk(self.node, lambda: self.stock, lambda: 0.0, self.channels)

    def look(self, now_s, thermal=COOL, power=RICH, utc="same"):
        return self.node.look(
            thermal, power, now_s if utc == "same" else utc, DIE_C, SINK_C, round(now_s * S)
        )

    def planned(self, now_s, thermal=COOL, power=RICH):
        """A plan for now, made whether it is due or not."""
        self.look(now_s, thermal, power)
        self.desk.due(now_s)
        return self.desk.plan(now_s)

    def told(self, name):
        return self.channels.values[self.channels.index(name)]
