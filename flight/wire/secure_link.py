"""One end of the secured link: packets to sealed frames, received frames back to packets.

Both ends use this class, with opposite directions. `open` never raises on bytes from outside:
whatever comes, it says a `SecurityVerdict`, and only an authentic frame changes the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag

from flight.wire.errors import WireError, WireReason
from flight.wire.link_security import FrameLedger, SecurityAssociation, SecurityVerdict
from flight.wire.replay_window import Freshness, ReplayWindow
from flight.wire.space_packet import SpacePacket, decode_all
from flight.wire.transfer_frame import (
    AAD_BYTES,
    CODED_FRAME_BYTES,
    FECF_BYTES,
    FRAME_BYTES_HIGHEST_MAX,
    FRAME_BYTES_LOWEST_MAX,
    FRAME_OVERHEAD_BYTES,
    IV,
    LIGHT,
    FrameBuilder,
    FrameView,
    LinkChannels,
    read_frame,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from flight.wire.counter_reserve import CounterReserve

_FORM_VERDICTS: dict[WireReason, SecurityVerdict] = {
    WireReason.TRUNCATED: SecurityVerdict.BAD_LENGTH,
    WireReason.BAD_LENGTH: SecurityVerdict.BAD_LENGTH,
    WireReason.BAD_CRC: SecurityVerdict.BAD_FECF,
}
"""Every other fault of form is a BAD_HEADER."""


class SealedFrame(msgspec.Struct, frozen=True, gc=False):
    """A frame ready for the terminal, and its number on its virtual channel (48 bits)."""

    frame: bytes
    vcid: int
    frame_no: int


class SealedView(msgspec.Struct, frozen=True, gc=False):
    """The same, its octets in memory that the next batch uses again."""

    frame: memoryview
    vcid: int
    frame_no: int


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A frame that passed every check. Its packets are in the order they were put in."""

    vcid: int
    frame_no: int
    packets: tuple[SpacePacket, ...]


