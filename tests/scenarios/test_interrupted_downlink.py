"""A contact that ends in the middle of a product costs nothing but time."""

import random

import pytest
from short_flight import SimTarget, assert_nothing_lost_or_doubled, events, scenario

from flight.wire.product_packet import ProductClass
from flight.wire.ranges import RangeSet
from hil.product_life import read_life

S, SIZE = 1_000_000_000, 2_000_000
FILLED_S, ALARM_S, END_S = 30.0, 500.0, 900.0
CONTACT_S, STARTS_S = 220.0, (40.0, 640.0)  # as slow-relay has them


def submit(target, name, klass, payload, value_millis, at_s):
    now_ns = round(at_s * S)
    intake = target.node._downlink.intake
    assert intake.submit(
        name=name, klass=klass, payload=payload, value_millis=value_millis, deadline_ns=None,
        now_ns=now_ns,
    )  # fmt: skip
    intake.finish(now_ns)


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    """Two contacts, a product that is longer than the first, and an alarm between them."""
    folder = tmp_path_factory.mktemp("interrupted")
    target = SimTarget(
        scenario("slow-relay", ground={"relay_contact_s": CONTACT_S}, duration_s=END_S), folder
    )
    luck = random.Random(7)
    target.start()
    target.advance(FILLED_S)
    large = luck.randbytes(SIZE)
    submit(target, "large.bin", ProductClass.RAW, large, 900_000_000, FILLED_S)
    target.advance(ALARM_S)
    submit(target, "alarm.bin", ProductClass.EMERGENCY, luck.randbytes(2_000), 1_000, ALARM_S)
    target.advance(END_S)
    target.finish()
    lives = (read_life(folder, product_id) for product_id in target.world.ledger._made)
    return target, {life["name"]: life["book"] for life in lives}


def told(book, deed, start_s, end_s):
    """(time, range) of the lines of one deed between two times."""
    return [
        (line["t_s"], line["bytes"])
        for line in book
        if line["deed"] == deed and start_s <= line["t_s"] < end_s
    ]


def together(pieces):
    held = RangeSet()
    for _, (start, end) in pieces:
        held.add(start, end)
    return held


@pytest.mark.slow
def test_the_next_contact_sends_only_the_gaps_after_whatever_is_more_urgent(flown):
    target, books = flown
    large, (first_s, second_s) = books["large.bin"], STARTS_S
    held = together(told(large, "REPORTED", first_s, second_s))
    gaps = told(large, "SENT", second_s, END_S)
    assert 0 < held.size < SIZE, "the contact ended in the middle of it"
    assert together(gaps).size <= SIZE - held.size
    held_or_sent = together([*told(large, "REPORTED", first_s, second_s), *gaps])
    assert held_or_sent.size == held.size + together(gaps).size, "nothing the ground has"
    assert large[-1]["deed"] == "FREED"
    alarm_s = min(at_s for at_s, _ in told(books["alarm.bin"], "SENT", first_s, END_S))
    assert ALARM_S < alarm_s <= gaps[0][0]
    assert target.world.ground.receiver.counters.duplicate_bytes == 0
    assert len(events(target, "LINK_ACQUIRED")) == len(STARTS_S)
    assert_nothing_lost_or_doubled(target)
