import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.commanding.parameter_copies import (
    COPIES,
    CopyVerdict,
    Found,
    ParameterCopies,
    decode_copy,
    encode_copy,
)

SET = {"power.soc_floor": 0.5, "telemetry.period_s": 20.0}
values = st.dictionaries(st.text(max_size=20), st.floats(allow_nan=False), max_size=8)


def store():
    blobs = {}
    return blobs, ParameterCopies(blobs.get, blobs.__setitem__)


@given(values, st.integers(0, 2**32 - 1))
def test_a_copy_reads_back_as_it_was_written(given_values, generation):
    copy = encode_copy(given_values, generation)
    assert decode_copy(copy) == (CopyVerdict.GOOD, generation, given_values)


@settings(max_examples=examples(300), deadline=None)
@given(values, st.data())
def test_no_damage_of_a_copy_is_taken_for_a_good_one(given_values, data):
    copy = bytearray(encode_copy(given_values, 7))
    at, flip = data.draw(st.integers(0, len(copy) - 1)), data.draw(st.integers(1, 255))
    copy[at] ^= flip
    assert decode_copy(bytes(copy))[0] is not CopyVerdict.GOOD
    assert decode_copy(encode_copy(given_values, 7)[:at])[0] is not CopyVerdict.GOOD


@given(st.binary(max_size=80))
def test_any_octets_give_a_verdict_and_never_raise(raw):
    assert decode_copy(raw)[0] is not CopyVerdict.ABSENT


CAUSES = {
    CopyVerdict.TORN: lambda copy: copy[:-3],
    CopyVerdict.BAD_CRC: lambda copy: copy[:-9] + bytes([copy[-9] ^ 1]) + copy[-8:],
    CopyVerdict.WRONG_VERSION: lambda copy: copy[:4] + b"\x02" + copy[5:],
}


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("which", COPIES)
def test_with_one_bad_copy_the_other_holds_and_the_bad_one_is_named_with_its_cause(which, cause):
    blobs, copies = store()
    copies.write(SET)
    blobs[which] = CAUSES[cause](blobs[which])
    assert copies.read() == Found(SET, ((which, cause),))


def test_with_both_copies_bad_there_is_nothing_to_use_and_both_are_named():
    blobs, copies = store()
    copies.write(SET)
    for name in COPIES:
        blobs[name] = b"no parameters"
    found = copies.read()
    assert found.values is None
    assert [name for name, _ in found.bad] == list(COPIES)


def test_a_store_that_has_none_says_nothing_is_bad():
    assert store()[1].read() == Found(None)


def test_a_power_cut_between_the_two_writes_leaves_the_newer_set():
    blobs, copies = store()
    copies.write(SET)
    second = ParameterCopies(blobs.get, blobs.__setitem__)
    second.read()
    written = []

    def cut(name, copy):
        if written:
            raise OSError("cut")
        written.append(name)
        blobs[name] = copy

    second.save = cut
    with pytest.raises(OSError, match="cut"):
        second.write({"power.soc_floor": 0.7})
    assert copies.read() == Found({"power.soc_floor": 0.7})


def test_the_newer_copy_is_found_over_the_wrap_of_the_generation():
    blobs, copies = store()
    blobs[COPIES[0]] = encode_copy({"a": 1.0}, 2**32 - 1)
    blobs[COPIES[1]] = encode_copy({"a": 2.0}, 0)
    assert copies.read().values == {"a": 2.0}


def test_the_former_set_is_kept_apart():
    _, copies = store()
    assert copies.former() == (CopyVerdict.ABSENT, {})
    copies.write({})
    copies.keep_former(SET)
    assert copies.former() == (CopyVerdict.GOOD, SET)
    assert copies.read().values == {}
