"""A laser terminal on a serial line, through the client that flies, without a board around it.

For whoever looks at a terminal from a desk: `lumenode terminal --read`, the conformance test. A
flying node has the same client inside its backend (native/include/term_link.h is the manual).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from weakref import finalize

from hal.native_library import ffi, lib, octets_of
from hal.sample import HalConfig, HalError
from hal.terminal_registers import TERM_REG_COUNT
from hal.terminal_values import BAUD, TerminalLineView, view_of

if TYPE_CHECKING:
    from types import TracebackType

_NO_UINT32 = 0xFFFFFFFF
_new_memory = ffi.new_allocator(should_clear_after_alloc=False)
_ALIGN = 16


class TerminalLine:
    """Opened at once, whether the device is there or not; it is looked for until it is.

    Raises:
        HalError: RANGE for a path or configuration that cannot be, BUSY without a thread.
    """

    def __init__(self, path: str, baud: int = BAUD, config: HalConfig | None = None) -> None:
        values = config or HalConfig()
        # C keeps pointers to these: they must live as long as the line.
        self._path = ffi.new("char[]", path.encode())
        self._config = ffi.new("struct term_link_config *")
        self._config.path = self._path
        self._config.baud = baud
        self._config.tx_fifo_frames = values.tx_fifo_frames
        self._config.rx_fifo_frames = values.rx_fifo_frames
        self._config.max_frame_bytes = values.max_frame_bytes
        needed = _check(lib.term_link_bytes(self._config), "open")
        self._memory = _new_memory("uint8_t[]", needed + _ALIGN)
        skew = -int(ffi.cast("uintptr_t", self._memory)) % _ALIGN
        opened = ffi.new("struct term_link **")
        _check(lib.term_link_open(opened, self._config, self._memory + skew, needed), "open")
        self._link = opened[0]
        # A thread works in this memory: it ends before the memory does, whoever forgets the line.
        kept = (self._memory, self._config, self._path)
        self._end = finalize(self, _end, self._link, kept)
        self._words = ffi.new("uint32_t[]", TERM_REG_COUNT)
        self._view = ffi.new("struct term_link_view *")
        self._rx = ffi.new("uint8_t[]", values.max_frame_bytes)
        self._rx_view = ffi.buffer(self._rx)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def look(self) -> TerminalLineView:
        """What is known now, without waiting."""
        _check(lib.term_link_look(self._link, self._view), "look")
        return view_of(self._view)

    def read_registers(self, first: int, count: int) -> list[int]:
        """Words as last read; STALE when the terminal is silent, RANGE outside the map."""
        asked = count if 0 <= count <= TERM_REG_COUNT else _NO_UINT32
        first = first if 0 <= first <= _NO_UINT32 else _NO_UINT32
        _check(lib.term_link_read(self._link, first, asked, self._words), "registers")
        return ffi.unpack(self._words, count)  # type: ignore[no-any-return]  # cffi ships no types

    def write_register(self, register: int, value: int) -> None:
        """Has a register written; the terminal does it a moment later."""
        word = value & _NO_UINT32 if -(2**31) <= value < 2**32 else lib.TERM_ABSENT
        register = register if 0 <= register <= _NO_UINT32 else _NO_UINT32
        _check(lib.term_link_write(self._link, register, word), "registers")

    def submit_frame(self, frame: bytes | memoryview) -> bool:
        """Hand over one frame: True, or False when there is no credit."""
        code = lib.term_link_submit(self._link, octets_of(frame), len(frame))
        if code == lib.HAL_E_BUSY:
            return False
        _check(code, "submit")
        return True

    def receive_frame(self) -> bytes | None:
        """Take the oldest frame that came by light, None when none waits."""
        taken = _check(lib.term_link_receive(self._link, self._rx, len(self._rx)), "receive")
        return bytes(self._rx_view[:taken]) if taken else None

    def close(self) -> None:
        """Gives the line back; the terminal goes dark by its own rule. May be called twice."""
        self._link = ffi.NULL
        self._end()


def _end(link: Any, kept: tuple[Any, ...]) -> None:
    del kept
    lib.term_link_close(link)


def _check(code: int, call: str) -> int:
    if code < 0:
        raise HalError(f"terminal.{call}", code)
    return code
