"""The Python register map says what the C header says, and judges a write as C does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hal import terminal_registers
from hal.native_library import lib
from hal.terminal_registers import (
    SIGNED,
    TERM_ABSENT,
    TERM_REG_COUNT,
    WRITABLE,
    Access,
    TermFault,
    TermRegister,
    access_of,
    from_word,
    judge_write,
    to_word,
)

HEADER = Path(__file__).resolve().parents[2] / "native" / "include" / "terminal_registers.h"
LINE = re.compile(r"TERM_REG_(\w+) = (\d+),? +/\* (.*?) ?\*/", re.DOTALL)
SECTION = re.compile(r"^    /\* (RO|RW|WO): ", re.MULTILINE)


def members(prefix: str) -> dict[str, int]:
    return {n.removeprefix(prefix): getattr(lib, n) for n in dir(lib) if n.startswith(prefix)}


def test_every_number_equals_its_twin_in_the_c_header() -> None:
    registers = members("TERM_REG_")
    assert registers.pop("COUNT") == TERM_REG_COUNT
    assert registers == {register.name: register.value for register in TermRegister}
    assert members("TERM_FAULT_") == {fault.name: fault.value for fault in TermFault}
    for name in (
        "TERM_MAP_VERSION",
        "TERM_MAGIC",
        "TERM_ABSENT",
        "TERM_RESET_KEY",
        "TERM_SILENCE_NS",
    ):
        assert getattr(terminal_registers, name) == getattr(lib, name)


def test_registers_are_numbered_without_a_gap() -> None:
    assert [register.value for register in TermRegister] == list(range(TERM_REG_COUNT))


def test_access_sign_and_range_are_those_that_the_header_comments_give() -> None:
    text = HEADER.read_text("ascii")
    enum = text[text.index("enum term_reg {") : text.index("#define TERM_REG_COUNT")]
    parts = SECTION.split(enum)
    seen = []
    for access, body in zip(parts[1::2], parts[2::2], strict=True):
        for name, _, comment in LINE.findall(body):
            register = TermRegister[name]
            seen.append(register)
            assert access_of(register) is Access(access)
            assert (register in SIGNED) == comment.startswith("signed")
            told = re.search(r"\[(.*?)\]", comment)
            if register in WRITABLE and register is not TermRegister.RESET:
                assert told is not None
                bounds = [int(bound) for bound in told.group(1).split(", ")]
                assert bounds == [WRITABLE[register].least, WRITABLE[register].most]
            else:
                assert (told is not None) == (register is TermRegister.RESET)
    assert seen == list(TermRegister)


WORDS = st.integers(0, 2**32 - 1)


@given(register=st.integers(0, TERM_REG_COUNT + 2), word=WORDS)
@example(register=TermRegister.RESET, word=terminal_registers.TERM_RESET_KEY)
@example(register=2**32 - 1, word=0)
def test_a_write_is_judged_as_c_judges_it(register: int, word: int) -> None:
    verdict = judge_write(register, word)
    assert lib.terminal_register_check(register, word) == (0 if verdict is None else -verdict)


@pytest.mark.parametrize("register", WRITABLE)
def test_both_ends_of_a_range_are_in_it_and_their_neighbours_are_not(
    register: TermRegister,
) -> None:
    row = WRITABLE[register]
    for value, allowed in (
        (row.least, True),
        (row.most, True),
        (row.least - 1, False),
        (row.most + 1, False),
    ):
        assert (judge_write(register, value) is None) is allowed
        assert (lib.terminal_register_check(register, to_word(value)) == 0) is allowed


def test_absent_is_a_value_of_no_register() -> None:
    assert all(judge_write(register, TERM_ABSENT) is not None for register in TermRegister)
    assert all(from_word(register, TERM_ABSENT) is None for register in TermRegister)


@given(value=st.integers(-(2**31) + 1, 2**31 - 1))
def test_a_signed_number_goes_through_a_register_and_back(value: int) -> None:
    assert from_word(TermRegister.LASER_MDEGC, to_word(value)) == value


@given(word=WORDS.filter(lambda word: word != TERM_ABSENT))
def test_an_unsigned_register_is_its_word(word: int) -> None:
    assert from_word(TermRegister.SERIAL, word) == word


@pytest.mark.parametrize("value", [-(2**31) - 1, 2**32])
def test_what_does_not_fit_a_word_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        to_word(value)
    assert judge_write(TermRegister.AZIMUTH_UDEG, value) is not None
