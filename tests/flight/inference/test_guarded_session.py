import numpy as np
import pytest

from flight.inference.guarded_ort import plain_layout, plain_session
from flight.inference.guarded_session import DistrustError, GuardedSession
from flight.inference.integrity import golden_tile
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import ModelRegistry

MODEL = ModelRegistry().load("cloud_unet", "fp32")
GOLDEN = MODEL.manifest.variants["fp32"].golden
TILE = golden_tile(64, 1)


class Harness:
    """Counts the sessions built, and lets one run in turn answer wrongly."""

    def __init__(self):
        self.built = 0
        self.spoil = {}
        self.runs = 0

    def make(self, data, bank):
        self.built += 1
        inner, outer = plain_session(data, bank, manifest=MODEL.manifest), self

        class Session:
            def run(self, pixels):
                answer = inner.run(pixels)
                if pixels is TILE:
                    outer.runs += 1
                    spoil = outer.spoil.get(outer.runs, outer.spoil.get("always"))
                    answer = answer if spoil is None else spoil(answer.copy())
                return answer

        return Session()


def guard(harness=None, **more):
    make = (harness or Harness()).make
    return GuardedSession(MODEL.data, GOLDEN, make, plain_layout, **more)


def not_finite(answer):
    answer[3, 3] = np.nan
    return answer


def one_bit(answer):
    answer.view(np.uint32)[5, 5] ^= 1
    return answer


def flip_live_weight(session, at=20_000, bit=0x40):
    live, where = session.bank.octets(at)
    live[where] ^= bit


def test_a_clean_run_costs_one_run_and_finds_nothing():
    harness = Harness()
    session = guard(harness)
    answer, care = session.run(TILE)
    assert (care.doubt, care.reruns, care.rebuilds, care.repaired) == ("", 0, 0, 0)
    assert (harness.runs, harness.built) == (1, 1)
    assert np.array_equal(answer, session.bare(TILE))


@pytest.mark.parametrize("at", [0, 3, 20_003, 100_003])
def test_a_flipped_weight_is_found_put_right_and_the_answer_is_the_clean_one(at):
    session = guard()
    clean, _ = session.run(TILE)
    flip_live_weight(session, at)
    answer, care = session.run(TILE)
    assert np.array_equal(answer, clean)
    assert care.repaired == 1
    assert care.reruns == 1
    assert "weights" in care.doubt
    assert session.run(TILE)[1].doubt == ""


def test_an_output_that_is_no_number_once_is_run_again():
    harness = Harness()
    session = guard(harness)
    clean, _ = session.run(TILE)
    harness.spoil[2] = not_finite
    answer, care = session.run(TILE)
    assert np.array_equal(answer, clean)
    assert (care.reruns, care.rebuilds) == (1, 0)


def test_an_output_implausible_every_time_but_always_the_same_is_the_picture_s_own():
    harness = Harness()
    session = guard(harness)
    harness.spoil["always"] = np.zeros_like
    answer, care = session.run(TILE)
    assert not answer.any()
    assert care.reruns == 1
    assert "implausible" in care.doubt


def test_an_output_that_stays_wrong_climbs_to_a_new_session_and_then_gives_up():
    harness = Harness()
    session = guard(harness)
    wrong = iter(range(100))

    def ever_else(answer):
        answer[...] = next(wrong) + 2.0
        return answer

    harness.spoil["always"] = ever_else
    with pytest.raises(DistrustError, match="output is implausible"):
        session.run(TILE)
    assert harness.built == 2


def test_a_second_session_confirms_and_a_disagreement_is_settled_by_running_again():
    harness = Harness()
    session = guard(harness)
    clean, care = session.run(TILE, twice=True)
    assert care.confirmed
    assert harness.built == 2
    harness.spoil[harness.runs + 1] = one_bit
    answer, care = session.run(TILE, twice=True)
    assert np.array_equal(answer, clean)
    assert "second session" in care.doubt
    assert care.reruns == 1


def test_a_single_wrong_bit_passes_without_a_second_session():
    harness = Harness()
    session = guard(harness)
    harness.spoil[1] = one_bit
    assert session.run(TILE)[1].doubt == ""


