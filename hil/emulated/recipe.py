"""What an emulated aarch64 root is made of and how its interpreter is started.

User-mode emulation needs no kernel, no chroot and no binary format registered with the host: an
unpacked arm64 system gives the interpreter and the C library, wheels for aarch64 lie beside it,
and the emulator is told to look there first. It proves wheels, ABI, alignment, the C layer and the
serial path on the instruction set; it proves nothing about time, heat or a board's drivers.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 3
"""Of the root and of the staged sources; a change of what is done here raises it."""
SUITE = "bookworm"
PYTHON = "3.11"
"""Of that suite, which is Raspberry Pi OS's of the same name."""
DEBIAN_PACKAGES = ("python3", "libpython3.11-dev", "libstdc++6", "ca-certificates")
WHEELS = (
    "aiomqtt", "cffi", "cryptography", "flatbuffers", "msgspec", "numpy", "onnxruntime",
    "packaging", "paho-mqtt", "protobuf", "pycparser", "pyserial", "sgp4", "typing_extensions",
)  # fmt: skip
"""What the flight process and its inference worker import, with all they need in turn."""
PLATFORMS = ("manylinux_2_36", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17")
"""Newest first; that suite's C library is 2.36."""
CPU = "cortex-a72"
"""A Raspberry Pi 4's core: no dot product, no half precision."""
CORES = 2
EMULATOR, CROSS_COMPILER = "qemu-aarch64-static", "aarch64-linux-gnu-gcc"
HOST_TOOLS = {
    EMULATOR: "qemu-user-static",
    "debootstrap": "debootstrap",
    CROSS_COMPILER: "gcc-aarch64-linux-gnu",
    "dpkg": "dpkg",
}
"""Command to the Debian package that brings it."""

_CORE = """\
processor\t: {core}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""
_LAUNCHER = """\
#!/bin/sh
# An aarch64 interpreter on this host. It names itself as its own interpreter, so that what it
# starts (the inference worker) is emulated, too. The folder it is called in may be a repository
# with another processor's extension: nothing is looked for there.
exec {emulator} -L '{root}' -cpu {cpu} -0 '{launcher}' \\
    -E PYTHONHOME='{root}/usr' \\
    -E PYTHONPATH="{stage}:{root}/opt/site${{PYTHONPATH:+:$PYTHONPATH}}" \\
    -E PYTHONDONTWRITEBYTECODE=1 -E PYTHONSAFEPATH=1 \\
    '{root}/usr/bin/python{python}' "$@"
"""
_PROGRAM_LAUNCHER = """\
#!/bin/sh
exec {emulator} -L '{root}' -cpu {cpu} '{program}' "$@"
"""


class EmulationError(Exception):
    """The emulated processor cannot be had; one line: what, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a root depends on: another digest is another root.

    `versions` gives each wheel's version: those of the host, so that both run the same code.
    """

    versions: Mapping[str, str]
    suite: str = SUITE
    packages: tuple[str, ...] = DEBIAN_PACKAGES
    files: Mapping[str, str] = field(default_factory=lambda: board_files(CORES))

    def digest(self) -> str:
        """Sixteen hex digits that name the root."""
        parts = (FORMAT, self.suite, self.packages, sorted(self.versions.items()),
                 sorted(self.files.items()))  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def requirements(self) -> list[str]:
        """What the package installer is asked for."""
        return [f"{name}=={version}" for name, version in sorted(self.versions.items())]


def board_files(cores: int) -> dict[str, str]:
    """Files of a board's /proc and /sys that libraries look at when they load.

    ONNX Runtime asks what processor it is on; the host's own answer would crash it, so the root has
    a Raspberry Pi 4's. The emulator reads a path from the root wherever it exists there.
    """
    listed = f"0-{cores - 1}\n"
    cpu = "sys/devices/system/cpu"
    return {
        "proc/cpuinfo": "".join(_CORE.format(core=core) for core in range(cores)),
        f"{cpu}/possible": listed,
        f"{cpu}/present": listed,
        f"{cpu}/online": listed,
        f"{cpu}/kernel_max": f"{cores - 1}\n",
    }


def launcher(path: Path, root: Path, stage: Path) -> str:
    """The text of a script at `path` that is the emulated interpreter."""
    _refuse_odd(path, root, stage)
    return _LAUNCHER.format(
        emulator=EMULATOR, root=root, cpu=CPU, launcher=path, stage=stage, python=PYTHON
    )


def program_launcher(root: Path, program: Path) -> str:
    """The text of a script that runs an aarch64 program, for whoever starts it by its path."""
    _refuse_odd(root, program)
    return _PROGRAM_LAUNCHER.format(emulator=EMULATOR, root=root, cpu=CPU, program=program)


def _refuse_odd(*places: Path) -> None:
    for place in places:
        if set(str(place)) & set("'\"\\$`:"):
            raise EmulationError(f"{place}: no quotes, colons or dollars in this path, please")


def mirror_of(sources: str) -> str | None:
    """The first Debian mirror that a host's own package sources name; None when there is none.

    Reads both forms of apt's source files (deb822 and one line a source).
    """
    for line in sources.splitlines():
        words = line.split()
        if words[:1] == ["URIs:"] and len(words) > 1:
            return words[1]
        if words[:1] == ["deb"]:
            places = [word for word in words[1:] if "://" in word]
            if places:
                return places[0]
    return None
