"""The committed tables of Reed-Solomon and randomiser are what their generator writes."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "native"
TABLES = runpy.run_path(str(NATIVE / "tools" / "make_rs_tables.py"))["tables"]()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_committed_table_is_what_the_generator_writes(name: str) -> None:
    assert (NATIVE / "src" / name).read_text() == TABLES[name]
