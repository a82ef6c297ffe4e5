"""How fast frames are sealed and opened, and what one costs the whole stack, against its limits.

    python benchmarks/wire.py [PART ...]        parts: frames, stack, repair

Processor time of one core, best of several repeats, so that other work on the machine counts for
little; bare AES-GCM encrypts the very payloads of the frames in the same run. Exit code 1 when a
limit is not kept: 2.5 Gbit/s is 313 MB/s framed, encrypted and checked.
"""

import math
import os
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from spacepackets.uslp.frame import (
    TfdzConstructionRules,
    TransferFrame,
    TransferFrameDataField,
    UslpProtocolIdentifier,
)
from spacepackets.uslp.header import PrimaryHeader, SourceOrDestField

# The folder of this file holds programs named like packages of the product.
ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from flight.downlink.downlink_service import DownlinkService  # noqa: E402
from flight.keys import Half, derive_from_seed  # noqa: E402
from flight.wire.channel_coding import CODED_FRAME_BYTES, ChannelCoder  # noqa: E402
from flight.wire.counter_reserve import CounterReserve  # noqa: E402
from flight.wire.crc import crc16_ccitt, crc32c  # noqa: E402
from flight.wire.product_packet import ProductClass  # noqa: E402
from flight.wire.secure_link import SecureLink  # noqa: E402
from flight.wire.space_packet import Apid, encode  # noqa: E402
from flight.wire.transfer_frame import VirtualChannel  # noqa: E402
from hal.native_library import ffi, lib  # noqa: E402
from hil.scenario import load_scenario  # noqa: E402
from hil.sim_target import SimTarget  # noqa: E402

BATCH = 64
SIZES = (2_048, 8_192, 32_768)
SEALED_MB_S_LEAST = 313.0
SHARE_OF_CIPHER = 0.8
FILLED_S = 60
WAITING_BYTES = 8_000_000
"""Offered to the store before a commit."""
REPAIR_SOURCES, REPAIR_SUMS = 128, 26
REPAIR_SEEDS = (3, 4)
REPAIR_SHARES = (0.0, 0.1, 0.2)
OFFERED = "bench-"
NOISE = 0.01
"""Which frames are lost depends on how many were sent before: so much either way is chance, and so
is which products are cut by the end of a contact: as many as the root of how many are."""
FAST, SLOW = {"rate_bps": 100e6}, {"rate_bps": 2.44e6}
NO_UPLINK = {"report_loss": 1.0}
REPAIR_CASES = (
    ("no uplink, 500 kB, line not full", 240, 500_000, 1.0, FAST | NO_UPLINK),
    ("no uplink, 60 kB, line full", 2_000, 60_000, 1.0, SLOW | NO_UPLINK),
    ("no uplink, 500 kB, line full", 240, 500_000, 1.0, SLOW | NO_UPLINK),
    ("a report every 30 s, 500 kB, line full", 240, 500_000, 60.0,
     SLOW | {"report_loss": 0.0, "report_period_s": 30.0}),
    ("a report every 10 s, 500 kB, line full", 240, 500_000, 60.0,
     SLOW | {"report_loss": 0.0, "report_period_s": 10.0}),
    ("every 0.2 s, 1 of 10 comes, 60 kB, full", 2_000, 60_000, 10.0, SLOW | {"report_loss": 0.9}),
    ("every 0.2 s, 9 of 10 come, 60 kB, full", 2_000, 60_000, 10.0, SLOW | {"report_loss": 0.1}),
)  # fmt: skip


def best_s(step, repeats=40):
    """Least processor time of one call."""
    least = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        step()
        least = min(least, time.process_time() - started)
    return least


def link(half, size):
    keys = derive_from_seed(1)
    counters = CounterReserve(lambda: 0, lambda _highest: None, block=1 << 40)
    return SecureLink(
        scid=1, sends=keys.sends(half), receives=[keys.receives(half)], counters=counters,
        frame_bytes_max=size,
    )  # fmt: skip


def spacepackets_frames(payloads):
    """The same payloads in frames of another author's codec, with neither cipher nor MAC."""
    for count, payload in enumerate(payloads):
        header = PrimaryHeader(
            scid=1, map_id=0, vcid=2, src_dest=SourceOrDestField.SOURCE, frame_len=0,
            vcf_count_len=6, vcf_count=count,
        )  # fmt: skip
        field = TransferFrameDataField(
            TfdzConstructionRules.VpNoSegmentation,
            UslpProtocolIdentifier.SPACE_PACKETS_ENCAPSULATION_PACKETS,
            payload,
        )
        frame = TransferFrame(header, field)
        frame.set_frame_len_in_header()
        frame.pack()


