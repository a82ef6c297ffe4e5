"""USLP transfer frames (CCSDS 732.1-B-2): the outermost envelope, what the laser terminal carries.

The layout is that of `native/include/framer.h`, which builds and checks it: 13 octets of primary
header with a 6-octet VC frame count, 14 of security header, 1 of data field header, space packets,
16 of MAC, 2 of FECF. No COP runs on this link (the report-driven ARQ of products replaces it),
hence every frame has the bypass flag, and the VC frame count is the frame number of that ARQ.
"""

from __future__ import annotations

import struct
from array import array
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from flight.wire.errors import WireError, WireReason
from hal.native_library import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Sequence


class Direction(IntEnum):
    """Which way a frame goes; the value of the source-or-destination flag of its header.

    Downlink frames name the node as their source, uplink frames as their destination.
    """

    DOWNLINK = 0
    UPLINK = 1


class VirtualChannel(IntEnum):
    """The virtual channels of all links; each belongs to one link and one direction."""

    TELEMETRY = 1
    """Housekeeping, events, verification reports, reconcile requests, urgent products."""
    PRODUCTS = 2
    UPLINK = 3
    RADIO_TELEMETRY = 4
    RADIO_PRODUCTS = 5
    RADIO_UPLINK = 6


class LinkChannels(NamedTuple):
    """The virtual channels of one link: frames of another link are foreign to it."""

    telemetry: VirtualChannel
    products: VirtualChannel
    uplink: VirtualChannel

    def of(self, direction: Direction) -> frozenset[int]:
        """Those of one direction."""
        down = frozenset({self.telemetry, self.products})
        return down if direction is Direction.DOWNLINK else frozenset({self.uplink})


LIGHT = LinkChannels(VirtualChannel.TELEMETRY, VirtualChannel.PRODUCTS, VirtualChannel.UPLINK)
RADIO = LinkChannels(
    VirtualChannel.RADIO_TELEMETRY, VirtualChannel.RADIO_PRODUCTS, VirtualChannel.RADIO_UPLINK
)

AAD_BYTES: int = lib.FRAMER_PACKETS_AT
"""Everything before the packets: both headers and the data field header, sent in the clear."""
MAC_BYTES: int = lib.FRAMER_MAC_BYTES
FECF_BYTES: int = lib.FRAMER_FECF_BYTES
IV_AT: int = lib.FRAMER_IV_AT
IV_END: int = lib.FRAMER_IV_AT + lib.FRAMER_IV_BYTES
FRAME_OVERHEAD_BYTES: int = lib.FRAMER_OVERHEAD_BYTES
FRAME_BYTES_LOWEST_MAX = 2_048
FRAME_BYTES_HIGHEST_MAX: int = lib.FRAMER_FRAME_BYTES_MAX
CODED_FRAME_BYTES: int = lib.RS_DATA_BYTES * lib.RS_DEPTH_MAX
"""Longest frame that `flight.wire.channel_coding` can code: 1,784 octets."""
BATCH_MAX: int = lib.FRAMER_BATCH_MAX
BATCH_BYTES_MAX = 4 << 20
"""Memory for the frames of one call."""
COUNT_MAX = (1 << 48) - 1
VCID_MAX = 62
"""63 is for idle frames."""

_U8P = ffi.typeof("uint8_t *")
_U32P = ffi.typeof("uint32_t *")
_LAYOUT = ffi.typeof("struct framer_layout *")

IV = struct.Struct(">HHQ")
"""Fixed field (SPI, SCID) and invocation counter: NIST SP 800-38D, 8.2.1."""

_REASONS: dict[int, WireReason] = {
    lib.FRAMER_E_SHORT: WireReason.TRUNCATED,
    lib.FRAMER_E_VERSION: WireReason.BAD_VERSION,
    lib.FRAMER_E_TRUNCATED: WireReason.BAD_TYPE,
    lib.FRAMER_E_LENGTH: WireReason.BAD_LENGTH,
    lib.FRAMER_E_FECF: WireReason.BAD_CRC,
    lib.FRAMER_E_COUNT: WireReason.BAD_TYPE,
    lib.FRAMER_E_OCF: WireReason.BAD_TYPE,
    lib.FRAMER_E_RULE: WireReason.BAD_TYPE,
    lib.FRAMER_E_SPARE: WireReason.BAD_VALUE,
    lib.FRAMER_E_RANGE: WireReason.TOO_LONG,
}


class FrameView(msgspec.Struct, frozen=True, gc=False):
    """What the headers of a frame say; authentic only once its MAC was checked.

    Attributes:
        scid: spacecraft identifier, 16 bits.
        direction: see `Direction`.
        vcid: virtual channel, 0..63.
        map_id: multiplexer access point; 0 on this link.
        count: VC frame count, 48 bits: the frame number on its virtual channel.
        spi: security parameter index.
        iv: the 12 octets of the initialisation vector, see `IV`.
    """

    scid: int
    direction: Direction
    vcid: int
    map_id: int
    count: int
    spi: int
    iv: bytes


class _Place(NamedTuple):
    """Where a frame of full length lies, and its parts."""

    iv: memoryview
    clear: memoryview
    body: memoryview
    frame: memoryview


