"""The board as hardware layer, from Python: what each board measures, sets, keeps and puts back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from linux_boards import BOARDS, CPUFREQ, BoardTree, HangingKernel, make_tree

from hal import linux_config
from hal.board_reading import BoardReading, ClockReading, Rail, ValueState, Zone
from hal.linux_config import (
    ConverterInput,
    CurrentMonitor,
    GpioLine,
    GpioLines,
    LinuxConfig,
    LinuxLevel,
    Roles,
    contradiction,
)
from hal.linux_devices import LinuxDevices, restore
from hal.native_library import ffi, lib
from hal.sample import HalConfig, HalError, HalErrorKind, SensorBit, ThrottleBit

LEVELS = (LinuxLevel(cpu_khz_max=800_000, idle_mw=2000, active_mw=3000), LinuxLevel())
REST = LinuxLevel(idle_mw=2000, active_mw=2000)
CONFIG = HalConfig(payload_level_max=len(LEVELS))
AT_ONCE = {"period_ms": 0}
"""No threads: each snapshot reads everything itself."""


@pytest.fixture
def tree(tmp_path: Path) -> BoardTree:
    return make_tree(tmp_path, "pi4")


def opened(tree: BoardTree, **values: object) -> LinuxDevices:
    """On the caller's thread, with two levels and a journal beside the tree."""
    journal = str(tree.root / "journal")
    return LinuxDevices(
        tree.config(**{**AT_ONCE, **values}), CONFIG, levels=LEVELS, off=REST, journal=journal
    )


@dataclass(frozen=True)
class Board:
    """What a board has, and what it gives the node of itself."""

    zones: int
    rails: int
    policies: int
    gives: int
    """Of the sensor bits that `SEEN` looks at."""
    estimated: int = 0
    power_mode: str = ""


SEEN = SensorBit.DIE_TEMP | SensorBit.PAYLOAD | SensorBit.THROTTLE | SensorBit.BUS
_DIE, _PAYLOAD, _THROTTLE = SensorBit.DIE_TEMP, SensorBit.PAYLOAD, SensorBit.THROTTLE
KNOWN = {
    "pi4": Board(1, 0, 1, _DIE | _PAYLOAD | _THROTTLE, estimated=_PAYLOAD),
    "pi5": Board(2, 2, 1, _DIE | _PAYLOAD | _THROTTLE, estimated=_PAYLOAD),
    "orin-nano-jp5": Board(3, 3, 2, _DIE | _PAYLOAD | _THROTTLE, power_mode="15W"),
    "orin-nano-jp6": Board(3, 3, 2, _DIE | _PAYLOAD | _THROTTLE, power_mode="15W"),
    "agx-orin": Board(1, 4, 3, _DIE | _PAYLOAD, estimated=_PAYLOAD),
    "pc": Board(1, 0, 1, _DIE | _PAYLOAD, estimated=_PAYLOAD),
    "bare-pc": Board(0, 0, 0, _PAYLOAD, estimated=_PAYLOAD),
}


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_shows_what_it_has_and_invents_nothing(tmp_path: Path, name: str) -> None:
    known = KNOWN[name]
    devices = opened(make_tree(tmp_path, name))
    if known.policies:
        assert devices.set_payload_level(1) == 1
    frame, board = devices.snapshot(), devices.read_board()
    assert (len(board.zones), len(board.rails), len(board.policies)) == (
        (known.zones, known.rails, known.policies)
    )
    assert frame.valid & SEEN == known.gives
    assert frame.estimated == known.estimated
    assert board.power_mode == known.power_mode
    assert (board.gpu.state is ValueState.UNSUPPORTED) == ("orin" not in name)
    devices.close()


def test_a_gated_block_is_off_and_its_temperature_is_none(tmp_path: Path) -> None:
    devices = opened(make_tree(tmp_path, "orin-nano-jp6"))
    states = {each.name: (each.mdegc, each.state) for each in devices.read_board().zones}
    assert states["gpu-thermal"] == (0, ValueState.OFF)
    assert states["tj-thermal"] == (51_562, ValueState.MEASURED)
    assert devices.snapshot().die_mdegc == 51_562
    devices.close()


def test_power_is_measured_where_there_is_a_sensor_and_estimated_by_use_elsewhere(
    tmp_path: Path,
) -> None:
    jetson = opened(make_tree(tmp_path / "jetson", "orin-nano-jp6"))
    assert jetson.snapshot().payload_mw == 5000
    pi = opened(make_tree(tmp_path / "pi", "pi4"))
    pi.set_payload_level(1)
    pi.set_payload_busy(500)
    assert pi.snapshot().payload_mw == 2500
    jetson.close()
    pi.close()


