"""The composed control cycle on fake hardware: no bench, no clock, every fault by hand."""

from types import SimpleNamespace

from flight.base.channels import Latest
from flight.base.utc_keeper import UtcKeeper
from flight.commanding.parameters import ParameterTable
from flight.composition.cycle import executive, has_plant, plain_governor
from flight.composition.fdir import safety_net
from flight.composition.governing import node_plant
from flight.config import NodeConfig, OrbitConfig, load_profile
from flight.fdir.health_watch import HealthWatch
from flight.node_status import Wishes
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Mode
from flight.telemetry.event_log import EventLog
from flight.thermal.level_guard import LevelGuard
from flight.utc_watch import UtcWatch
from flight.wire.space_packet import SequenceCounts
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import SENSOR_ALL

S = 1_000_000_000
PROFILE = load_profile("orin-nano-modelled")
UTC_NS = 1_782_012_600 * S
HEALTHY = {
    "valid": int(SENSOR_ALL),
    "array_mw": 60_000,
    "bus_mw": 20_000,
    "battery_mv": 24_200,
    "battery_ma": -1_600,
    "battery_mdegc": 15_000,
    "payload_mw": 4_000,
    "laser_mw": 0,
    "die_mdegc": 35_000,
    "sink_mdegc": 30_000,
    "radiator_mdegc": 5_000,
    "sun_permille": 1_000,
    "term_mdegc": 15_000,
}
ORBIT = OrbitConfig(epoch_utc_s=UTC_NS / S, inclination_deg=97.8, raan_deg=179.0)


class Node:
    def __init__(self, config=None, profile=PROFILE, stored=None, **parameters):
        self.stored = {} if stored is None else stored
        self.devices = FakeDevices()
        self.bench = FakeBench(self.devices)
        self.channels, self.events = ChannelValues(), EventLog(10_000)
        self.parameters = ParameterTable(
            {name.replace("__", "."): value for name, value in parameters.items()}
        )
        self.status, self.wishes, self.t = Latest(), Latest(), 0
        around = SimpleNamespace(
            devices=self.devices,
            config=config or NodeConfig(),
            profile=profile,
            on_defaults=False,
            store=self,
            laser_w=22.0,
        )
        self.health = HealthWatch(self.channels, self.events)
        self.safety = safety_net(
            around, self.parameters, self.health, self.channels, self.events, 0
        )
        self.locked, self.sequence = True, SequenceCounts()
        self.utc = UtcWatch(
            UtcKeeper(), lambda: self.locked, self.sequence, self.channels, self.events
        )
        self.executive = executive(
            around, self.channels, self.events, self.parameters, self.status, self.wishes,
            self.safety, self.utc, self._guard(around), None, 0,
        )  # fmt: skip
        self.bench.write_sensors(**HEALTHY)

    def _guard(self, around):
        if not has_plant(around):
            return plain_governor(around)
        return LevelGuard(around.profile, node_plant(around, self.channels, lambda *_: ()))

    def load_state(self, name):
        return self.stored.get(name)

    def store_state(self, name, blob):
        self.stored[name] = blob

    def fly(self, seconds=1, wishes=None, **sensors):
        """Cycles at 1 Hz; the command in `wishes` is heard in the first one only."""
        for i in range(seconds):
            self.t += 1
            heard = wishes or Wishes()
            if i:
                heard = Wishes(**{**_fields(heard), "mode": None})
            self.wishes.set(heard, self.t * S)
            self.bench.write_sensors(t_ns=self.t * S, utc_ns=UTC_NS + self.t * S, **sensors)
            self.health.step(self.t * S)
            self.executive.step(self.t * S)
        return self.status.get()

    def told(self, name):
        found = []
        while (event := self.events.pending.take()) is not None:
            if event.name == name:
                found.append(event.args)
        return found

    @property
    def level(self):
        return self.bench.read_actuators().payload_level


def drained(node):
    found = []
    while (event := node.events.pending.take()) is not None:
        found.append(event)
    return found


def _fields(wishes):
    return {name: getattr(wishes, name) for name in type(wishes).__dataclass_fields__}


def computing(**parameters):
    node = Node(**parameters)
    assert node.fly(60).mode is Mode.COMPUTE
    assert node.level == PROFILE.top
    return node
