import pytest

from flight.io.actuation import leave_safe
from hal.fake_devices import FakeBench, FakeDevices
from hal.native_devices import NativeDevices
from hal.sample import Actuators, FailingCall, HalErrorKind
from hal.sim_bench import SimBench

SAFE = Actuators(payload_level=0, laser_on=0, target_id=0, heater_on=0, watchdog_kicks=0)


@pytest.fixture(params=["fake", "native"])
def node(request):
    """Devices in full activity, and their bench."""
    devices = FakeDevices() if request.param == "fake" else NativeDevices("sim")
    bench = FakeBench(devices) if request.param == "fake" else SimBench(devices)
    devices.set_payload_level(3)
    devices.point_terminal(7)
    devices.set_laser(True)
    devices.set_heater(True)
    yield devices, bench
    devices.close()


def test_everything_is_left_as_a_reset_would_leave_it(node):
    devices, bench = node
    assert leave_safe(devices) == []
    assert bench.read_actuators() == SAFE


@pytest.mark.parametrize("call", [c for c in FailingCall if c.name in
                                  {"LASER", "TARGET", "PAYLOAD_LEVEL", "HEATER"}])  # fmt: skip
def test_an_actuator_that_fails_keeps_none_of_the_others_on(node, call):
    devices, bench = node
    bench.fail(call, HalErrorKind.IO)
    (error,) = leave_safe(devices)
    assert error.kind is HalErrorKind.IO
    left = bench.read_actuators()
    assert sum(map(bool, left[:4])) == 1
