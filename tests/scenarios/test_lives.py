"""What `lumenode product` tells of a product: its whole life, over lost frames and resets."""

import random

import pytest
from short_flight import SimTarget, scenario

from flight.wire.product_packet import ProductClass
from flight.wire.ranges import RangeSet
from hil.product_life import read_life

S, FILLED_S, SIZE, RESETS_S = 1_000_000_000, 60, 2_000_000, (200.0, 260.0)


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    """One pass that is too short for a few large products, with two resets in the middle of it."""
    folder = tmp_path_factory.mktemp("lives")
    target = SimTarget(
        scenario(
            "calern-pass",
            ground={"rate_bps": 300e3},
            timeline=[{"at_s": at_s, "action": "reset"} for at_s in RESETS_S],
        ),
        folder,
    )
    target.start()
    target.advance(FILLED_S)
    luck = random.Random(5)
    for number in range(6):
        assert target.node._downlink.intake.submit(
            name=f"large-{number}.bin", klass=ProductClass.RAW, payload=luck.randbytes(SIZE),
            value_millis=900_000 - number, deadline_ns=None, now_ns=FILLED_S * S,
        )  # fmt: skip
    target.node._downlink.intake.finish(FILLED_S * S)
    target.advance(target.scenario.duration_s)
    target.finish()
    lives = {}
    for product_id in target.world.ledger._made:
        life = read_life(folder, product_id)
        if (life["name"] or "").startswith("large-"):
            lives[life["name"]] = life
    return target, lives


def whole(book, deed):
    held = RangeSet()
    for line in book:
        if line["deed"] == deed:
            held.add(*line["bytes"])
    return held.size


def test_a_product_that_came_down_over_resets_is_told_from_its_making_to_the_end(flown):
    target, lives = flown
    resets = [RESETS_S[i] for i in range(2)]
    told = 0
    for life in lives.values():
        book = life["book"]
        deeds = [line["deed"] for line in book]
        if "FREED" not in deeds:
            continue
        assert deeds[0] == "MADE"
        assert deeds[-2:] == ["VERIFIED", "FREED"]
        assert [line["t_s"] for line in book] == sorted(line["t_s"] for line in book)
        assert whole(book, "SENT") <= SIZE
        if all(line["deed"] != "STARTED" for line in book):
            assert whole(book, "SENT") == whole(book, "REPORTED") == SIZE
            continue
        started = [line["t_s"] for line in book if line["deed"] == "STARTED"]
        assert all(any(reset < at < reset + 20.0 for reset in resets) for at in started)
        assert "ASKED" in deeds[deeds.index("STARTED") :]
        assert "HELD" in deeds[deeds.index("STARTED") :]
        told += 1
    assert told
    assert target.world.ledger.freed_but_missing(target.world.archive) == 0


def test_frames_that_were_lost_are_told_as_lost_and_sent_again(flown):
    _, lives = flown
    books = [life["book"] for life in lives.values()]
    lost = sum(line["deed"] == "LOST" for book in books for line in book)
    assert lost > 5
    for book in books:
        for at, line in enumerate(book):
            if line["deed"] == "LOST" and book[-1]["deed"] == "FREED":
                start, end = line["bytes"]
                again = RangeSet()
                for later in book[at:]:
                    if later["deed"] in {"SENT", "HELD"}:
                        first, last = later["bytes"]
                        again.add(max(first, start), max(min(last, end), first, start))
                assert again.size == end - start or "STARTED" in {x["deed"] for x in book[at:]}


def test_a_product_that_waits_on_board_is_told_as_far_as_it_came(flown):
    _, lives = flown
    waiting = [life for life in lives.values() if life["book"][-1]["deed"] != "FREED"]
    assert waiting
    for life in waiting:
        assert life["book"][0]["deed"] == "MADE"
        assert life["state"] in {"NEW", "SENDING"}