def test_throttle_bits_stay_until_they_are_cleared(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, "pi5")
    devices = opened(tree)
    live = ThrottleBit.UNDER_VOLTAGE | ThrottleBit.THERMAL
    assert devices.snapshot().throttle_live == live
    tree.write("sys/bus/platform/devices/soc@107c000000:firmware/get_throttled", "0\n")
    frame = devices.snapshot()
    assert (frame.throttle_live, frame.throttle_latched) == (0, live)
    devices.clear_throttle()
    assert devices.snapshot().throttle_latched == 0
    devices.close()


def test_a_role_by_name_and_one_that_nobody_plays_reach_the_frame(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, "orin-nano-jp5")
    devices = opened(tree, roles=Roles(bus="VDD_SOC", sink="cpu-thermal", die="-"))
    frame = devices.snapshot()
    assert (frame.bus_mw, frame.sink_mdegc) == (5000, 50_312)
    assert not frame.is_valid(SensorBit.DIE_TEMP)
    devices.close()


def test_a_level_caps_the_clocks_and_closing_puts_them_back(tree: BoardTree) -> None:
    devices = opened(tree)
    assert devices.set_payload_level(1) == 1
    assert tree.cap_khz() == 800_000
    assert devices.read_board().journal_entries == 2
    assert devices.snapshot().payload_level == 1
    assert devices.set_payload_level(0) == 0
    assert tree.cap_khz() == 600_000
    devices.close()
    assert tree.cap_khz() == 1_800_000
    assert not (tree.root / "journal").exists()


def test_without_a_journal_nothing_is_set(tree: BoardTree) -> None:
    devices = LinuxDevices(tree.config(**AT_ONCE), CONFIG, levels=LEVELS)
    with pytest.raises(HalError) as caught:
        devices.set_payload_level(1)
    assert caught.value.kind is HalErrorKind.UNSUPPORTED
    assert tree.cap_khz() == 1_800_000
    devices.close()


