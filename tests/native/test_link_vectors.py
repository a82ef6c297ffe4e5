"""The committed messages of the bench link are what their generator writes, and others agree."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import fastcrc
import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = runpy.run_path(str(ROOT / "native" / "tools" / "make_link_vectors.py"))
TEXT = (ROOT / "tests" / "vectors" / "bench_link.json").read_text(encoding="ascii")
VECTORS = json.loads(TEXT)


def test_the_committed_file_is_what_the_generator_writes() -> None:
    assert json.dumps(GENERATOR["vectors"](), indent=1) + "\n" == TEXT


@pytest.mark.parametrize("v", VECTORS["messages"], ids=lambda v: v["name"])
def test_each_message_is_stuffed_and_checked_as_other_authors_do_it(v: dict[str, str]) -> None:
    raw = bytes.fromhex(v["message"])
    assert cobs.encode(raw).hex() + "00" == v["wire"]
    assert fastcrc.crc32.iscsi(raw[:-4]) == int.from_bytes(raw[-4:], "little")


@pytest.mark.parametrize("v", VECTORS["cobs"], ids=lambda v: v["name"])
def test_each_committed_code_is_that_of_another_author(v: dict[str, str]) -> None:
    assert cobs.encode(bytes.fromhex(v["plain"])).hex() == v["coded"]


@settings(deadline=None, max_examples=300)
@given(
    plain=st.lists(st.binary(max_size=600) | st.just(b"\0") | st.just(b"\1" * 254)).map(b"".join)
)
def test_the_generator_stuffs_whatever_comes_as_another_author_does(plain: bytes) -> None:
    assert GENERATOR["cobs"](plain) == cobs.encode(plain)


@settings(deadline=None, max_examples=100)
@given(data=st.binary(max_size=300))
def test_the_generator_checks_whatever_comes_as_another_author_does(data: bytes) -> None:
    assert GENERATOR["crc32c"](data) == fastcrc.crc32.iscsi(data)
