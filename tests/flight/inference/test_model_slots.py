import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flight.inference.model_slots import (
    FACTORY,
    ModelSlots,
    accept,
    decode_slots,
    encode_slots,
    factory_alone,
    refuse,
    roll_back,
    stage,
    start_over,
    vacate,
)


def test_a_new_node_flies_the_model_of_the_factory_and_has_no_way_back():
    assert ModelSlots().active == FACTORY
    assert roll_back(ModelSlots(), give_up=True) is None


def test_a_staged_model_flies_only_once_accepted_and_the_former_is_the_way_back():
    staged = stage(ModelSlots())
    assert (staged.active, staged.staged) == (FACTORY, "a")
    flying = accept(staged)
    assert (flying.active, flying.former, flying.staged) == ("a", FACTORY, "")


def test_starting_over_flies_the_factory_model_and_what_flew_is_the_way_back():
    flew = stage(accept(stage(ModelSlots())))
    again = start_over(flew)
    assert (again.active, again.former, again.staged) == (FACTORY, "a", "")
    assert again.count > flew.count
    assert roll_back(again, give_up=False).active == "a"
    assert start_over(again).former == "a"
    assert start_over(ModelSlots()).former == ""


def test_a_refused_model_leaves_everything_as_it_was():
    before = accept(stage(ModelSlots()))
    after = refuse(stage(before))
    assert (after.active, after.former, after.staged) == (before.active, before.former, "")


def test_the_way_back_by_command_can_be_taken_both_ways_and_after_failures_only_once():
    flying = accept(stage(ModelSlots()))
    back = roll_back(flying, give_up=False)
    assert (back.active, back.former) == (FACTORY, "a")
    assert roll_back(back, give_up=False).active == "a"
    given_up = roll_back(flying, give_up=True)
    assert (given_up.active, given_up.former) == (FACTORY, "")
    assert roll_back(given_up, give_up=True) is None


def test_with_nothing_left_to_read_the_factory_model_flies_by_a_newer_record():
    flew = stage(accept(stage(ModelSlots())))
    alone = factory_alone(flew)
    assert (alone.active, alone.former, alone.staged) == (FACTORY, "", flew.staged)
    assert alone.count > flew.count


def test_a_slot_that_nothing_names_is_vacated_without_a_new_record():
    assert vacate(ModelSlots(), "a") == ModelSlots()


class Slots(RuleBasedStateMachine):
    """What flies is never written over, whatever the ground does."""

    def __init__(self):
        super().__init__()
        self.slots = ModelSlots()

    @rule()
    def stage(self):
        active = self.slots.active
        target = stage(self.slots).staged
        vacant = vacate(self.slots, target)
        assert target not in {vacant.active, vacant.former, vacant.staged}
        assert vacant.active == active
        self.slots = stage(vacant)
        assert (self.slots.active, self.slots.staged) == (active, target)

    @precondition(lambda self: self.slots.staged)
    @rule()
    def accept(self):
        self.slots = accept(self.slots)

    @precondition(lambda self: self.slots.staged)
    @rule()
    def refuse(self):
        self.slots = refuse(self.slots)

    @rule(give_up=st.booleans())
    def back(self, give_up):
        self.slots = roll_back(self.slots, give_up=give_up) or self.slots

    @invariant()
    def what_flies_is_neither_staged_nor_its_own_way_back(self):
        assert self.slots.active in {FACTORY, "a", "b"}
        assert self.slots.active not in {self.slots.staged, self.slots.former}
        assert not self.slots.staged or self.slots.staged != self.slots.former

    @invariant()
    def the_record_comes_back(self):
        assert decode_slots(encode_slots(self.slots)) == self.slots


TestSlots = Slots.TestCase


@given(st.binary(max_size=100))
def test_any_bytes_are_a_record_or_none(data):
    decode_slots(data)


@pytest.mark.parametrize("at", range(10))
def test_a_damaged_record_is_none(at):
    data = bytearray(encode_slots(accept(stage(ModelSlots()))))
    data[at * len(data) // 10] ^= 1
    assert decode_slots(bytes(data)) is None
