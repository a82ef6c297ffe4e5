"""Alarms in the middle of a large product on a fast line: what goes before each of them, and when.

All times are those of the line; nothing here depends on how fast the machine is.
"""

import random

from short_flight import SimTarget, scenario

from flight.downlink.downlink_service import DownlinkService
from flight.downlink.frame_filler import FrameFiller
from flight.wire.product_packet import ProductClass
from hil.link_bench import LinkBench

S = 1_000_000_000
FRAME_BYTES, RATE_BPS = 32_768, 200e6
FRAME_NS = round(FRAME_BYTES * 8 * S / RATE_BPS)
SPACING_S = 0.02


class Witness:
    """Sees frames filled, given to the modem, and on the line.

    Attributes:
        alarms: by identity, when it was made.
        waits_ns: of each alarm, from its making to its first bit on the line.
        before: of each alarm, product frames given to the modem between.
        depth_most: most frames that ever lay in the modem.
    """

    def __init__(self, patch):
        self.alarms, self.waits_ns, self.before = {}, {}, {}
        self.depth_most = self._depth = 0
        self._filled, self._carries, self._given = [], {}, []
        inner_fill, inner_submit = FrameFiller.fill, DownlinkService._submit
        inner_carry = LinkBench._carry_down

        def fill(filler, now_ns):
            content = inner_fill(filler, now_ns)
            if content is not None:
                products = {segment.product_id for segment in content.segments}
                self._filled.append((now_ns, products))
            return content

        def submit(service, frame):
            if self._filled:
                now_ns, products = self._filled.pop(0)
                self._carries[bytes(frame)] = products
                self._note_given(now_ns, products)
            self._depth += 1
            self.depth_most = max(self.depth_most, self._depth)
            inner_submit(service, frame)

        def carry(bench, contact, frame, start_ns, end_ns):
            self._depth -= 1
            for product in self._carries.pop(bytes(frame), ()):
                if product in self.alarms:
                    self.waits_ns.setdefault(product, start_ns - self.alarms[product])
            inner_carry(bench, contact, frame, start_ns, end_ns)

        patch.setattr(FrameFiller, "fill", fill)
        patch.setattr(DownlinkService, "_submit", submit)
        patch.setattr(LinkBench, "_carry_down", carry)

    def _note_given(self, now_ns, products):
        for product in products & self.alarms.keys() - self.before.keys():
            made_ns = self.alarms[product]
            self.before[product] = sum(1 for at_ns in self._given if at_ns > made_ns)
        self._given.append(now_ns)


def fly_alarms(folder, patch, alarms):
    """The target and its witness after so many alarms, made at odd instants."""
    witness = Witness(patch)
    target = SimTarget(
        scenario(
            "calern-pass",
            ground={"rate_bps": RATE_BPS},
            node={"link": {"frame_bytes": FRAME_BYTES, "window_frames": 65_536}},
        ),
        folder,
    )
    target.start()
    large_s = 1.5 * alarms * SPACING_S + 1.2
    luck = random.Random(11)
    target.advance(30.0)
    intake = target.node._downlink.intake

    def submit(name, klass, payload, now_ns):
        assert intake.submit(
            name=name, klass=klass, payload=payload, value_millis=10**12, deadline_ns=None,
            now_ns=now_ns,
        )  # fmt: skip

    submit("large.bin", ProductClass.RAW, luck.randbytes(round(RATE_BPS / 8 * large_s)), 30 * S)
    while not target.value("link.frames_sent") > 100:
        target.advance(target.now_s + 1.0)
    for number in range(alarms):
        target.advance(target.now_s + SPACING_S * (0.5 + luck.random()))
        now_ns = round(target.now_s * S)
        submit(f"alarm-{number}.bin", ProductClass.EMERGENCY, luck.randbytes(500), now_ns)
        witness.alarms[max(intake._queue._entries)] = now_ns
    at_end = target.node._downlink.queue
    large_left = any(each.product.klass is ProductClass.RAW for each in at_end._entries.values())
    target.advance(target.now_s + 1.0)
    target.finish()
    return target, witness, large_left