class FrameArea:
    """Memory in which frames of one virtual channel are made side by side, batch after batch.

    Used again and again: fresh memory for each batch would be cleared, and paged in, for more than
    the cipher costs. So what `finish` gives is good until the next batch is built.
    """

    __slots__ = ("_area", "_c_area", "_c_lengths", "_count", "_lengths", "_places", "_stride")

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._count = 0
        self._grow(1)

    def _grow(self, count: int) -> None:
        """Room for so many frames; frames of before stay where they are, for who holds them."""
        stride = self._stride
        self._area = bytearray(count * stride)
        self._c_area = ffi.from_buffer(_U8P, self._area, require_writable=True)
        self._lengths = array("I", bytes(4 * count))
        self._c_lengths = ffi.from_buffer(_U32P, self._lengths, require_writable=True)
        view = memoryview(self._area)
        self._places = [
            _Place(
                view[at + IV_AT : at + IV_END],
                view[at : at + AAD_BYTES],
                view[at + AAD_BYTES : at + stride - FECF_BYTES],
                view[at : at + stride],
            )
            for at in range(0, count * stride, stride)
        ]

    def build(self, first: Any, packets_bytes: Sequence[int]) -> int:
        """Writes all headers; a negative code of framer.h when a field does not fit."""
        count = len(packets_bytes)
        if count > len(self._places):
            self._grow(count)
        self._count = count
        self._lengths[:count] = array("I", packets_bytes)
        return int(
            lib.framer_build_batch(
                first, self._c_area, len(self._area), self._stride, self._c_lengths, count
            )
        )

    def parts(self) -> list[tuple[memoryview, memoryview, memoryview]]:
        """For each frame: its IV, its octets in the clear, and where ciphertext and MAC belong."""
        stride, beside = self._stride, AAD_BYTES + FECF_BYTES
        return [
            (
                place.iv,
                place.clear,
                place.body if length == stride else place.body[: length - beside],
            )
            for place, length in zip(self._places, self._lengths[: self._count], strict=False)
        ]

    def finish(self) -> list[memoryview]:
        """The frames with their frame error control field; packets and MACs are final by then.

        Good until the next batch is built.
        """
        count, stride = self._count, self._stride
        code = lib.framer_seal_batch(self._c_area, len(self._area), stride, self._c_lengths, count)
        assert code == lib.FRAMER_OK, "a batch that was built can be sealed"
        return [
            place.frame if length == stride else place.frame[:length]
            for place, length in zip(self._places, self._lengths[:count], strict=False)
        ]


class FrameBuilder:
    """Writes the headers of one end's frames; keeps the C structure they are made from.

    Args:
        scid: spacecraft identifier.
        direction: which way the frames go.
        spi: security parameter index.
        frame_bytes_max: no longer frame is built.
    """

    def __init__(
        self,
        *,
        scid: int,
        direction: Direction,
        spi: int,
        frame_bytes_max: int = FRAME_BYTES_HIGHEST_MAX,
    ) -> None:
        assert 0 <= scid <= 0xFFFF
        assert 0 <= spi <= 0xFFFF
        self._spec = ffi.new("struct framer_spec *")
        self._header = self._spec.header
        self._header.scid = scid
        self._header.destination = direction
        self._header.bypass = 1
        self._header.vc_count_bytes = lib.FRAMER_COUNT_BYTES
        self._spec.spi = spi
        self._iv = ffi.buffer(self._spec.iv)
        self._fixed = (spi, scid)
        self._area = FrameArea(frame_bytes_max)
        self.batch_max = max(1, min(BATCH_MAX, BATCH_BYTES_MAX // frame_bytes_max))
        """Frames a call."""

    def build(
        self, *, vcid: int, count: int, counter: int, packets_bytes: Sequence[int]
    ) -> FrameArea:
        """Frames with their headers written, room for packets and MAC behind them.

        Args:
            vcid: virtual channel of all of them.
            count: VC frame count of the first, one more for each that follows.
            counter: invocation counter of the first, one more for each that follows.
            packets_bytes: octets of packets in each, at least 1; 1 to `batch_max` frames.

        Raises:
            WireError: BAD_VALUE when a field does not fit, TOO_LONG when a frame or the batch
                does not.
        """
        if not 0 <= vcid <= VCID_MAX or not 0 <= count <= COUNT_MAX + 1 - len(packets_bytes):
            raise WireError(WireReason.BAD_VALUE, f"virtual channel {vcid}, frame {count}")
        if not 1 <= len(packets_bytes) <= self.batch_max:
            raise WireError(WireReason.TOO_LONG, f"batch of {len(packets_bytes)} frames")
        self._header.vcid = vcid
        self._header.vc_count = count
        IV.pack_into(self._iv, 0, *self._fixed, counter)
        if self._area.build(self._spec, packets_bytes) != lib.FRAMER_OK:
            raise WireError(WireReason.TOO_LONG, f"frame of {max(packets_bytes)} octets of packets")
        return self._area


def read_frame(frame: bytes) -> FrameView:
    """Checks FECF and form of a received frame and reads its headers.

    Raises:
        WireError: BAD_CRC, TRUNCATED, BAD_LENGTH, BAD_VERSION, BAD_TYPE (a frame of another kind
            than this link carries), BAD_VALUE (spare bits).
    """
    layout = ffi.new(_LAYOUT)
    code = lib.framer_check(frame, len(frame), layout)
    if code != lib.FRAMER_OK:
        raise WireError(_REASONS[code], ffi.string(lib.framer_strerror(code)).decode("ascii"))
    header = layout.header
    if header.command or not header.bypass:
        raise WireError(WireReason.BAD_TYPE, "a protocol control or sequence-controlled frame")
    return FrameView(
        header.scid,
        Direction.UPLINK if header.destination else Direction.DOWNLINK,
        header.vcid,
        header.map_id,
        header.vc_count,
        layout.spi,
        frame[IV_AT:IV_END],
    )
