"""The node loses its power in a contact: what was acknowledged stays, the rest goes on."""

import pytest
from short_flight import assert_nothing_lost_or_doubled, events, fly, scenario


def reset(at_s):
    return {"at_s": at_s, "action": "reset"}


def ids(target):
    return set(target.world.ledger._made)


def assert_all_made_are_on_the_ground_or_on_board(target):
    """Every product that became durable is delivered, waits in the store, or was told lost."""
    on_ground = {i for i in ids(target) if target.world.archive.digest(i) is not None}
    assert len(on_ground) == target.world.ground.receiver.counters.products
    waiting = target.world.recorder.column("queue.products")[-1]
    assert len(ids(target)) - len(on_ground) <= waiting + 1


INSTANTS_S = (41.3, 62.0, 63.51, 70.0, 84.77, 99.99, 113.0, 131.25, 160.0, 187.4, 215.0, 246.9)


@pytest.mark.parametrize("at_s", INSTANTS_S)
def test_a_reset_at_any_instant_of_a_contact_loses_and_doubles_nothing(tmp_path, at_s):
    target = fly(scenario("slow-relay", timeline=[reset(at_s)]), tmp_path)
    assert_nothing_lost_or_doubled(target)
    assert [cause for _, cause in target.resets] == ["injected"]
    assert len(events(target, "BOOTED")) == 2
    assert_all_made_are_on_the_ground_or_on_board(target)
    if at_s < 215.0:
        boot_s = events(target, "BOOTED")[1].t_s
        recorder = target.world.recorder
        later = recorder.column("queue.delivered_total")[recorder.times() > boot_s]
        assert later.max() > 0, "delivery goes on after the reset"


def test_two_resets_in_one_contact_lose_and_double_nothing(tmp_path):
    target = fly(scenario("slow-relay", timeline=[reset(88.0), reset(170.4)]), tmp_path)
    assert_nothing_lost_or_doubled(target)
    assert len(events(target, "BOOTED")) == 3
    assert len(events(target, "LINK_ACQUIRED")) == 3
    assert_all_made_are_on_the_ground_or_on_board(target)


def test_a_second_reset_while_the_node_still_starts_leaves_one_node(tmp_path):
    target = fly(scenario("slow-relay", timeline=[reset(88.0), reset(93.0)]), tmp_path)
    assert_nothing_lost_or_doubled(target)
    assert len(target.resets) == 2
    assert len(events(target, "BOOTED")) == 2
