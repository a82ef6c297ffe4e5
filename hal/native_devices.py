"""`NodeDevices` over the C layer: the implementation that flies, and the one the bench drives.

One cffi call fills a preallocated `struct hal_frame`, one `struct.unpack` turns it into a
`SensorFrame`. All memory of the device is one arena, made here before opening.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any
from weakref import finalize

from hal.native_library import ffi, lib, octets_of
from hal.protocols import NodeDevices
from hal.sample import HalConfig, HalCounters, HalError, SensorFrame
from hal.shared_memory import PrivateMemory, SharedMemory
from hal.terminal_values import view_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hal.terminal_values import SerialTerminal, TerminalLineView

# struct hal_frame without version and size in front and check value behind, in SensorFrame's order.
_FRAME = Struct("=8xQqQI11iIiiIQ11I4x")
assert _FRAME.size == ffi.sizeof("struct hal_frame"), "the frame's layout is the ABI"

_NO_UINT32 = 0xFFFFFFFF
"""Out of the range of everything that C takes as an unsigned number."""


def backend_names() -> tuple[str, ...]:
    """Names that `NativeDevices` accepts."""
    names: list[str] = []
    while (name := lib.hal_backend_name(len(names))) != ffi.NULL:
        names.append(ffi.string(name).decode("ascii"))
    return tuple(names)


def _arena(backend: str, arena_bytes: int, *, shared: bool) -> PrivateMemory | SharedMemory:
    return (
        SharedMemory(f"lumenode-{backend}", arena_bytes) if shared else PrivateMemory(arena_bytes)
    )


def _end(device: Any, arena: PrivateMemory | SharedMemory) -> None:
    lib.hal_close(device)
    arena.close()


def _terminal_config(terminal: SerialTerminal) -> tuple[Any, Any]:
    """`struct hal_terminal_config *` and the text that it points to."""
    device = ffi.new("char[]", terminal.device.encode())
    return ffi.new(
        "struct hal_terminal_config *", {"device": device, "baud": terminal.baud}
    ), device


class NativeDevices(NodeDevices):
    """The node's hardware through the C backend of that name ("sim").

    A `terminal` on a serial line stands in for the backend's own.

    Attributes:
        arena: all the memory that the device lives in; `shared` lets a process that is given its
            descriptor look at it, which the guard's supervisor does.

    Raises `HalError`: NODEV for an unknown backend, RANGE for a configuration out of bounds.
    """

    def __init__(
        self,
        backend: str = "sim",
        config: HalConfig | None = None,
        backend_config: Any = None,
        *,
        shared: bool = False,
        terminal: SerialTerminal | None = None,
    ) -> None:
        self.backend = backend
        values = config or HalConfig()
        # C keeps pointers to these: they must live as long as the device.
        self._name = ffi.new("char[]", backend.encode())
        self._config = ffi.new("struct hal_config *")
        self._device = ffi.new("struct hal *")
        self._check(lib.hal_config_init(self._config, self._name), "open")
        for field in values.__struct_fields__:
            self._set_config(field, getattr(values, field))
        # Whoever gives it keeps it, and the text it points to, as long as the device.
        self._config.backend_config = ffi.NULL if backend_config is None else backend_config
        self._terminal = None if terminal is None else _terminal_config(terminal)
        self._config.terminal = ffi.NULL if self._terminal is None else self._terminal[0]
        arena_bytes = self._check(lib.hal_arena_bytes(self._config), "open")
        self.arena = _arena(backend, arena_bytes, shared=shared)
        code = lib.hal_open(self._device, self._config, self.arena.pointer, arena_bytes)
        if code < 0:
            self.arena.close()
        self._check(code, "open")
        # A backend may have a thread that works in this memory: it ends before the memory does.
        self._end = finalize(self, _end, self._device, self.arena)
        self._guard: object = None
        self._frame = ffi.new("struct hal_frame *")
        self._frame_view = ffi.buffer(self._frame)
        self._rx = ffi.new("uint8_t[]", values.max_frame_bytes)
        self._rx_view = ffi.buffer(self._rx)
        self._words = ffi.new("uint32_t[]", lib.TERM_REG_COUNT)

    def _set_config(self, field: str, value: int) -> None:
        try:
            setattr(self._config, field, value)
        except OverflowError:
            raise HalError(f"{self.backend}.open", lib.HAL_E_RANGE) from None

    def _check(self, code: int, call: str) -> int:
        if code < 0:
            raise HalError(f"{self.backend}.{call}", code)
        return code

    def _set(self, setter: Callable[[Any, int], int], value: int, call: str) -> int:
        try:
            code = setter(self._device, value)
        except OverflowError:  # cffi's check of uint32_t, ahead of C's own narrower one
            code = setter(self._device, _NO_UINT32)
        return self._check(code, call)

    @property
    def handle(self) -> Any:
        """The `struct hal *`, for the bench's end of the device."""
        return self._device

    @property
    def data_offset(self) -> int:
        """Where in the arena the device's data begins."""
        return int(ffi.cast("uint8_t *", self._device.data) - self.arena.pointer)

    def attach_guard(self, guard: Any, memory: object) -> None:
        """Attach C's `struct guard *`, which lies in `memory`; NULL takes it off.

        Raises `HalError`: UNSUPPORTED when the backend cannot be made safe from outside.
        """
        self._check(lib.hal_attach_guard(self._device, guard), "guard")
        self._guard = memory  # lives as long as C may look there

    def snapshot(self) -> SensorFrame:
        """One batched C call; see `NodeDevices`."""
        code = lib.hal_snapshot(self._device, self._frame)
        if code < 0:
            raise HalError(f"{self.backend}.snapshot", code)
        return SensorFrame(*_FRAME.unpack(self._frame_view))

    def last_frame(self) -> bytes:
        """The bytes of the last snapshot, its CRC-32C tail included, for a recorder or a link."""
        return bytes(self._frame_view)

    def set_payload_level(self, level: int) -> int:
        """See `NodeDevices`."""
        return self._set(lib.hal_set_payload_level, level, "payload_level")

    def set_heater(self, on: bool) -> int:  # noqa: FBT001 - a switch has one argument
        """See `NodeDevices`."""
        return self._set(lib.hal_set_heater, on, "heater")

    def point_terminal(self, target_id: int) -> int:
        """See `NodeDevices`."""
        return self._set(lib.hal_point_terminal, target_id, "terminal")

    def set_laser(self, on: bool) -> int:  # noqa: FBT001 - a switch has one argument
        """See `NodeDevices`."""
        return self._set(lib.hal_set_laser, on, "laser")

    def submit_frame(self, frame: bytes | memoryview) -> bool:
        """See `NodeDevices`."""
        code = lib.hal_submit_frame(self._device, octets_of(frame), len(frame))
        if code == lib.HAL_E_BUSY:
            return False
        self._check(code, "submit")
        return True

    def receive_frame(self) -> bytes | None:
        """See `NodeDevices`."""
        taken = self._check(lib.hal_receive_frame(self._device, self._rx, len(self._rx)), "receive")
        return bytes(self._rx_view[:taken]) if taken else None

    def receive_fd(self) -> int | None:
        """A descriptor that signals received frames (hal_wake.h); None where one has to ask.

        Read it, then take frames until there is none.
        """
        code = lib.hal_receive_fd(self._device)
        return None if code == lib.HAL_E_UNSUPPORTED else self._check(code, "receive_fd")

    def set_payload_busy(self, permille: int) -> int:
        """See `NodeDevices`."""
        return self._set(lib.hal_set_payload_busy, permille, "payload_busy")

    def read_registers(self, first: int, count: int) -> list[int]:
        """See `NodeDevices`."""
        words = self._words
        # Beyond C's own bounds, or uint32_t's: C refuses it, and writes nothing.
        asked = count if 0 <= count <= len(words) else _NO_UINT32
        first = first if 0 <= first <= _NO_UINT32 else _NO_UINT32
        self._check(lib.hal_term_read(self._device, first, asked, words), "registers")
        return ffi.unpack(words, count)  # type: ignore[no-any-return]  # cffi ships no types

    def write_register(self, register: int, value: int) -> None:
        """See `NodeDevices`."""
        # TERM_ABSENT is a value of no register.
        word = value & _NO_UINT32 if -(2**31) <= value < 2**32 else lib.TERM_ABSENT
        register = register if 0 <= register <= _NO_UINT32 else _NO_UINT32
        self._check(lib.hal_term_write(self._device, register, word), "registers")

    def terminal_line(self) -> TerminalLineView:
        """What is known of the terminal on a line, and of the line; UNSUPPORTED without one."""
        view = ffi.new("struct term_link_view *")
        self._check(lib.hal_term_line(self._device, view), "line")
        return view_of(view)

    def kick_watchdog(self) -> None:
        """See `NodeDevices`."""
        self._check(lib.hal_kick_watchdog(self._device), "watchdog")

    def counters(self) -> HalCounters:
        """What was done and what was lost since opening."""
        counters = ffi.new("struct hal_counters *")
        self._check(lib.hal_read_counters(self._device, counters), "counters")
        return HalCounters(*(getattr(counters, name) for name in HalCounters.__struct_fields__))

    def close(self) -> None:
        """See `NodeDevices`."""
        self._end()
