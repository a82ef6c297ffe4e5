"""Whatever may reach the antenna, by the million: noise, broken, replayed, forged, foreign frames.

Frames go to a whole node in flight, reports to the part of it that settles them. Each is refused
and counted under its cause, none raises, and afterwards the node is what it was: `state_hash`. The
frames that the broken ones were made of are accepted in the end, or they would have proved nothing.
"""

import random
from collections import Counter
from pathlib import Path

from short_flight import scenario
from state_hash import state_hash

from flight.keys import Half, derive_from_seed
from flight.telemetry.command_table import NoOp
from flight.wire.counter_reserve import CounterReserve
from flight.wire.crc import crc16_ccitt
from flight.wire.errors import WireError
from flight.wire.link_security import SecurityVerdict
from flight.wire.reconcile import decode_answer
from flight.wire.report import Report, decode, encode
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import Apid, SpacePacket
from flight.wire.space_packet import encode as encode_packet
from flight.wire.telecommand import Telecommand, encode_telecommand
from flight.wire.transfer_frame import VirtualChannel
from hil.sim_target import SimTarget

POOL = 32
HEADER_BYTES = 28
"""Of a frame, where a changed bit is worth more."""


class Flown:
    """A node in the middle of a contact, with products under way, and frames of its ground."""

    def __init__(self, folder):
        self.target = SimTarget(scenario("slow-relay"), Path(folder))
        self.target.start()
        self.target.advance(100.0)
        self.node, self.ground = self.target.node, self.target.world.ground
        self.uplink, self.downlink = self.node.uplink, self.node._downlink
        self.settlement = self.downlink.settlement
        self.believed = self.downlink.arq.counters.reports
        self.frames_max = self.ground.link._link.frame_bytes_max
        self.old = self._genuine(0)
        for frame in self.old:
            assert self.uplink.take_frame(frame, 0) is SecurityVerdict.OK
        self.fresh = self._genuine(POOL)

    def _genuine(self, number):
        """Commands, each in a frame of the ground's own."""
        return [self.ground.link.frames_for([self._command(number + i)])[0] for i in range(POOL)]

    @staticmethod
    def _command(number):
        data = encode_telecommand(Telecommand(7_000_000 + number, NoOp()))
        return encode_packet(Apid.TELECOMMAND, number, data, time_ns=0, telecommand=True)

    def state(self):
        digest, covered = state_hash(self.uplink._dispatcher, self.downlink)
        assert covered > 150, "the walk has lost its way"
        return digest


class HostileFrames:
    """Frames that a node must refuse, one by one, from a seed."""

    def __init__(self, flown, seed):
        self._luck = random.Random(seed)
        self._old, self._fresh = flown.old, flown.fresh
        self._good = frozenset(flown.fresh)
        self._longest = flown.frames_max
        config = flown.target.scenario.node.link
        foreign, keys = derive_from_seed(987), derive_from_seed(flown.target.scenario.seed)
        command = flown._command(1)
        self._foreign = [
            _sealed(foreign.sends(Half.GROUND), foreign.receives(Half.GROUND), config, command, 0),
            _sealed(keys.sends(Half.GROUND), keys.receives(Half.GROUND), config, command, 1),
            _sealed(keys.sends(Half.NODE), keys.receives(Half.NODE), config, command, 0),
        ]
        self._kinds = (
            self.noise, self.noise, self.replayed, self.foreign, self.flipped, self.cut,
            self.longer, self.forged, self.forged, self.forged, self.spliced, self.header_noise,
        )  # fmt: skip

    def __next__(self):
        """What was done to it, and the frame."""
        while True:
            kind = self._kinds[self._luck.getrandbits(16) % len(self._kinds)]
            frame = kind()
            if frame not in self._good:  # two alike spliced in their common part are one of them
                return kind.__name__, frame

    def noise(self):
        luck = self._luck
        most = (16, 64, 512, self._longest, self._longest + 64)[luck.getrandbits(8) % 5]
        return luck.randbytes(luck.getrandbits(20) % (most + 1))

    def replayed(self):
        return self._of(self._old)

    def foreign(self):
        return self._of(self._foreign)

    def flipped(self):
        """As the channel does it."""
        return bytes(self._flip(bytearray(self._of(self._fresh))))

    def cut(self):
        frame = self._of(self._fresh)
        return frame[: self._luck.getrandbits(16) % len(frame)]

    def longer(self):
        return self._of(self._fresh) + self._luck.randbytes(1 + self._luck.getrandbits(6))

    def forged(self):
        """As a forger does it: the check octets are right again."""
        return _checked(self._flip(bytearray(self._of(self._fresh))[:-2]))

    def spliced(self):
        """The head of one with the body of another."""
        at = 1 + self._luck.getrandbits(16) % (len(self._fresh[0]) - 3)
        one, other = self._luck.sample(self._fresh, 2)
        return _checked(bytearray(one[:at] + other[at:-2]))

    def header_noise(self):
        frame = bytearray(self._of(self._fresh)[:-2])
        at = self._luck.getrandbits(16) % HEADER_BYTES
        frame[at] ^= 1 + self._luck.getrandbits(16) % 255
        return _checked(frame)

    def _of(self, frames):
        return frames[self._luck.getrandbits(16) % len(frames)]

    def _flip(self, frame):
        luck = self._luck
        flipped = set()
        for _ in range(1 + luck.getrandbits(3)):
            span = HEADER_BYTES if luck.getrandbits(1) else len(frame)
            flipped.add(luck.getrandbits(24) % (8 * span))
        for bit in flipped:
            frame[bit >> 3] ^= 1 << (bit & 7)
        return frame


