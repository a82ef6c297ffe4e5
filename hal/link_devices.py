"""`NodeDevices` at the far end of a line to a bench, and the few calls a node there needs besides.

The Python face of native/include/backend_link.h, which is the manual: one thread in C owns the
line, every call here but `wait_grant` and (in lock-step) `tell` answers from memory, none holds the
interpreter's lock while it is in C.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from hal.native_devices import NativeDevices
from hal.native_library import ffi, lib
from hal.sample import HalConfig, HalError, HalErrorKind

_NS_PER_S = 1_000_000_000


class LinkPhase(Enum):
    """How far node and bench have come; numbers of `enum hal_link_phase`."""

    WAITING = 0
    UP = 1
    DOWN = 2
    REFUSED = 3
    RESET = 4


class LinkMode(IntEnum):
    """Whose time the mission follows; numbers of `enum link_mode`."""

    LOCK_STEP = 1
    FREE_RUN = 2


REFUSALS = {1: "protocol version", 2: "HAL version", 3: "message layout", 4: "role", 5: "mode"}
"""What the two ends differ in, by `enum link_refusal`."""


class LinkConfig(msgspec.Struct, frozen=True):
    """A line to a bench. Ranges are those of `struct hal_link_config`, and C checks them again."""

    path: str
    """Device file: a serial port or a pseudo-terminal; it is opened again when it was unplugged."""
    mode: LinkMode = LinkMode.FREE_RUN
    baud: Annotated[int, Meta(ge=0, le=4_000_000)] = 921_600
    """bit/s, 8N1; 0 leaves the port as it is. Less cannot carry a 10 Hz loop with its frames."""
    flow_control: bool = False
    """RTS/CTS."""
    period_us: Annotated[int, Meta(ge=1000, le=60_000_000)] = 1_000_000
    """Of a tick; sensors one and a half of it apart count as late."""
    stale_ms: Annotated[int, Meta(ge=1, le=600_000)] = 3000
    """Sensors older than this are invalid, in free-run; three periods by default."""
    boot_count: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    """Starts of the node, as the bench is told; 0 where nobody counts them."""


class Heartbeat(msgspec.Struct, frozen=True):
    """One end's counters, modulo 2^32, as it tells them; meanings in bench_link.h."""

    uptime_ms: int
    rx_messages: int
    rx_corrupt: int
    rx_lost: int
    rx_stale: int
    tx_messages: int
    tx_dropped: int
    queue_depth: int
    frames_broken: int
    late: int
    frames_sent: int


class LinkStatus(msgspec.Struct, frozen=True):
    """All that the line did and lost since opening; meanings in backend_link.h, fields in order."""

    phase: int
    refusal: int
    reset_cause: int
    own_session: int
    peer_session: int
    peer_role: int
    line_open: int
    low_latency: int
    offset_ns: int
    delay_ns: int
    uncertainty_ns: int
    skew_ppb: int
    sensors_seen: int
    sensors_tick: int
    line_opens: int
    line_losses: int
    line_open_code: int
    ups: int
    downs: int
    rx_octets: int
    rx_messages: int
    rx_corrupt: int
    rx_too_long: int
    rx_bad_layout: int
    rx_lost: int
    rx_stale: int
    rx_foreign: int
    rx_ignored: int
    tx_octets: int
    tx_messages: int
    tx_dropped: int
    tx_refused: int
    frames_received: int
    frames_broken: int
    frames_malformed: int
    frames_overflowed: int
    frames_flushed: int
    late: int
    grants_early: int
    grants_taken: int
    records_told: int
    records_refused: int
    registers_failed: int
    bits_tested: int
    bit_errors: int
    peer: Heartbeat


class LinkState(NamedTuple):
    """What a node must know of its line in every turn; the rest is in `LinkStatus`."""

    phase: LinkPhase
    refusal: str
    """What the two ends differ in; empty while they fit."""
    sensors_seen: int
    reset_cause: int
    """`ResetCause`, when `phase` is RESET."""


class LinkDevices(NativeDevices):
    """A node's hardware as a bench serves it.

    Raises `HalError`: NODEV when the device file cannot be opened, PERM when it may not be, BUSY
    when somebody else holds it, RANGE for a configuration out of bounds. After a reset by the bench
    every call raises NODEV: the power is gone.
    """

    def __init__(self, line: LinkConfig, config: HalConfig | None = None) -> None:
        self._path = ffi.new("char[]", line.path.encode())
        self._line: Any = ffi.new("struct hal_link_config *")
        lib.hal_link_config_init(self._line)
        self._line.path = self._path
        for field in line.__struct_fields__[1:]:
            try:
                setattr(self._line, field, int(getattr(line, field)))
            except OverflowError:
                raise HalError(f"link.open.{field}", lib.HAL_E_RANGE) from None
        super().__init__("link", config, self._line, shared=True)
        self._grant = ffi.new("struct hal_link_grant *")
        self._status = ffi.new("struct hal_link_status *")

    def wake_fd(self) -> int:
        """Readable while there is a grant or another phase to look at."""
        return self._check(lib.hal_link_wake_fd(self._device), "wake_fd")

    def take_grant(self) -> tuple[int, int] | None:
        """(start, end) of the grant that waits, mission time in ns, both inclusive; or None."""
        if not self._check(lib.hal_link_take_grant(self._device, self._grant), "take_grant"):
            return None
        return self._grant.from_ns, self._grant.until_ns

    def wait_grant(self, timeout_s: float) -> tuple[int, int] | None:
        """The same, after up to `timeout_s` seconds; None also when the phase changed."""
        timeout_ns = round(timeout_s * _NS_PER_S)
        code = lib.hal_link_wait_grant(self._device, timeout_ns, self._grant)
        if not self._check(code, "wait_grant"):
            return None
        return self._grant.from_ns, self._grant.until_ns

    def done(self) -> None:
        """The granted tick is done: what was set, submitted and told goes first."""
        self._check(lib.hal_link_done(self._device), "done")

    def tell(self, record: bytes) -> bool:
        """Sends a record of telemetry beside the frames; False when there was no room.

        In lock-step it waits a second for room, for no time goes by; in free-run never.
        """
        code = lib.hal_link_tell(self._device, record, len(record))
        if code < 0 and -code != HalErrorKind.BUSY:
            raise HalError("link.tell", code)
        return bool(code >= 0)

    def state(self) -> LinkState:
        """Phase, why the bench refuses or resets, and how many SENSORS have come."""
        self._check(lib.hal_link_read_status(self._device, self._status), "status")
        told = self._status
        return LinkState(
            LinkPhase(told.phase),
            REFUSALS.get(told.refusal, ""),
            told.sensors_seen,
            told.reset_cause,
        )

    def status(self) -> LinkStatus:
        """Everything; for telemetry and for whoever looks for a fault of the line."""
        self._check(lib.hal_link_read_status(self._device, self._status), "status")
        values = {name: getattr(self._status, name) for name in LinkStatus.__struct_fields__[:-1]}
        peer = (getattr(self._status.peer, name) for name in Heartbeat.__struct_fields__)
        return LinkStatus(**values, peer=Heartbeat(*peer))
