"""What only the C implementation promises: its numbers, its memory, its frame on the wire."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from flight.wire.crc import crc32c
from hal import sample
from hal.native_devices import NativeDevices, backend_names
from hal.native_library import ffi, lib
from hal.sample import HalConfig, HalCounters, HalError, HalErrorKind, SensorFrame
from hal.sim_bench import SimBench


def test_every_number_equals_its_twin_in_the_c_header() -> None:
    twins = {
        "HAL_E_": (HalErrorKind, -1),
        "HAL_SENSOR_": (sample.SensorBit, 1),
        "HAL_TERM_": (sample.TermFlag, 1),
        "HAL_RESET_": (sample.ResetCause, 1),
        "HAL_THROTTLE_": (sample.ThrottleBit, 1),
        "HAL_SIM_CALL_": (sample.FailingCall, 1),
    }
    for prefix, (enum, sign) in twins.items():
        in_c = {
            name.removeprefix(prefix): sign * getattr(lib, name)
            for name in dir(lib)
            if name.startswith(prefix) and name != "HAL_SENSOR_ALL"
        }
        assert in_c == {member.name: member.value for member in enum}
    for member in sample.Stuck:
        assert getattr(lib, f"HAL_SIM_{member.name}") == member.value
    assert lib.HAL_SENSOR_ALL == sample.SENSOR_ALL


def test_the_python_values_have_the_fields_of_the_c_structures_in_order() -> None:
    in_c = [name for name, _ in ffi.typeof("struct hal_frame").fields]
    assert in_c[:2] == ["abi_version", "size_bytes"]
    assert tuple(in_c[2:-1]) == SensorFrame.__struct_fields__
    assert in_c[-1] == "crc32c"
    counters = [name for name, _ in ffi.typeof("struct hal_counters").fields]
    assert tuple(counters) == HalCounters.__struct_fields__


def test_the_defaults_of_both_sides_are_the_same() -> None:
    config = ffi.new("struct hal_config *")
    assert lib.hal_config_init(config, ffi.NULL) == lib.HAL_OK
    values = HalConfig()
    for name in HalConfig.__struct_fields__:
        assert getattr(config, name) == getattr(values, name)


def test_the_last_frame_carries_its_own_check_value() -> None:
    devices = NativeDevices("sim")
    SimBench(devices).write_sensors(t_ns=123456789, battery_ma=-42)
    frame = devices.snapshot()
    raw = devices.last_frame()
    version, size, t_ns = struct.unpack_from("=IIQ", raw)
    assert (version, size, t_ns) == (lib.HAL_ABI_VERSION, len(raw), frame.t_ns)
    assert struct.unpack("=I", raw[-4:])[0] == crc32c(raw[:-4])


def test_without_a_bench_time_runs_by_itself() -> None:
    devices = NativeDevices("sim")
    first, second = devices.snapshot(), devices.snapshot()
    assert 0 < first.t_ns <= second.t_ns
    assert first.utc_ns > 0


def test_an_unknown_backend_is_named_in_the_error() -> None:
    assert backend_names() == ("sim", "link", "linux")
    with pytest.raises(HalError, match=r"toaster\.open: NODEV \(-1\)") as caught:
        NativeDevices("toaster")
    assert caught.value.kind is HalErrorKind.NODEV


@pytest.mark.parametrize(
    "config",
    [
        HalConfig(tx_fifo_frames=0),
        HalConfig(rx_fifo_frames=4097),
        HalConfig(max_frame_bytes=65543),
        HalConfig(payload_level_max=-1),
        HalConfig(payload_level_max=2**40),
    ],
)
def test_a_configuration_out_of_bounds_does_not_open(config: HalConfig) -> None:
    with pytest.raises(HalError) as caught:
        NativeDevices("sim", config)
    assert caught.value.kind is HalErrorKind.RANGE


def test_two_nodes_share_nothing() -> None:
    one, other = NativeDevices("sim"), NativeDevices("sim")
    SimBench(one).write_sensors(bus_mw=1)
    one.set_laser(True)
    assert one.submit_frame(b"frame")
    frame = other.snapshot()
    assert (frame.laser_on, frame.tx_fifo_free) == (0, 32)
    assert frame.bus_mw != 1


def test_the_longest_frame_passes_whole_in_both_directions() -> None:
    devices = NativeDevices("sim")
    bench = SimBench(devices)
    longest = bytes(i % 251 for i in range(65542))
    for _ in range(32):
        assert devices.submit_frame(longest)
    assert not devices.submit_frame(longest)
    assert bench.drain_tx(40) == [longest] * 32
    assert bench.push_rx(longest)
    assert devices.receive_frame() == longest


def test_write_all_equals_write_sensors_by_name() -> None:
    devices = NativeDevices("sim")
    bench = SimBench(devices)
    values = bench.read_sensors() | {"t_ns": 99, "utc_ns": -1, "battery_ma": -7, "term_flags": 9}
    bench.write_all(*values.values())
    assert bench.read_sensors() == values
    frame = devices.snapshot()
    assert (frame.t_ns, frame.utc_ns, frame.battery_ma, frame.term_flags) == (99, -1, -7, 9)


def test_a_missing_extension_says_in_one_line_how_to_build_it() -> None:
    program = (
        "import sys; sys.modules['hal._native'] = None\n"
        "try:\n    import hal.native_devices\n"
        "except ImportError as error:\n    print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "make setup" in ran.stdout
    assert "pip install -e ." in ran.stdout
    assert len(ran.stdout.splitlines()) == 1