def test_a_stored_copy_that_is_damaged_ends_in_distrust_not_in_a_wrong_answer():
    harness = Harness()
    session = guard(harness)
    session._model = MODEL.data[:-1] + bytes([MODEL.data[-1] ^ 1])
    harness.spoil["always"] = lambda answer: answer + np.float32(harness.runs)
    with pytest.raises(DistrustError, match="stored copy"):
        session.run(TILE)


def test_the_self_test_knows_every_golden_answer_to_the_bit():
    session = guard()
    assert all(session.self_test() for _ in range(8))
    assert session.golden_all()
    flip_live_weight(session, 20_003)
    assert not session.golden_all()


def test_the_check_between_answers_puts_weights_right():
    session = guard()
    flip_live_weight(session, 20_003)
    assert session.check().repaired == 1
    assert session.check().repaired == 0


def test_a_session_whose_golden_tile_changed_is_built_again():
    harness = Harness()
    session = guard(harness)
    session._true_crcs = (0,) * 4
    with pytest.raises(DistrustError, match="golden"):
        session.check()
    assert harness.built == 2


def test_a_network_that_does_not_know_its_golden_tile_is_not_flown():
    other = ModelRegistry().load("cloud_unet", "small").manifest.variants["small"].golden
    with pytest.raises(ModelError, match="golden tile"):
        GuardedSession(MODEL.data, other, Harness().make)


def test_a_network_too_large_for_one_look_is_looked_over_in_slices():
    session = guard(scrub_bytes=4096)
    flip_live_weight(session, 100_003)
    cares = [session.run(TILE)[1] for _ in range(40)]
    assert sum(care.repaired for care in cares) == 1


@pytest.mark.parametrize(("factor", "verdict"), [(np.nan, "not_finite"), (2.0, "out_of_range")])
def test_a_network_without_a_recorded_answer_has_to_answer_in_numbers_from_0_to_1(factor, verdict):
    class Session:
        def run(self, pixels):
            ramp = np.linspace(0.0, 1.0, pixels.shape[0] * pixels.shape[1], dtype=np.float32)
            return factor * ramp.reshape(pixels.shape[:2])

    with pytest.raises(ModelError, match=f"golden tile: answer is {verdict}"):
        GuardedSession(MODEL.data, None, lambda _data, _bank: Session(), plain_layout)


WIDE = golden_tile(128, 1)


class Spoiling:
    """A session whose runs of a whole tile are wrong as told, by their number."""

    def __init__(self, wrong):
        self.wrong, self.runs = wrong, 0

    def make(self, data, bank):
        inner, outer = plain_session(data, bank, manifest=MODEL.manifest), self

        class Session:
            def run(self, pixels):
                answer = inner.run(pixels)
                if pixels is WIDE:
                    outer.runs += 1
                    answer = outer.wrong(outer.runs, answer.copy())
                return answer

        return Session()


def test_a_fault_that_is_gone_after_one_run_is_found_and_the_answer_is_the_clean_one():
    clean, _ = guard().run(WIDE)
    spoiling = Spoiling(lambda run, answer: answer * np.float32(0.9) if run == 1 else answer)
    answer, care = guard(spoiling).run(WIDE)
    assert np.array_equal(answer, clean)
    assert "corner" in care.doubt
    assert (care.reruns, care.rebuilds, spoiling.runs) == (1, 0, 2)


def test_a_corner_that_is_otherwise_without_a_fault_costs_one_run_and_is_borne_from_then_on():
    session = guard(Spoiling(lambda _run, answer: answer * np.float32(0.999)))
    first, care = session.run(WIDE)
    assert (care.reruns, care.rebuilds) == (1, 0)
    again, after = session.run(WIDE)
    assert np.array_equal(first, again)
    assert after.doubt == ""


def test_answers_that_are_other_ones_each_time_climb_to_the_end():
    session = guard(Spoiling(lambda run, answer: answer * np.float32(1.0 - 0.1 * run)))
    with pytest.raises(DistrustError, match="corner"):
        session.run(WIDE)


def test_a_tile_that_is_run_twice_needs_no_corner():
    spoiling = Spoiling(lambda run, answer: answer)
    session = guard(spoiling)
    _, care = session.run(WIDE, twice=True)
    assert care.confirmed
    assert not care.doubt
