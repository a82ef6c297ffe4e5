"""A pass in which no report comes: repair symbols bring down what would have stayed in pieces."""

import random

from short_flight import SimTarget, assert_nothing_lost_or_doubled, scenario

from flight.wire.product_packet import ProductClass

PRODUCTS, PRODUCT_BYTES, FILLED_S = 400, 60_000, 60


def flown(folder, *, repair, report_loss):
    """One pass over a line of 20 Mbit/s, a few hundred products to send."""
    target = SimTarget(
        scenario(
            "calern-pass",
            ground={"report_loss": report_loss, "rate_bps": 20e6},
            node={"link": {"repair": repair, "repair_after_s": 1.0, "frame_bytes": 4_096}},
        ),
        folder,
    )
    target.start()
    target.advance(FILLED_S)
    luck = random.Random(4)
    for number in range(PRODUCTS):
        assert target.node._downlink.intake.submit(
            name=f"part-{number}.bin", klass=ProductClass.RAW,
            payload=luck.randbytes(PRODUCT_BYTES), value_millis=1_000, deadline_ns=None,
            now_ns=FILLED_S * 10**9,
        )  # fmt: skip
        if number % 100 == 99:
            target.node._downlink.intake.finish(FILLED_S * 10**9)
    target.advance(target.scenario.duration_s)
    target.finish()
    assert_nothing_lost_or_doubled(target)
    return target.world.ground


def test_without_an_uplink_repair_symbols_bring_down_what_stays_in_pieces_without(tmp_path):
    plain = flown(tmp_path / "plain", repair=0.0, report_loss=1.0)
    repaired = flown(tmp_path / "repaired", repair=0.2, report_loss=1.0)
    pieces = plain.receiver.partial_products
    assert pieces > 20
    assert repaired.receiver.counters.products > plain.receiver.counters.products
    assert repaired.receiver.partial_products < pieces / 4
    assert repaired.repair.ledger.frames_made_good > pieces
    assert repaired.repair.ledger.inconsistent == 0


def test_where_half_the_reports_come_they_take_nothing_from_the_products(tmp_path):
    plain = flown(tmp_path / "plain", repair=0.0, report_loss=0.5)
    repaired = flown(tmp_path / "repaired", repair=0.2, report_loss=0.5)
    assert repaired.receiver.counters.products >= plain.receiver.counters.products
    assert repaired.repair.ledger.symbols < repaired.receiver.counters.frames / 100
