"""Builds `hil.plant._plant_native`, the plant's C kernels, out of line through cffi.

The cdef is read from the headers, never retyped: comments and preprocessor lines go, the
declarations stay.
"""

import re
from pathlib import Path

from cffi import FFI  # type: ignore[import-untyped]  # cffi ships no types

_ROOT = Path(__file__).resolve().parents[2]
_HEADERS = ("plant_kernels.h", "plant_node.h")


def declarations(header: str) -> str:
    """The header's declarations without comments and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


ffibuilder = FFI()
for _name in _HEADERS:
    _path = _ROOT / "native" / "include" / _name
    ffibuilder.cdef(declarations(_path.read_text(encoding="utf-8")))
ffibuilder.set_source(
    "hil.plant._plant_native",
    '#include "plant_node.h"',
    sources=[
        "native/src/plant_battery.c",
        "native/src/plant_channel.c",
        "native/src/plant_light.c",
        "native/src/plant_thermal.c",
    ],
    include_dirs=["native/include"],
    extra_compile_args=["-std=c11", "-O2", "-ffp-contract=off"],
    libraries=["m"],
    py_limited_api=True,
)

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(_ROOT), verbose=True)
