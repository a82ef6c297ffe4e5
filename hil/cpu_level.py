"""The processor's feature level, recorded with every run.

Libraries choose their kernels by it, and two levels may differ in a last bit: a hash is only
comparable within one level. x86-64 levels as in the System V psABI, by the features that tell them
apart.
"""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
_X86_LEVELS = (
    ("x86-64-v4", frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})),
    ("x86-64-v3", frozenset({"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"})),
    ("x86-64-v2", frozenset({"cx16", "popcnt", "sse4_1", "sse4_2", "ssse3"})),
)
_ARM_NAMED = ("asimddp", "fphp", "sve", "sve2", "i8mm", "bf16")


def cpu_level(cpuinfo: Path = CPUINFO, machine: str | None = None) -> str:
    """The level as one word, such as `x86-64-v3` or `aarch64+asimddp+fphp`."""
    name = platform.machine() if machine is None else machine
    flags = _flags(cpuinfo)
    if name == "x86_64":
        return next((level for level, needed in _X86_LEVELS if needed <= flags), "x86-64-v1")
    return "+".join([name, *(flag for flag in _ARM_NAMED if flag in flags)])


def _flags(cpuinfo: Path) -> frozenset[str]:
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in {"flags", "Features"}:
            return frozenset(value.split())
    return frozenset()