def speeds(size):
    """MB/s of frames of one size, by what is done to them."""
    node, ground = link(Half.NODE, size), link(Half.GROUND, size)
    room = node.packets_bytes_max - len(encode(Apid.PRODUCT_SEGMENT, 0, b"", time_ns=0))
    groups = [[encode(Apid.PRODUCT_SEGMENT, i, os.urandom(room), time_ns=i)] for i in range(BATCH)]
    payloads = [group[0] for group in groups]
    cipher, iv, clear = AESGCM(bytes(32)), bytes(12), bytes(28)
    into = bytearray(size)
    opened = iter([bytes(s.frame) for _ in range(45) for s in node.seal_batch(2, groups)])
    steps = {
        "sealed": lambda: node.seal_batch(VirtualChannel.PRODUCTS, groups),
        "opened": lambda: for_each(range(BATCH), lambda _: ground.open(next(opened))),
        "AES-256-GCM": lambda: for_each(payloads, lambda each: cipher.encrypt(iv, each, clear)),
        "CRC-16": lambda: for_each(payloads, crc16_ccitt),
        "CRC-32C": lambda: for_each(payloads, crc32c),
        "memcpy": lambda: for_each(payloads, lambda each: ffi.memmove(into, each, len(each))),
        "spacepackets": lambda: spacepackets_frames(payloads),
    }
    return {what: BATCH * size / best_s(step) / 1e6 for what, step in steps.items()}


def coded_speed():
    """Marker, randomiser and check symbols around frames that are sealed already."""
    coder = ChannelCoder()
    frames = [os.urandom(CODED_FRAME_BYTES) for _ in range(BATCH)]
    return BATCH * CODED_FRAME_BYTES / best_s(lambda: for_each(frames, coder.encode)) / 1e6


def for_each(payloads, step):
    """What comes out is let go at once, as in flight."""
    for each in payloads:
        step(each)


def frames_part():
    """Rows of the table, and whether the limits are kept."""
    table = {size: speeds(size) for size in SIZES}
    print(f"MB/s of one core, batches of {BATCH}")
    print(f"  {'':<14}" + "".join(f"{size:>10,} B" for size in SIZES))
    for what in table[SIZES[0]]:
        print(f"  {what:<14}" + "".join(f"{table[size][what]:>12,.0f}" for size in SIZES))
    shares = {size: table[size]["sealed"] / table[size]["AES-256-GCM"] for size in SIZES}
    print("  of AES-256-GCM" + "".join(f"{shares[size]:>12.2f}" for size in SIZES))
    print(f"  {'coded with RS(255,223)':<24}{coded_speed():>12,.0f} MB/s of frames of 1,784 B")
    fast = all(table[size]["sealed"] >= SEALED_MB_S_LEAST for size in SIZES)
    print(f"  least {SEALED_MB_S_LEAST:.0f} MB/s: {'kept' if fast else 'NOT KEPT'}")
    reached = shares[32_768] >= SHARE_OF_CIPHER
    print(
        f"  stretch, {SHARE_OF_CIPHER} of the cipher at 32 kB: {'' if reached else 'not '}reached"
    )
    return fast


class TurnClock:
    """Processor time inside the contact loop: uplink to queue, store, frames and terminal."""

    def __init__(self):
        self.spent_s = 0.0

    def around(self, turn):
        def timed(service, now_ns):
            started = time.process_time()
            try:
                return turn(service, now_ns)
            finally:
                self.spent_s += time.process_time() - started

        return timed


def fly_pass(products, product_bytes, *, seed=3, ground=None, **link):
    """One pass over Calern with a full store, flown whole: the target, and what came of the store.

    Args:
        ground: changes of its section; without any the line carries 100 Mbit/s.
        link: changes of the node's section.
    """
    scenario = load_scenario(str(ROOT / "tests" / "scenarios" / "calern-pass.toml"))
    replace = msgspec.structs.replace
    node = replace(scenario.node, link=replace(scenario.node.link, **link))
    ground = replace(scenario.ground, **(ground or {}))
    with tempfile.TemporaryDirectory() as folder:
        target = SimTarget(replace(scenario, seed=seed, node=node, ground=ground), Path(folder))
        target.start()
        target.advance(FILLED_S)
        fill(target.node._downlink.intake, products, product_bytes)  # noqa: SLF001
        target.advance(target.scenario.duration_s)
        target.finish()
        whole = len(list(Path(folder, "products").glob(f"{OFFERED}*.json")))
    return target, whole


