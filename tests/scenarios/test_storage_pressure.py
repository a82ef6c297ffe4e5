"""Storage that runs out, flown without a contact: who makes products hears of it, in time."""

import random

import numpy as np
import pytest
from short_flight import SimTarget, events, scenario

from flight.telemetry.definitions import ThrottleReason
from flight.wire.product_packet import ProductClass
from hil.product_life import read_life

S, FILLED_S, UNTIL_S = 1_000_000_000, 30, 240.0
FILL_BYTES, FILL_PRODUCTS = 39_700, 22
STORE = {"cap_bytes": 1_000_000, "segment_bytes": 65_536}


def flown(folder, value_millis, **store):
    """A flight whose queue is filled early with products of this value, nine tenths and more."""
    target = SimTarget(
        scenario(
            "calern-pass",
            ground={"stations": ()},
            node={"store": STORE | store, "camera": {"cadence_s": 4.0}},
        ),
        folder,
    )
    target.start()
    target.advance(FILLED_S)
    luck = random.Random(7)
    intake = target.node._downlink.intake
    for number in range(FILL_PRODUCTS):
        assert intake.submit(
            name=f"fill-{number}.bin", klass=ProductClass.RAW, payload=luck.randbytes(FILL_BYTES),
            value_millis=value_millis, deadline_ns=None, now_ns=FILLED_S * S,
        )  # fmt: skip
    intake.finish(FILLED_S * S)
    target.advance(UNTIL_S)
    target.finish()
    return target


@pytest.fixture(scope="module")
def dear(tmp_path_factory):
    return flown(tmp_path_factory.mktemp("dear"), 10**9)


@pytest.fixture(scope="module")
def dull(tmp_path_factory):
    return flown(tmp_path_factory.mktemp("dull"), 1)


def columns(target, *names):
    return [target.world.recorder.column(name)[-1] for name in names]


def evicted(target):
    """Identity and reason of all that was given up."""
    return {e.args["product"]: e.args["reason"] for e in events(target, "PRODUCT_EVICTED")}


def most(target, name):
    return np.nanmax(target.world.recorder.column(name))


def fill_of(target):
    made = target.world.ledger._made
    return {product for product, booked in made.items() if booked.size_bytes == FILL_BYTES}


def test_a_queue_of_denser_products_makes_the_payload_rest_and_the_reason_is_told(dear):
    full, throttled = events(dear, "QUEUE_FULL"), events(dear, "THROTTLED")
    assert len(full) == 1
    assert "queue_full" in {event.args["reason"] for event in throttled}
    level, reason = columns(dear, "governor.level", "governor.throttle_reason")
    assert (level, reason) == (0, ThrottleReason.QUEUE_FULL)
    assert len(fill_of(dear)) == FILL_PRODUCTS
    assert not fill_of(dear) & evicted(dear).keys()
    assert set(evicted(dear).values()) <= {"displaced", "back pressure", "refused_full"}
    jobs = dear.world.recorder.column("inference.jobs_total")
    assert jobs[-1] == jobs[-50], "nothing is computed for nothing"


def test_a_queue_of_duller_products_gives_way_and_inference_goes_on(dull):
    assert len(events(dull, "QUEUE_FULL")) == 1
    jobs, pressed = columns(dull, "inference.jobs_total", "queue.pressed")
    assert jobs > 50
    assert pressed
    assert evicted(dull).keys() <= fill_of(dull), "nothing but the dullest"
    assert len(evicted(dull)) > 5
    assert "queue_full" not in {e.args["reason"] for e in events(dull, "THROTTLED")}


def test_the_store_stays_below_its_cap_and_every_loss_is_counted_and_told(dear, dull):
    for target in (dear, dull):
        assert most(target, "store.bytes") <= STORE["cap_bytes"]
        assert columns(target, "queue.dropped_total") == [len(evicted(target))]
    reasons = list(evicted(dear).values())
    assert columns(dear, "queue.held_back_total") == [reasons.count("back pressure")]


def test_imaging_at_its_quota_gives_up_its_own_and_nobody_elses(tmp_path):
    quota_bytes = round(0.05 * 875_000)
    target = flown(tmp_path, 1, quota_imaging=0.05)
    (told,) = events(target, "QUOTA_REACHED")
    assert told.args == {"producer": "imaging", "bytes": quota_bytes}
    assert 0.9 * quota_bytes < most(target, "queue.imaging_bytes") <= quota_bytes
    over = {product for product, reason in evicted(target).items() if "quota" in reason}
    assert {read_life(tmp_path, product)["name"].split("-")[0] for product in over} == {"tile"}
    assert columns(target, "queue.quota_dropped_total") == [len(over)]
    assert len(over) > 20
    assert len(fill_of(target) - evicted(target).keys()) >= FILL_PRODUCTS - 2
