"""The plant behind the sensors: faults touch what they name, for as long as they say."""

import pytest

from hal.native_devices import NativeDevices
from hal.sample import SENSOR_ALL, SensorBit
from hal.sim_bench import SimBench
from hil.plant.array_battery import ArrayConfig
from hil.plant.battery import BatteryConfig
from hil.plant.compute_board import BoardModel
from hil.plant.orbit import Orbit, OrbitConfig
from hil.plant.spacecraft import Spacecraft, SpacecraftConfig
from hil.plant_bench import SENSOR_BITS, TRUTH, PlantBench
from hil.scenario import TimelineEntry

S = 1_000_000_000
EPOCH_NS = 1_782_000_000 * S
TRUTH_AT = {channel.name: place for place, channel in enumerate(TRUTH)}
CELSIUS = {"die_mdegc": "truth.die_c", "sink_mdegc": "truth.sink_c",
           "radiator_mdegc": "truth.radiator_c", "battery_mdegc": "truth.battery_c"}  # fmt: skip


class Node:
    """The plant over the C devices; what the node reads is a snapshot of these."""

    def __init__(self, *timeline, config=None):
        self.devices = NativeDevices("sim")
        self.bench = SimBench(self.devices)
        craft = Spacecraft(config or SpacecraftConfig(), Orbit(OrbitConfig(EPOCH_NS)))
        self.board = BoardModel()
        self.plant = PlantBench(self.bench, craft, self.board, timeline, EPOCH_NS)

    def at(self, t_s):
        self.plant.step(round(t_s * S))
        return self.devices.snapshot()

    def truth(self, name):
        return self.plant.truth[TRUTH_AT[name]]


def fault(action, at_s=10.0, for_s=10.0, **fields):
    return TimelineEntry(action=action, at_s=at_s, for_s=for_s, **fields)


@pytest.fixture
def make():
    made = []

    def node(*timeline, **options):
        made.append(Node(*timeline, **options))
        return made[-1]

    yield node
    for each in made:
        each.devices.close()


def test_the_node_reads_the_present_as_the_plant_knows_it(make):
    node = make()
    first = node.devices.snapshot()
    assert (first.t_ns, first.utc_ns, first.valid) == (0, EPOCH_NS, SENSOR_ALL)
    frame = node.at(30)
    assert (frame.t_ns, frame.utc_ns) == (30 * S, EPOCH_NS + 30 * S)
    for field, truth in CELSIUS.items():
        assert getattr(frame, field) == round(node.truth(truth) * 1000)
    assert frame.payload_mw == 0
    assert frame.array_mw <= round(node.truth("truth.array_available_w") * 1000)


def test_one_long_step_is_the_same_as_many_seconds(make):
    long, short = make(), make()
    long.at(60)
    for second in range(1, 61):
        short.at(second)
    assert long.plant.truth == short.plant.truth
    assert long.plant.charge_j == short.plant.charge_j


def test_what_the_node_switches_is_drawn_and_booked(make):
    node = make()
    node.devices.set_laser(True)
    node.devices.set_payload_level(2)
    frame = node.at(10)
    config = SpacecraftConfig()
    assert frame.laser_mw == round(config.laser_w * 1000)
    assert frame.payload_mw == round(node.board.levels[2].idle_w * 1000)
    assert node.plant.charge_j["laser"] == pytest.approx(config.laser_w * 10)
    assert node.plant.charge_j["compute"] == pytest.approx(node.board.levels[2].idle_w * 10)
    assert node.truth("truth.energy_residual_j") == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("sensor", SENSOR_BITS)
def test_a_lost_sensor_clears_its_own_bit_while_it_is_lost(make, sensor):
    node = make(fault("sensor_lost", sensor=sensor))
    assert node.at(9).valid == SENSOR_ALL
    for t_s in (10, 19):
        assert node.at(t_s).valid == SENSOR_ALL & ~int(SENSOR_BITS[sensor])
    assert node.at(20).valid == SENSOR_ALL


def test_a_stuck_sensor_shows_what_it_showed_and_truth_goes_on(make):
    node = make(fault("sensor_stuck", sensor="die_mdegc"), fault("heat", watts=200.0))
    node.at(9)
    frozen = node.at(10).die_mdegc
    later = node.at(19)
    assert later.die_mdegc == frozen
    assert later.valid == SENSOR_ALL
    assert later.sink_mdegc > frozen
    assert round(node.truth("truth.die_c") * 1000) > frozen
    assert node.at(20).die_mdegc == round(node.truth("truth.die_c") * 1000)


def test_a_sensor_that_sticks_twice_freezes_at_its_own_value_each_time(make):
    node = make(
        fault("sensor_stuck", sensor="sink_mdegc", at_s=10, for_s=10),
        fault("sensor_stuck", sensor="sink_mdegc", at_s=30, for_s=10),
        fault("heat", watts=200.0, at_s=0, for_s=0),
    )
    shown = [node.at(t_s).sink_mdegc for t_s in range(1, 45)]
    assert len(set(shown[9:19])) == 1
    assert len(set(shown[29:39])) == 1
    assert shown[29] > shown[9]
    assert len(set(shown[19:29])) == 10