def stack_part():
    """A pass on target `sim`; what a frame costs the flight software."""
    clock, turn = TurnClock(), DownlinkService._turn  # noqa: SLF001
    DownlinkService._turn = clock.around(turn)  # noqa: SLF001
    try:
        target, _ = fly_pass(2_000, 65_536)
    finally:
        DownlinkService._turn = turn  # noqa: SLF001
    sent = sum(log.frames_sent for log in target.world.link.logs)
    size = target.scenario.node.link.frame_bytes
    cost_us = 1e6 * clock.spent_s / max(sent, 1)
    print(f"full stack in sim: {cost_us:.1f} us of processor a frame of {size:,} B")
    print(f"  {sent:,} frames; reports, store and idle turns of the contact loop included")
    return sent > 0


def fill(intake, products, product_bytes):
    now_ns = FILLED_S * 10**9
    for number in range(products):
        taken = intake.submit(
            name=f"{OFFERED}{number}.bin", klass=ProductClass.RAW,
            payload=os.urandom(product_bytes), value_millis=1_000, deadline_ns=None, now_ns=now_ns,
        )  # fmt: skip
        assert taken, "the store takes what the benchmark offers"
        if number % max(WAITING_BYTES // product_bytes, 1) == 0:
            intake.finish(now_ns)
    intake.finish(now_ns)


def summed_speed(size):
    """MB/s of frames that are summed up into a fifth as many repair symbols."""
    sums = bytearray(REPAIR_SUMS * size)
    c_sums = ffi.from_buffer(sums, require_writable=True)
    frame = os.urandom(size)

    def block():
        for source in range(REPAIR_SOURCES):
            lib.erasure_add(c_sums, size, REPAIR_SUMS, source, frame, size)

    return REPAIR_SOURCES * size / best_s(block, 20) / 1e6


def repair_part():
    """What passes deliver with repair symbols and without, where no report comes in time."""
    rates = ", ".join(f"{summed_speed(size):,.0f} at {size:,} B" for size in SIZES)
    print(f"{REPAIR_SUMS} repair symbols for {REPAIR_SOURCES} frames, MB/s of frames: {rates}")
    print(f"products of {len(REPAIR_SEEDS)} passes (whole / left in pieces), by share of repair")
    never_worse = True
    for what, products, size, after_s, ground in REPAIR_CASES:
        row, least = [], 0.0
        for share in REPAIR_SHARES:
            link = {"repair": share, "repair_after_s": after_s}
            whole, pieces = flown_passes(products, size, ground, link)
            if share == 0.0:
                least = whole - max(NOISE * whole, math.sqrt(pieces))
            row.append(f"{share:4.0%} {whole:>6,} /{pieces:>5,}")
            if ground["report_loss"] < 1.0:
                never_worse = never_worse and whole >= least
        print(f"  {what:<42}" + "  ".join(row), flush=True)
    print(f"  where reports come, none lost beyond chance: {'kept' if never_worse else 'NOT KEPT'}")
    return never_worse


def flown_passes(products, size, ground, link):
    """Products that were offered and came whole, and what is left in pieces."""
    whole = pieces = 0
    for seed in REPAIR_SEEDS:
        target, came = fly_pass(
            products, size, seed=seed, ground=ground, window_frames=100_000, frame_bytes=4_096,
            **link,
        )  # fmt: skip
        whole += came
        pieces += target.world.ground.receiver.partial_products
    return whole, pieces


PARTS = {"frames": frames_part, "stack": stack_part, "repair": repair_part}


def main():
    """Print the parts named, or all of them."""
    unknown = [name for name in sys.argv[1:] if name not in PARTS]
    if unknown:
        sys.exit(f"unknown part {unknown[0]!r}; allowed: {', '.join(PARTS)}")
    kept = [PARTS[name]() for name in (sys.argv[1:] or PARTS)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
