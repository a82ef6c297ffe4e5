"""Where no report comes in time repair symbols bring down what would have stayed in pieces."""

import random

from short_flight import SimTarget, assert_nothing_lost_or_doubled, scenario

from flight.wire.product_packet import ProductClass

FILLED_S = 60


def flown(folder, *, repair, products=400, product_bytes=60_000, after_s=1.0, **ground):
    """One pass over a line of 20 Mbit/s, a few hundred products to send."""
    link = {
        "repair": repair, "repair_after_s": after_s, "frame_bytes": 4_096, "window_frames": 100_000,
    }  # fmt: skip
    target = SimTarget(
        scenario("calern-pass", ground={"rate_bps": 20e6, **ground}, node={"link": link}), folder
    )
    target.start()
    target.advance(FILLED_S)
    luck = random.Random(4)
    for number in range(products):
        assert target.node._downlink.intake.submit(
            name=f"part-{number}.bin", klass=ProductClass.RAW,
            payload=luck.randbytes(product_bytes), value_millis=1_000, deadline_ns=None,
            now_ns=FILLED_S * 10**9,
        )  # fmt: skip
        if number % 20 == 19:
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


def test_at_the_end_of_a_pass_with_rare_reports_they_bring_down_what_would_wait_for_the_next(
    tmp_path,
):
    # A line that is full to the end, and a report every half a minute.
    busy = {"report_loss": 0.0, "report_period_s": 30.0, "rate_bps": 2.44e6, "products": 240}
    busy |= {"product_bytes": 500_000, "after_s": 60.0}
    plain = flown(tmp_path / "plain", repair=0.0, **busy)
    repaired = flown(tmp_path / "repaired", repair=0.2, **busy)
    assert repaired.receiver.counters.products > plain.receiver.counters.products
    assert repaired.receiver.partial_products < 0.75 * plain.receiver.partial_products
    assert repaired.repair.ledger.frames_made_good > 100
