"""Boards as folders of files: what their kernels show, as far as anything looks. For several rooms.

Paths and units from the kernel's documents and the vendors' (docs/hal.md, native/tests has the same
for the C side). A real sysfs clamps and refuses more; what it does on a setting is the C tests'.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hal.linux_config import LinuxConfig
from hal.native_library import ffi, lib

if TYPE_CHECKING:
    from pathlib import Path

CPUFREQ = "sys/devices/system/cpu/cpufreq"
PSI = "some avg10=1.00 avg60=0.50 avg300=0.10 total=12345\n"
PI_STEPS = {
    "pi4": (600_000, 700_000, 800_000, 1_000_000, 1_500_000, 1_800_000),
    "pi5": (1_500_000, 1_600_000, 1_800_000, 2_000_000, 2_400_000),
}
ORIN_STEPS = (729_600, 1_036_800, 1_190_400, 1_344_000, 1_510_400)
NVPMODEL = """\
< POWER_MODEL ID=0 NAME=15W >
CPU_A78_0 MAX_FREQ 1510400
GPU MAX_FREQ 624750000
< POWER_MODEL ID=1 NAME=7W >
CPU_A78_0 MAX_FREQ 1036800
GPU MAX_FREQ 408000000
"""


@dataclass(frozen=True)
class BoardTree:
    """A board below `root`."""

    root: Path

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name: str) -> str:
        return (self.root / name).read_text().strip()

    def vanish(self, name: str) -> None:
        """As after unplugging: who has it open reads nothing, and it is gone."""
        path = self.root / name
        os.truncate(path, 0)
        path.unlink()

    def config(self, **values: object) -> LinuxConfig:
        return LinuxConfig(
            sysfs_root=str(self.root / "sys"),
            proc_root=str(self.root / "proc"),
            dev_root=str(self.root / "dev"),
            nvpmodel_conf=str(self.root / "nvpmodel.conf"),
            nvpmodel_status=str(self.root / "nvpmodel.status"),
            **values,
        )

    def toml(self) -> str:
        """The section of a configuration file that leads here."""
        config = self.config()
        names = ("sysfs_root", "proc_root", "dev_root", "nvpmodel_conf", "nvpmodel_status")
        lines = [f'{name} = "{getattr(config, name)}"' for name in names]
        return "\n".join(["[linux]", *lines]) + "\n"

    def cap_khz(self, policy: int = 0) -> int:
        return int(self.read(f"{CPUFREQ}/policy{policy}/scaling_max_freq"))


def zone(tree: BoardTree, number: int, kind: str, mdegc: int) -> None:
    tree.write(f"sys/class/thermal/thermal_zone{number}/type", f"{kind}\n")
    tree.write(f"sys/class/thermal/thermal_zone{number}/temp", f"{mdegc}\n")


def policy(tree: BoardTree, number: int, steps: tuple[int, ...]) -> None:
    lowest, highest = min(steps), max(steps)
    values = {
        "scaling_cur_freq": lowest, "scaling_min_freq": lowest, "scaling_max_freq": highest,
        "cpuinfo_min_freq": lowest, "cpuinfo_max_freq": highest,
    }  # fmt: skip
    for name, value in values.items():
        tree.write(f"{CPUFREQ}/policy{number}/{name}", f"{value}\n")
    tree.write(
        f"{CPUFREQ}/policy{number}/scaling_available_frequencies",
        " ".join(map(str, steps)) + " \n",
    )


def hwmon(tree: BoardTree, number: int, name: str, **files: int) -> None:
    tree.write(f"sys/class/hwmon/hwmon{number}/name", f"{name}\n")
    for file, value in files.items():
        tree.write(f"sys/class/hwmon/hwmon{number}/{file}", f"{value}\n")


def ina3221(tree: BoardTree, device: str, number: int, labels: tuple[str, ...]) -> None:
    folder = f"sys/bus/i2c/devices/{device}"
    tree.write(f"{folder}/name", "ina3221\n")
    for n, label in enumerate(labels, 1):
        below = f"{folder}/hwmon/hwmon{number}"
        tree.write(f"{below}/in{n}_label", f"{label}\n")
        tree.write(f"{below}/in{n}_input", "5000\n")
        tree.write(f"{below}/curr{n}_input", "1000\n")


def gpu(tree: BoardTree, device: str, node: str) -> None:
    folder = f"sys/class/devfreq/{device}"
    for name, hertz in (("cur", 306_000_000), ("min", 306_000_000), ("max", 624_750_000)):
        tree.write(f"{folder}/{name}_freq", f"{hertz}\n")
    tree.write(f"{folder}/available_frequencies", "306000000 408000000 510000000 624750000\n")
    tree.write(f"{folder}/device/of_node/name", node)


def _common(tree: BoardTree, model: str) -> None:
    tree.write("proc/device-tree/model", model)
    tree.write("proc/sys/kernel/random/boot_id", "11111111-1111-4111-8111-111111111111\n")
    for name in ("cpu", "memory", "io"):
        tree.write(f"proc/pressure/{name}", PSI)


def _pi4(tree: BoardTree) -> None:
    _common(tree, "Raspberry Pi 4 Model B Rev 1.5")
    zone(tree, 0, "cpu-thermal", 48_199)
    hwmon(tree, 1, "rpi_volt", in0_lcrit_alarm=0)
    policy(tree, 0, PI_STEPS["pi4"])
    tree.write("sys/bus/platform/devices/soc:firmware/get_throttled", "0\n")


def _pi5(tree: BoardTree) -> None:
    _common(tree, "Raspberry Pi 5 Model B Rev 1.0")
    zone(tree, 0, "cpu-thermal", 51_000)
    hwmon(tree, 0, "rp1_adc", in1_input=1480, in2_input=1480, temp1_input=43_000)
    hwmon(tree, 2, "pwmfan", fan1_input=2975, pwm1=75)
    policy(tree, 0, PI_STEPS["pi5"])
    tree.write("sys/bus/platform/devices/soc@107c000000:firmware/get_throttled", "50005\n")


def _orin_nano(tree: BoardTree, gpu_device: str, gpu_node: str) -> None:
    _common(tree, "NVIDIA Jetson Orin Nano Developer Kit")
    zone(tree, 0, "cpu-thermal", 50_312)
    zone(tree, 1, "gpu-thermal", -256_000)
    zone(tree, 8, "tj-thermal", 51_562)
    ina3221(tree, "1-0040", 1, ("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"))
    policy(tree, 0, ORIN_STEPS)
    policy(tree, 4, ORIN_STEPS)
    gpu(tree, gpu_device, gpu_node)
    hwmon(tree, 0, "pwmfan", pwm1=75)
    hwmon(tree, 2, "soctherm_oc", oc1_event_cnt=0, oc3_event_cnt=27)
    tree.write("nvpmodel.conf", NVPMODEL)
    tree.write("nvpmodel.status", "pmode:0000\n")


def _agx_orin(tree: BoardTree) -> None:
    _common(tree, "NVIDIA Jetson AGX Orin Developer Kit")
    zone(tree, 3, "tj-thermal", 44_000)
    ina3221(tree, "1-0040", 3, ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"))
    ina3221(tree, "1-0041", 4, ("NC", "VDDQ_VDD2_1V8AO", "NC"))
    for number in (0, 4, 8):
        policy(tree, number, ORIN_STEPS)
    gpu(tree, "17000000.gpu", "gpu")


def _pc(tree: BoardTree) -> None:
    tree.write("sys/class/dmi/id/product_name", "Some PC\n")
    tree.write("proc/sys/kernel/random/boot_id", "22222222-2222-4222-8222-222222222222\n")
    hwmon(tree, 0, "coretemp", temp1_input=41_000)
    policy(tree, 0, (800_000, 4_000_000))


def _bare_pc(tree: BoardTree) -> None:
    (tree.root / "sys").mkdir(parents=True)
    (tree.root / "proc").mkdir()


BOARDS = {
    "pi4": _pi4,
    "pi5": _pi5,
    "orin-nano-jp5": lambda tree: _orin_nano(tree, "17000000.ga10b", "ga10b"),
    "orin-nano-jp6": lambda tree: _orin_nano(tree, "17000000.gpu", "gpu"),
    "agx-orin": _agx_orin,
    "pc": _pc,
    "bare-pc": _bare_pc,
}
PROFILES = {
    "pi4": "raspberry-pi-4", "pi5": "raspberry-pi-5", "orin-nano-jp5": "orin-nano",
    "orin-nano-jp6": "orin-nano", "agx-orin": "agx-orin", "pc": "generic-pc",
    "bare-pc": "generic-pc",
}  # fmt: skip
"""The shipped profile of each."""


def make_tree(root: Path, board: str) -> BoardTree:
    """The board of that name below `root`, which is made."""
    tree = BoardTree(root)
    BOARDS[board](tree)
    return tree


class HangingKernel:
    """The real system calls, but that reading a file whose path ends so hangs until `let_go`.

    `table` is what `LinuxDevices` takes as its system. Any thread may come in.
    """

    def __init__(self, end: str) -> None:
        self._real = lib.linux_syscalls_real()
        self._end = end.encode()
        self._fds: set[int] = set()
        self._free = threading.Event()
        self.hung = threading.Event()
        self._calls = {
            "open": ffi.callback("int64_t(void *, const char *, int, uint32_t)", self._open),
            "close": ffi.callback("int64_t(void *, int)", self._close),
            "pread": ffi.callback("int64_t(void *, int, void *, size_t, int64_t)", self._pread),
        }
        self.table = ffi.new("struct linux_syscalls *", self._real[0])
        for name, call in self._calls.items():
            setattr(self.table, name, call)

    def let_go(self) -> None:
        self._free.set()

    def _open(self, _context: object, path: object, flags: int, mode: int) -> int:
        fd: int = self._real.open(ffi.NULL, path, flags, mode)
        if fd >= 0 and ffi.string(path).endswith(self._end):
            self._fds.add(fd)
        return fd

    def _close(self, _context: object, fd: int) -> int:
        self._fds.discard(fd)
        return self._real.close(ffi.NULL, fd)  # type: ignore[no-any-return]

    def _pread(self, _context: object, fd: int, buffer: object, size: int, offset: int) -> int:
        if fd in self._fds and not self._free.is_set():
            self.hung.set()
            self._free.wait()
        return self._real.pread(ffi.NULL, fd, buffer, size, offset)  # type: ignore[no-any-return]
