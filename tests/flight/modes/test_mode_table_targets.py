"""The two tables of modes hold together."""

from flight.modes.mode_table import SEQUENCES, TARGETS, Need, Part
from flight.telemetry.definitions import Mode


def test_every_mode_has_a_target_for_every_part_and_a_sequence_that_leads_there():
    assert set(TARGETS) == set(SEQUENCES) == set(Mode)
    for mode, target in TARGETS.items():
        assert set(target) == set(Part)
        assert {step.part: step.need for step in SEQUENCES[mode]} == target
        assert all(step.within_ns > 0 for step in SEQUENCES[mode])


def test_a_payload_that_is_off_in_a_mode_is_the_first_thing_done_about_it():
    for mode in (Mode.SAFE, Mode.IDLE):
        assert SEQUENCES[mode][0].part is Part.PAYLOAD


def test_in_safe_the_payload_is_off_and_the_link_alive():
    assert TARGETS[Mode.SAFE][Part.PAYLOAD] is Need.OFF
    assert TARGETS[Mode.SAFE][Part.LASER] is Need.BY_PLAN


def test_no_beam_before_the_node_knows_where_it_stands():
    assert TARGETS[Mode.BOOT][Part.LASER] is Need.OFF


def test_the_beam_is_wanted_where_the_laser_is_wanted_and_nowhere_else():
    for target in TARGETS.values():
        assert target[Part.BEAM] is target[Part.LASER]