def _sealed(sends, receives, config, packet, other_scid):
    link = SecureLink(
        scid=config.spacecraft_id ^ other_scid, sends=sends, receives=[receives],
        counters=CounterReserve(lambda: 1 << 30, lambda _: None),
        frame_bytes_max=config.frame_bytes,
    )  # fmt: skip
    vcid = VirtualChannel.UPLINK if sends.spi & 1 else VirtualChannel.TELEMETRY
    return link.seal(vcid, (packet,)).frame


def _checked(frame):
    return bytes(frame) + crc16_ccitt(bytes(frame)).to_bytes(2, "big")


def let_frames_at(flown, frames, seed):
    """Verdicts by what was done; the node is what it was, and its ledger agrees."""
    hostile, said = HostileFrames(flown, seed), Counter()
    ledger = flown.uplink._authenticator._link.ledger
    booked, before = dict(ledger.by_verdict), flown.state()
    for _ in range(frames):
        kind, frame = next(hostile)
        verdict = flown.uplink.take_frame(frame, 0)
        assert verdict is not SecurityVerdict.OK, (kind, frame.hex())
        said[kind, verdict] += 1
    by_verdict = Counter()
    for (_, verdict), count in said.items():
        by_verdict[verdict] += count
    grown = {verdict: ledger.by_verdict[verdict] - booked[verdict] for verdict in SecurityVerdict}
    assert {verdict: count for verdict, count in grown.items() if count} == by_verdict
    assert flown.state() == before
    for frame in flown.fresh:
        assert flown.uplink.take_frame(frame, 0) is SecurityVerdict.OK
    return said


class HostileReports:
    """Reports and answers of an authentic ground that must decide nothing, from a seed."""

    def __init__(self, flown, seed):
        self._luck = random.Random(seed)
        arq = flown.downlink.arq
        self._sent, self._epoch = arq._highest_sent, arq._gate.epoch
        self._seen = max(arq._gate._seen)
        self._kinds = (
            self.noise, self.cut, self.flipped, self.wrong_channel, self.impossible, self.of_before,
            self.told_twice,
        )  # fmt: skip

    def __next__(self):
        """What is wrong with it, the APID and the data; what by luck is a good report is none."""
        while True:
            kind = self._kinds[self._luck.getrandbits(16) % len(self._kinds)]
            data = kind()
            apid, read = Apid.REPORT, decode
            if kind == self.noise and self._luck.getrandbits(1):
                apid, read = Apid.RECONCILE_ANSWER, decode_answer
            if kind not in (self.noise, self.cut, self.flipped) or not self._good(read, data):
                return kind.__name__, apid, data

    @staticmethod
    def _good(read, data):
        try:
            read(data)
        except WireError:
            return False
        return True

    def _report(self, **changes):
        luck = self._luck
        ranges, above = [], self._sent
        while above > 4 and len(ranges) < 20:
            low = above - luck.getrandbits(2)
            ranges.append((low, above))
            above = low - 2 - luck.getrandbits(2)
        fields = {
            "epoch": self._epoch, "seq": self._seen + 1, "vcid": 2, "horizon": self._sent,
            "floor": 1, "ranges": tuple(r for r in ranges if r[0] >= 1),
            "completed": tuple(luck.getrandbits(5) for _ in range(luck.getrandbits(2))),
        }  # fmt: skip
        return encode(Report(**{**fields, **changes}))

    def noise(self):
        return self._luck.randbytes(self._luck.getrandbits(16) % 1_200)

    def cut(self):
        data = self._report()
        return data[: self._luck.getrandbits(16) % len(data)]

    def flipped(self):
        data = bytearray(self._report())
        for _ in range(1 + self._luck.getrandbits(2)):
            data[self._luck.getrandbits(16) % len(data)] ^= 1 << self._luck.getrandbits(3)
        return bytes(data)

    def wrong_channel(self):
        return self._report(vcid=(3, 1, 0, 63)[self._luck.getrandbits(2)])

    def impossible(self):
        high = self._sent + 1 + self._luck.getrandbits(12)
        return self._report(horizon=high, ranges=((high, high),))

    def of_before(self):
        return self._report(epoch=self._luck.getrandbits(16) % self._epoch)

    def told_twice(self):
        return self._report(seq=self._seen)


def let_reports_at(flown, reports, seed):
    """What was wrong, counted; nothing was decided, and every one of them is in a counter."""
    hostile, said = HostileReports(flown, seed), Counter()
    counts, arq = flown.settlement.counts, flown.downlink.arq.counters
    before = flown.state(), (counts.reports, counts.refused), _told(arq)
    for _ in range(reports):
        kind, apid, data = next(hostile)
        said[kind] += 1
        flown.settlement.take(
            SpacePacket(apid=apid, seq_count=0, time_ns=0, telecommand=True, data=data), 0
        )
    assert flown.state() == before[0]
    read, refused = counts.reports - before[1][0], counts.refused - before[1][1]
    disbelieved = {name: after - before[2][name] for name, after in _told(arq).items()}
    assert read + refused == reports
    assert read == sum(disbelieved.values())
    assert disbelieved["reports_wrong_channel"] == said["wrong_channel"]
    assert disbelieved["reports_impossible"] == said["impossible"]
    assert disbelieved["reports_stale"] == said["of_before"]
    assert disbelieved["reports_duplicate"] == said["told_twice"]
    assert arq.reports == flown.believed
    return said


def _told(arq):
    names = ("wrong_channel", "impossible", "stale", "duplicate")
    return {f"reports_{name}": getattr(arq, f"reports_{name}") for name in names}