class SecureLink:
    """Seals one direction, opens the other.

    Args:
        scid: spacecraft identifier of the node, on both ends.
        sends: association under which this end seals.
        receives: associations this end accepts, all of the other direction; more than one while
            a key is being changed.
        counters: invocation counters of the sending key; one reserve per key and life.
        frame_bytes_max: 1,784 (coded) or 2,048..65,536; no longer frame is sealed or opened.
        window: anti-replay memory for what is received; by default without durable storage.
        channels: of this link. Links that share keys share `counters` too, so that no nonce is used
            twice; frame numbers and anti-replay windows are each link's own, for what one link
            delays must not look old beside what another one has carried meanwhile.

    Frame numbers of every virtual channel start at the first counter of this life, so that they
    too are never reused: a report about frames of before a reset can't speak of frames of now.

    Raises:
        ValueError: a managed parameter out of range, or directions that do not oppose.
    """

    def __init__(  # noqa: PLR0913 - the managed parameters of a link, each by its name
        self,
        *,
        scid: int,
        sends: SecurityAssociation,
        receives: Sequence[SecurityAssociation],
        counters: CounterReserve,
        frame_bytes_max: int = FRAME_BYTES_LOWEST_MAX,
        window: ReplayWindow | None = None,
        channels: LinkChannels = LIGHT,
    ) -> None:
        fits = FRAME_BYTES_LOWEST_MAX <= frame_bytes_max <= FRAME_BYTES_HIGHEST_MAX
        if not fits and frame_bytes_max != CODED_FRAME_BYTES:
            raise ValueError(
                f"frames of {frame_bytes_max} octets: allowed are "
                f"{CODED_FRAME_BYTES}, {FRAME_BYTES_LOWEST_MAX}..{FRAME_BYTES_HIGHEST_MAX}"
            )
        if not receives or any(sa.direction is sends.direction for sa in receives):
            raise ValueError("a link receives in the direction it doesn't send")
        self._scid = scid
        self._builder = FrameBuilder(
            scid=scid, direction=sends.direction, spi=sends.spi, frame_bytes_max=frame_bytes_max
        )
        self._cipher = sends.cipher()
        self._from = receives[0].direction
        self._ciphers: dict[int, AESGCM] = {sa.spi: sa.cipher() for sa in receives}
        self.counters = counters
        self._window = ReplayWindow() if window is None else window
        self.frame_bytes_max = frame_bytes_max
        self.channels = channels
        self._received_on = channels.of(self._from)
        self._frame_no = dict.fromkeys(sorted(channels.of(sends.direction)), counters.first)
        self.ledger = FrameLedger()
        self.frames_sealed = 0

    @property
    def packets_bytes_max(self) -> int:
        """Room for whole packets in one frame."""
        return self.frame_bytes_max - FRAME_OVERHEAD_BYTES

    def ready(self, frames: int = 1) -> bool:
        """Whether so many frames can be sealed now: their counters are durable.

        Raises:
            CounterExhausted: the key is used up.
        """
        return self.counters.ready(frames)

    def next_frame_no(self, vcid: int) -> int:
        """The number the next sealed frame of this virtual channel will have."""
        return self._frame_no[vcid]

    @property
    def batch_max(self) -> int:
        """Frames that one call of `seal_batch` makes at most."""
        return self._builder.batch_max

    def make_ready(self, count: int) -> None:
        """Reserves the counters of the next `count` frames, so that sealing them can't fail.

        Raises:
            CounterExhausted: the key is used up; errors of the counter's store pass through.
        """
        while self.counters.remaining < count:
            self.counters.reserve()

    def seal(self, vcid: int, packets: Sequence[bytes]) -> SealedFrame:
        """One frame with these packets, in this order, to keep; errors as `seal_batch`."""
        (sealed,) = self.seal_batch(vcid, (packets,))
        return SealedFrame(bytes(sealed.frame), vcid, sealed.frame_no)

    def seal_batch(self, vcid: int, groups: Sequence[Sequence[bytes]]) -> list[SealedView]:
        """One frame for each group of packets, numbered on from the last one, made in few calls.

        The frames lie in memory of the link: pass them on, or copy them, before it seals again.

        Raises:
            WireError: TOO_LONG when a group does not fit `packets_bytes_max` or there are more
                groups than `batch_max`, BAD_VALUE when a group or the batch is empty or the
                virtual channel is not of this direction. Nothing has changed then.
            CounterExhausted: the key is used up; errors of the counter's store pass through.
        """
        plains = [group[0] if len(group) == 1 else b"".join(group) for group in groups]
        lengths = [len(plain) for plain in plains]
        if vcid not in self._frame_no or not plains or not all(lengths):
            raise WireError(WireReason.BAD_VALUE, f"{len(groups)} groups on channel {vcid}")
        if max(lengths) > self.packets_bytes_max or len(plains) > self.batch_max:
            raise WireError(
                WireReason.TOO_LONG, f"{len(plains)} groups of up to {max(lengths)} octets"
            )
        first = self._frame_no[vcid]
        counter = self.counters.take(len(plains))
        area = self._builder.build(vcid=vcid, count=first, counter=counter, packets_bytes=lengths)
        encrypt = self._cipher.encrypt_into
        for plain, (iv, clear, body) in zip(plains, area.parts(), strict=True):
            encrypt(iv, plain, clear, body)
        self._frame_no[vcid] = first + len(plains)
        self.frames_sealed += len(plains)
        return [
            SealedView(frame, vcid, number)
            for number, frame in enumerate(area.finish(), start=first)
        ]

    def open(self, frame: bytes) -> Opened | SecurityVerdict:
        """What a received frame holds, or why it's refused. Never raises on any bytes."""
        result = self._open(frame)
        self.ledger.book(SecurityVerdict.OK if isinstance(result, Opened) else result)
        return result

    def _open(self, frame: bytes) -> Opened | SecurityVerdict:
        if len(frame) > self.frame_bytes_max:
            return SecurityVerdict.BAD_LENGTH
        try:
            view = read_frame(frame)
        except WireError as error:
            return _FORM_VERDICTS.get(error.reason, SecurityVerdict.BAD_HEADER)
        spi, scid, counter = IV.unpack(view.iv)
        verdict = self._judge(view, spi, scid, counter)
        if verdict is not SecurityVerdict.OK:
            return verdict
        whole = memoryview(frame)
        try:
            plain = self._ciphers[spi].decrypt(
                view.iv, whole[AAD_BYTES:-FECF_BYTES], whole[:AAD_BYTES]
            )
        except InvalidTag:
            return SecurityVerdict.BAD_MAC
        self._window.accept(counter)
        try:
            packets = tuple(decode_all(plain))
        except WireError:
            # Authentic, yet broken inside: the far end's software is at fault, and it shows.
            return SecurityVerdict.BAD_PACKETS
        return Opened(view.vcid, view.count, packets)

    def _judge(self, view: FrameView, iv_spi: int, iv_scid: int, counter: int) -> SecurityVerdict:
        """Everything that can be refused without the cipher; changes nothing."""
        if (
            view.scid != self._scid
            or view.direction is not self._from
            or view.vcid not in self._received_on
            or view.map_id != 0
        ):
            return SecurityVerdict.WRONG_CHANNEL
        if view.spi not in self._ciphers:
            return SecurityVerdict.UNKNOWN_SPI
        if iv_spi != view.spi or iv_scid != self._scid:
            return SecurityVerdict.BAD_HEADER
        # Asked before the MAC because it is cheap, booked only after it: a forger moves nothing.
        if self._window.judge(counter) is not Freshness.NEW:
            return SecurityVerdict.REPLAYED
        return SecurityVerdict.OK
