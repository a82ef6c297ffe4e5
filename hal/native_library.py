"""Loads the compiled extension, or says in one line how to build it.

There is no pure-Python stand-in: the node that is tested is the node that flies. Everything that
calls C imports `ffi` and `lib` from here.
"""

from __future__ import annotations

from typing import Any

try:
    from hal._native import ffi as _ffi
    from hal._native import lib as _lib
except ImportError as error:
    raise ImportError(
        "the native extension hal._native is not built; run `make setup` or `pip install -e .` "
        f"in the repository ({error})",
        name="hal._native",
    ) from None

ffi: Any = _ffi
"""cffi's face of the memory: `new`, `buffer`, `from_buffer`."""

lib: Any = _lib
"""The functions and constants of native/include/hal.h, backend_sim.h and framer.h."""


def octets_of(data: bytes | memoryview) -> Any:
    """What a `const uint8_t *` parameter takes of either; nothing is copied."""
    return data if isinstance(data, bytes) else _ffi.from_buffer(data)
