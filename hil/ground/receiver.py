"""The ground receiver: decrypted frames in, verified products and ARQ reports out.

Far end of image -> ground. It knows frames by number and products by byte range. It hands a product
to the archive when every byte and the manifest are there and the CRC-32C of the whole agrees, and
only then reports it complete: what the node frees is what the archive has.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from flight.wire.crc import crc32c
from flight.wire.errors import WireError
from flight.wire.product_packet import (
    Freed,
    Manifest,
    SegmentData,
    decode_manifest_packet,
    decode_segment,
)
from flight.wire.ranges import RangeSet
from flight.wire.reconcile import (
    Answered,
    Asked,
    Held,
    ReconcileAnswer,
    decode_request,
    encode_answer,
)
from flight.wire.space_packet import Apid
from hil.ground.archive import Filed
from hil.ground.frame_history import FrameHistory
from hil.ground.receiver_values import ReceiverConfig, ReceiverCounters

if TYPE_CHECKING:
    from collections.abc import Sequence


class PacketLike(Protocol):
    """What the receiver needs of a space packet."""

    @property
    def apid(self) -> int:
        """Application process identifier."""

    @property
    def data(self) -> bytes:
        """User data, without headers."""


class ArchiveLike(Protocol):
    """Where verified products go."""

    def file(self, manifest: Manifest, payload: bytes, received_ns: int) -> Filed:
        """Keeps a product; idempotent by identity."""

    def digest(self, product_id: int) -> int | None:
        """CRC-32C of a product it has, or None."""


class _Partial:
    __slots__ = ("buffer", "held", "manifest")

    def __init__(self, total_bytes: int) -> None:
        self.buffer = bytearray(total_bytes)
        self.held = RangeSet()
        self.manifest: Manifest | None = None


class GroundReceiver:
    """One ground session of one node; all stations that share it are one ack authority.

    Args:
        epoch: identity of this session, greater than that of every earlier one.
        archive: where products go.
        config: bounds.
    """

    def __init__(
        self, epoch: int, archive: ArchiveLike, config: ReceiverConfig | None = None
    ) -> None:
        self._epoch = epoch
        self._archive = archive
        self._config = config or ReceiverConfig()
        self._histories: dict[int, FrameHistory] = {}
        self._partials: OrderedDict[int, _Partial] = OrderedDict()
        self._partial_bytes = 0
        self._unconfirmed: dict[int, None] = {}
        self._answers: list[bytes] = []
        self.counters = ReceiverCounters()

    @property
    def partial_products(self) -> int:
        """Products of which some bytes are held."""
        return len(self._partials)

    def on_packets(
        self, frame_no: int, vcid: int, packets: Sequence[PacketLike], t_ns: int
    ) -> None:
        """One good frame and the packets in it, in order.

        Only packets of the product service are looked at; the others belong to other receivers.
        """
        self.counters.frames += 1
        if not self._history(vcid).arrived(frame_no):
            self.counters.frames_repeated += 1
        for packet in packets:
            try:
                self._on_packet(packet, t_ns)
            except WireError:
                self.counters.bad_packets += 1

    def make_report(self, max_bytes: int, t_ns: int, vcid: int = 2) -> bytes:
        """The next report about a channel, at most `max_bytes` (>= 64), as packet data."""
        del t_ns  # a report is true when it is made; the packet around it carries the time
        self.counters.reports += 1
        return self._history(vcid).report(self._epoch, tuple(self._unconfirmed), max_bytes)

    def take_answers(self) -> list[bytes]:
        """Reconcile answers that have not been sent yet, as packet data."""
        answers, self._answers = self._answers, []
        return answers

    def reconcile_answer(self, request: bytes) -> bytes:
        """The answer to one request.

        Raises:
            WireError: the bytes are no request.
        """
        items = tuple(self._answer_about(asked) for asked in decode_request(request))
        self.counters.requests += 1
        return encode_answer(ReconcileAnswer(self._epoch, items))

    def _history(self, vcid: int) -> FrameHistory:
        history = self._histories.get(vcid)
        if history is None:
            history = self._histories[vcid] = FrameHistory(vcid, self._config.depth_frames)
        return history

    def _on_packet(self, packet: PacketLike, t_ns: int) -> None:
        if packet.apid == Apid.PRODUCT_SEGMENT:
            self._on_segment(decode_segment(packet.data), t_ns)
        elif packet.apid == Apid.PRODUCT_MANIFEST:
            content = decode_manifest_packet(packet.data)
            if isinstance(content, Manifest):
                self._on_manifest(content, t_ns)
            elif isinstance(content, Freed):
                self.counters.confirmations += len(content.product_ids)
                for product_id in content.product_ids:
                    self._unconfirmed.pop(product_id, None)
            else:
                for product_id in content.product_ids:
                    self.counters.partials_withdrawn += self._forget(product_id)
        elif packet.apid == Apid.RECONCILE_REQUEST:
            self._answers.append(self.reconcile_answer(packet.data))

    def _on_segment(self, segment: SegmentData, t_ns: int) -> None:
        counters, length = self.counters, len(segment.data)
        counters.segments += 1
        counters.segment_bytes += length
        product_id = segment.product_id
        if self._archive.digest(product_id) is not None:
            counters.segments_of_finished += 1
            counters.duplicate_bytes += length
            return
        partial = self._partial(product_id, segment.total_bytes)
        if partial is None:
            counters.segments_inconsistent += 1
            return
        end = segment.offset + length
        counters.duplicate_bytes += length - partial.held.add(segment.offset, end)
        partial.buffer[segment.offset : end] = segment.data
        self._finish(product_id, partial, t_ns)

    def _on_manifest(self, manifest: Manifest, t_ns: int) -> None:
        self.counters.manifests += 1
        product_id = manifest.product_id
        if self._archive.digest(product_id) is not None:
            return
        partial = self._partial(product_id, manifest.size_bytes)
        if partial is None or partial.manifest not in {None, manifest}:
            self.counters.manifests_inconsistent += 1
            return
        partial.manifest = manifest
        self._finish(product_id, partial, t_ns)

    def _partial(self, product_id: int, total_bytes: int) -> _Partial | None:
        """The unfinished product, made when new; None when its size contradicts what is known."""
        partial = self._partials.get(product_id)
        if partial is not None:
            return partial if len(partial.buffer) == total_bytes else None
        config = self._config
        if total_bytes > config.partial_bytes_max:
            return None
        while self._partials and (
            len(self._partials) >= config.partials_max
            or self._partial_bytes + total_bytes > config.partial_bytes_max
        ):
            oldest = next(iter(self._partials))
            self.counters.partials_evicted += self._forget(oldest)
        partial = self._partials[product_id] = _Partial(total_bytes)
        self._partial_bytes += total_bytes
        return partial

    def _forget(self, product_id: int) -> bool:
        partial = self._partials.pop(product_id, None)
        if partial is None:
            return False
        self._partial_bytes -= len(partial.buffer)
        return True

    def _finish(self, product_id: int, partial: _Partial, t_ns: int) -> None:
        manifest = partial.manifest
        if manifest is None or partial.held.size < len(partial.buffer):
            return
        payload = bytes(partial.buffer)
        if crc32c(payload) != manifest.crc32c:
            self.counters.digest_failures += 1
            self._forget(product_id)  # the node asks when no completion comes, and sends it again
            return
        try:
            filed = self._archive.file(manifest, payload, t_ns)
        except OSError:
            self.counters.archive_errors += 1  # not kept, so not reported: asked about later
            self._forget(product_id)
            return
        self._forget(product_id)
        if filed is Filed.DUPLICATE:
            self.counters.duplicate_deliveries += 1
        else:
            self.counters.products += 1
            self.counters.product_bytes += len(payload)
        self._repeat_until_freed(product_id)

    def _repeat_until_freed(self, product_id: int) -> None:
        if len(self._unconfirmed) >= self._config.unconfirmed_max:
            del self._unconfirmed[next(iter(self._unconfirmed))]
            self.counters.unconfirmed_dropped += 1
        self._unconfirmed[product_id] = None

    def _answer_about(self, asked: Asked) -> Answered:
        product_id = asked.product_id
        digest = self._archive.digest(product_id)
        if digest is not None:
            if digest == asked.crc32c:
                return Answered(product_id, Held.COMPLETE)
            self.counters.identities_reused += 1
            return Answered(product_id, Held.UNKNOWN)
        partial = self._partials.get(product_id)
        if partial is None:
            return Answered(product_id, Held.UNKNOWN)
        manifest = partial.manifest
        if len(partial.buffer) != asked.size_bytes or (
            manifest is not None and manifest.crc32c != asked.crc32c
        ):
            self.counters.partials_superseded += self._forget(product_id)
            return Answered(product_id, Held.UNKNOWN)
        ranges = tuple(partial.held)
        if manifest is None and ranges and ranges[0][0] == 0:
            # The start came without its manifest: let it come again, and the manifest with it.
            ranges = ((1, ranges[0][1]), *ranges[1:]) if ranges[0][1] > 1 else ranges[1:]
        return Answered(product_id, Held.PARTIAL, ranges)
