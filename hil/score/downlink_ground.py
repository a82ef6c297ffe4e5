"""The ground of a scored case: frames by number, products by byte range, reports of bounded size.

The same histories and codecs as the bench's ground (`hil/ground`), without the bytes of the
products: a case's day is tens of gigabytes, and only their ranges matter.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from flight.wire.ranges import RangeSet
from flight.wire.reconcile import Answered, Held, ReconcileAnswer, decode_request, encode_answer
from hil.ground.frame_history import FrameHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.downlink.product import Segment

EPOCH = 1
DEPTH_FRAMES = 131_072
TOLD_TIMES = 64
"""Reports that speak of each frame: with nine of ten lost, one frame in a thousand stays untold.
Where few frames are lost, reports stay short, and the uplink is thin."""


class LedgerGround:
    """What the ground holds.

    Args:
        vcid: channel of the products.
        sizes: bytes of each product by identity.
    """

    def __init__(self, vcid: int, sizes: dict[int, int]) -> None:
        self._history = FrameHistory(vcid, DEPTH_FRAMES, TOLD_TIMES)
        self._sizes = sizes
        self._held: dict[int, RangeSet] = {}
        self._complete: set[int] = set()
        self._unconfirmed: dict[int, None] = {}
        self._answers: deque[bytes] = deque()

    def arrived(
        self,
        frame_no: int,
        segments: Sequence[Segment],
        freed: Sequence[int] = (),
        request: bytes = b"",
    ) -> None:
        """One good frame."""
        self._history.arrived(frame_no)
        for product_id in freed:
            self._unconfirmed.pop(product_id, None)
        for segment in segments:
            product_id = segment.product_id
            if product_id in self._complete:
                continue
            held = self._held.get(product_id)
            if held is None:
                held = self._held[product_id] = RangeSet()
            held.add(segment.offset, segment.offset + segment.length)
            if held.size == self._sizes[product_id]:
                self._complete.add(product_id)
                del self._held[product_id]
                self._unconfirmed[product_id] = None
        if request:
            self._answers.append(self._answer(request))

    def report(self, max_bytes: int) -> tuple[bytes, bytes | None]:
        """The report at this moment, and one reconcile answer if there is one waiting."""
        answer = self._answers.popleft() if self._answers else None
        room = max_bytes if answer is None else max(64, max_bytes - len(answer))
        return self._history.report(EPOCH, tuple(self._unconfirmed), room), answer

    def _answer(self, request: bytes) -> bytes:
        items = []
        for asked in decode_request(request):
            product_id = asked.product_id
            if product_id in self._complete:
                items.append(Answered(product_id, Held.COMPLETE))
            elif product_id in self._held:
                items.append(Answered(product_id, Held.PARTIAL, tuple(self._held[product_id])))
            else:
                items.append(Answered(product_id, Held.UNKNOWN))
        return encode_answer(ReconcileAnswer(EPOCH, tuple(items)))