def test_lost_and_stuck_of_one_sensor_both_hold(make):
    node = make(
        fault("sensor_stuck", sensor="sink_mdegc", at_s=10, for_s=30),
        fault("sensor_lost", sensor="sink_mdegc", at_s=20, for_s=10),
        fault("heat", watts=200.0, at_s=0, for_s=0),
    )
    shown = [node.at(t_s) for t_s in range(1, 45)]
    assert len({frame.sink_mdegc for frame in shown[9:39]}) == 1
    lost = [t for t, frame in enumerate(shown, 1) if not frame.is_valid(SensorBit.SINK_TEMP)]
    assert lost == list(range(20, 30))


def test_an_aged_radiator_keeps_more_heat_and_worn_cells_move_more(make):
    whole = make()
    aged = make(fault("radiator", share=0.6, for_s=0.0), fault("battery", share=0.5, for_s=0.0))
    moved = []
    for node in (whole, aged):
        node.at(20)
        before = node.truth("truth.soc")
        node.at(240)
        moved.append(abs(node.truth("truth.soc") - before))
    assert aged.truth("truth.radiator_c") > whole.truth("truth.radiator_c") + 0.3
    assert moved[1] > 1.3 * moved[0]


def test_heat_and_array_faults_add_up_and_end_by_themselves(make):
    healthy, hot = make(), make(fault("heat", watts=30.0), fault("heat", watts=20.0))
    for node in (healthy, hot):
        node.at(30)
    assert hot.plant.state.ledger.injected_j == pytest.approx(50.0 * 10)
    assert healthy.plant.state.ledger.injected_j == 0.0
    half = make(fault("array", share=0.5), fault("array", share=0.5))
    half.at(9)
    before_w = half.truth("truth.array_available_w")
    half.at(15)
    during_w = half.truth("truth.array_available_w")
    half.at(25)
    assert during_w == pytest.approx(before_w / 4, rel=0.02)
    assert half.truth("truth.array_available_w") == pytest.approx(before_w, rel=0.02)


def test_a_fault_without_an_end_stays(make):
    node = make(fault("sensor_lost", for_s=0.0, sensor="bus_mw"))
    assert not node.at(10_000).is_valid(SensorBit.BUS)


@pytest.mark.parametrize(
    ("actuator", "shown", "move"),
    [
        ("payload_level", "payload_level", lambda devices, value: devices.set_payload_level(value)),
        ("laser", "laser_on", lambda devices, value: devices.set_laser(bool(value))),
        ("heater", "heater_on", lambda devices, value: devices.set_heater(bool(value))),
        ("target", "target_id", lambda devices, value: devices.point_terminal(value)),
    ],
)
def test_a_stuck_actuator_keeps_what_it_has_for_as_long_as_it_sticks(make, actuator, shown, move):
    node = make(fault("actuator_stuck", actuator=actuator))
    node.at(9)
    move(node.devices, 1)
    node.at(10)
    move(node.devices, 0)
    assert getattr(node.at(19), shown) == 1
    node.at(20)
    move(node.devices, 0)
    assert getattr(node.at(21), shown) == 0


def test_two_actuators_that_stick_are_let_go_one_by_one(make):
    node = make(
        fault("actuator_stuck", actuator="laser", at_s=10, for_s=10),
        fault("actuator_stuck", actuator="heater", at_s=10, for_s=20),
    )
    node.at(10)
    node.devices.set_laser(True)
    node.devices.set_heater(True)
    assert (node.at(11).laser_on, node.at(11).heater_on) == (0, 0)
    node.at(20)
    node.devices.set_laser(True)
    node.devices.set_heater(True)
    assert (node.at(21).laser_on, node.at(21).heater_on) == (1, 0)


def test_utc_leaps_and_leaps_back_and_the_time_of_the_mission_does_not(make):
    node = make(fault("utc_step", step_s=-3600.0), fault("utc_step", step_s=0.5, at_s=15, for_s=0))
    for t_s, off_s in ((9, 0.0), (10, -3600.0), (15, -3599.5), (19, -3599.5), (20, 0.5), (99, 0.5)):
        frame = node.at(t_s)
        assert frame.t_ns == t_s * S
        assert frame.utc_ns == EPOCH_NS + t_s * S + round(off_s * S) == node.plant.utc_ns(t_s * S)


def test_every_second_of_a_brown_out_is_counted(make):
    starved = SpacecraftConfig(
        array=ArrayConfig(area_m2=1e-6),
        battery=BatteryConfig(series=6, parallel=1),
        initial_soc=0.06,
        bus_w=60.0,
    )
    node = make(config=starved)
    node.at(600)
    counted = node.plant.brown_outs
    assert counted > 0
    frame = node.at(605)
    assert node.plant.brown_outs == counted + 5
    assert frame.bus_mw == 0
    well = make()
    well.at(600)
    assert well.plant.brown_outs == 0
