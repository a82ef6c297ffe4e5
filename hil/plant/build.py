"""Builds `hil.plant._plant_native`, the plant's C kernels, out of line through cffi.

The cdef is read from the header, never retyped: comments and preprocessor lines go, the
declarations stay.
"""

import re
from pathlib import Path

from cffi import FFI  # type: ignore[import-untyped]  # cffi ships no types

_ROOT = Path(__file__).resolve().parents[2]
_HEADER = _ROOT / "native" / "include" / "plant_kernels.h"


def declarations(header: str) -> str:
    """The header's declarations without comments and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


ffibuilder = FFI()
ffibuilder.cdef(declarations(_HEADER.read_text(encoding="utf-8")))
ffibuilder.set_source(
    "hil.plant._plant_native",
    '#include "plant_kernels.h"',
    sources=["native/src/plant_thermal.c", "native/src/plant_channel.c"],
    include_dirs=["native/include"],
    extra_compile_args=["-std=c11", "-O2", "-ffp-contract=off"],
    libraries=["m"],
    py_limited_api=True,
)

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(_ROOT), verbose=True)