KILLED = """
import os, signal
from pathlib import Path
from linux_boards import BoardTree
from hal.linux_config import LinuxLevel
from hal.linux_devices import LinuxDevices
from hal.sample import HalConfig
tree = BoardTree(Path({root!r}))
devices = LinuxDevices(tree.config(period_ms=0), HalConfig(payload_level_max=1),
    levels=[LinuxLevel(cpu_khz_max=800_000)], journal={journal!r})
assert devices.set_payload_level(1) == 1
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(tree: BoardTree) -> BoardTree:
    """A board whose flight was killed with a cap set."""
    journal = str(tree.root / "journal")
    program = KILLED.format(root=str(tree.root), journal=journal)
    path = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert ran.returncode == -signal.SIGKILL
    assert tree.cap_khz() == 800_000, "the cap outlives the process"
    return tree


def test_after_a_kill_the_next_start_puts_back_what_it_finds_written_down(
    killed: BoardTree,
) -> None:
    devices = opened(killed)
    assert killed.cap_khz() == 1_800_000
    devices.close()
    assert killed.cap_khz() == 1_800_000


def test_after_a_kill_restore_puts_back_and_takes_the_journal_away(killed: BoardTree) -> None:
    journal = killed.root / "journal"
    assert restore(killed.config(), str(journal)) == 2
    assert killed.cap_khz() == 1_800_000
    assert killed.read(f"{CPUFREQ}/policy0/scaling_min_freq") == "600000"
    assert not journal.exists()
    assert restore(killed.config(), str(journal)) == 0


def test_without_the_journal_a_kill_leaves_the_board_changed(killed: BoardTree) -> None:
    (killed.root / "journal").unlink()
    devices = opened(killed)
    devices.close()
    assert killed.cap_khz() == 800_000


def test_a_journal_of_an_earlier_start_of_the_kernel_is_dropped(killed: BoardTree) -> None:
    killed.write("proc/sys/kernel/random/boot_id", "33333333-3333-4333-8333-333333333333\n")
    assert restore(killed.config(), str(killed.root / "journal")) == 0
    assert killed.cap_khz() == 800_000, "that kernel's settings ended with it"


def test_a_damaged_journal_is_told_and_kept(killed: BoardTree) -> None:
    journal = killed.root / "journal"
    journal.write_text("x" + journal.read_text())
    with pytest.raises(HalError) as caught:
        restore(killed.config(), str(journal))
    assert caught.value.kind is HalErrorKind.CORRUPT
    assert journal.exists()


def test_a_sensor_that_vanishes_costs_itself_alone_and_comes_back(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, "orin-nano-jp6")
    devices = opened(tree, stale_ms=40)
    rails = "sys/bus/i2c/devices/1-0040/hwmon/hwmon1"
    assert devices.snapshot().is_valid(SensorBit.DIE_TEMP | SensorBit.PAYLOAD)
    for name in ("in1_input", "curr1_input"):
        tree.vanish(f"{rails}/{name}")
    seen = _until(devices, lambda frame: not frame.is_valid(SensorBit.PAYLOAD))
    assert seen.is_valid(SensorBit.DIE_TEMP | SensorBit.PAYLOAD_LEVEL)
    assert devices.read_board().reads_failed > 0
    tree.write(f"{rails}/in1_input", "5000\n")
    tree.write(f"{rails}/curr1_input", "2000\n")
    assert _until(devices, lambda frame: frame.is_valid(SensorBit.PAYLOAD)).payload_mw == 10_000
    devices.close()


@pytest.mark.parametrize("text", ["", "garbage\n", "99999999999\n"])
def test_a_sensor_that_says_nonsense_has_no_value(tree: BoardTree, text: str) -> None:
    tree.write("sys/class/thermal/thermal_zone0/temp", text)
    devices = opened(tree)
    frame = devices.snapshot()
    assert not frame.is_valid(SensorBit.DIE_TEMP)
    assert frame.is_valid(SensorBit.THROTTLE)
    assert devices.read_board().zones[0].state is ValueState.FAILED
    devices.close()


def test_an_i_o_error_where_a_file_should_be_is_one_sensor_less(tree: BoardTree) -> None:
    (tree.root / "sys/class/thermal/thermal_zone0/temp").unlink()
    (tree.root / "sys/class/thermal/thermal_zone0/temp").mkdir()
    devices = opened(tree)
    assert not devices.snapshot().is_valid(SensorBit.DIE_TEMP)
    assert devices.set_payload_level(1) == 1
    devices.close()


def test_a_bus_that_hangs_holds_one_thread_and_no_snapshot(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, "orin-nano-jp6")
    kernel = HangingKernel("hwmon1/in1_input")
    devices = LinuxDevices(
        tree.config(period_ms=20, stale_ms=200), CONFIG, levels=LEVELS,
        journal=str(tmp_path / "journal"), system=kernel.table,
    )  # fmt: skip
    assert kernel.hung.wait(20)
    seen = _until(devices, lambda frame: frame.is_valid(SensorBit.DIE_TEMP))
    assert not seen.is_valid(SensorBit.PAYLOAD)
    assert devices.set_payload_level(1) == 1
    _until(devices, lambda frame: frame.payload_level == 1)
    assert tree.cap_khz() == 729_600, "the highest step that 800 MHz allows"
    tree.write("sys/class/thermal/thermal_zone8/temp", "60000\n")
    assert _until(devices, lambda frame: frame.die_mdegc == 60_000).seq > seen.seq
    kernel.let_go()
    _until(devices, lambda frame: frame.is_valid(SensorBit.PAYLOAD))
    devices.close()
    assert tree.cap_khz() == 1_510_400


def _until(devices: LinuxDevices, true: object, patience_s: float = 20.0) -> object:
    """The first snapshot of which it is true; nothing is measured."""
    turn, give_up = threading.Event(), threading.Event()
    timer = threading.Timer(patience_s, give_up.set)
    timer.start()
    try:
        while not give_up.is_set():
            frame = devices.snapshot()
            if true(frame):  # type: ignore[operator]
                return frame
            turn.wait(0.005)
    finally:
        timer.cancel()
    raise AssertionError("it never became true")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sysfs_root": "/" + "x" * 300},
        {"roles": Roles(die="x" * 24)},
        {"period_ms": 19},
        {"period_ms": 2**32},
        {"stale_ms": 100_000},
        {"monitors": (CurrentMonitor(name="a", bus=1, averages=3),)},
    ],
)
def test_a_configuration_out_of_bounds_does_not_open(wrong: dict[str, object]) -> None:
    with pytest.raises(HalError) as caught:
        LinuxDevices(LinuxConfig(**wrong))  # type: ignore[arg-type]
    assert caught.value.kind is HalErrorKind.RANGE


def test_more_levels_than_there_is_room_for_do_not_open(tree: BoardTree) -> None:
    many = [LinuxLevel()] * (linux_config.LEVELS_MAX + 1)
    with pytest.raises(HalError, match="RANGE"):
        LinuxDevices(tree.config(), levels=many)


def test_the_defaults_and_bounds_of_both_sides_are_the_same() -> None:
    made = ffi.new("struct hal_linux_config *")
    assert lib.hal_linux_config_init(made) == lib.HAL_OK
    values = LinuxConfig()
    for name in ("sysfs_root", "proc_root", "dev_root", "nvpmodel_conf", "nvpmodel_status"):
        assert ffi.string(getattr(made, name)).decode() == getattr(values, name)
    for name in ("period_ms", "stale_ms", "spi_hz", "watchdog_timeout_s"):
        assert getattr(made, name) == getattr(values, name)
    assert ffi.string(made.watchdog).decode() == values.watchdog_device
    assert linux_config.LEVELS_MAX == lib.HAL_LINUX_LEVELS_MAX - 1
    assert len(Roles.__struct_fields__) == lib.HAL_LINUX_ROLES
    assert len(GpioLines.__struct_fields__) == lib.HAL_LINUX_LINES


def test_every_name_equals_its_twin_in_the_c_header() -> None:
    roles = {"cells": "BATTERY_TEMP", "die": "DIE_TEMP", "sink": "SINK_TEMP",
             "radiator": "RADIATOR_TEMP", "terminal": "TERM_TEMP"}  # fmt: skip
    for number, name in enumerate(Roles.__struct_fields__):
        assert getattr(lib, f"HAL_LINUX_{roles.get(name, name.upper())}") == number
    lines = {"payload": "PAYLOAD_ENABLE"}
    for number, name in enumerate(GpioLines.__struct_fields__):
        assert getattr(lib, f"HAL_LINUX_{lines.get(name, name.upper())}") == number
    for state in ValueState:
        assert getattr(lib, f"HAL_VALUE_{state.name}") == state.value
    in_c = {name for name, _ in ffi.typeof("struct hal_board").fields}
    counts = {"abi_version", "size_bytes", "t_ns", "zone_count", "rail_count", "policy_count"}
    assert in_c - counts == set(BoardReading.__struct_fields__)
    for kind, name in ((Zone, "zone"), (Rail, "rail"), (ClockReading, "clock")):
        fields = {field for field, _ in ffi.typeof(f"struct hal_{name}").fields}
        assert set(kind.__struct_fields__) == fields - {"t_ns"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ""),
        ({"period_ms": 100, "stale_ms": 150}, "stale_ms = 150: allowed: 200"),
        ({"lines": GpioLines(heater=GpioLine(offset=3))}, "lines.heater: needs"),
        ({"lines": GpioLines(heater=GpioLine(line="GPIO17"))}, ""),
        ({"monitors": (CurrentMonitor(name="a", bus=1, averages=3),)}, "monitors[0].averages"),
        ({"inputs": (ConverterInput(name="a", channel=0, at_full=1),)}, 'spi = ""'),
        (
            {"monitors": (CurrentMonitor(name="a", bus=1), CurrentMonitor(name="a", bus=2))},
            "name = 'a': given twice",
        ),
    ],
)
def test_what_contradicts_itself_is_named_with_what_is_allowed(
    values: dict[str, object], said: str
) -> None:
    wrong = contradiction(LinuxConfig(**values))  # type: ignore[arg-type]
    assert wrong.startswith(said)
    assert bool(wrong) == bool(said)


def test_who_only_looks_switches_and_arms_nothing() -> None:
    config = LinuxConfig(lines=GpioLines(heater=GpioLine(line="GPIO17")), watchdog="device")
    looking = config.looking()
    assert (looking.lines, looking.watchdog) == (GpioLines(), "none")
    assert msgspec.structs.replace(looking, lines=config.lines, watchdog="device") == config


def test_monitors_and_inputs_of_the_configuration_are_rails_and_roles(tmp_path: Path) -> None:
    """Their buses are not there: they are known, and have no value."""
    tree = make_tree(tmp_path, "pi4")
    devices = opened(
        tree,
        monitors=(CurrentMonitor(name="supply", bus=1, chip="ina226", max_ma=800),),
        inputs=(ConverterInput(name="sensor", channel=3, at_zero=-10, at_full=1000),),
        spi="spidev0.0", roles=Roles(bus="supply", sun="sensor"),
    )  # fmt: skip
    (rail,) = devices.read_board().rails
    assert (rail.name, rail.state) == ("supply", ValueState.FAILED)
    assert not devices.snapshot().valid & (SensorBit.BUS | SensorBit.SUN)
    devices.close()


def test_a_tree_that_goes_away_whole_leaves_a_node_that_answers(tree: BoardTree) -> None:
    devices = opened(tree, stale_ms=40)
    for path in (tree.root / "sys").rglob("*"):
        if path.is_file():
            tree.vanish(str(path.relative_to(tree.root)))
    frame = _until(devices, lambda frame: not frame.is_valid(SensorBit.DIE_TEMP))
    assert frame.is_valid(SensorBit.RESET_CAUSE)  # type: ignore[attr-defined]
    devices.close()
