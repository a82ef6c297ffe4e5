"""The committed tables of the erasure code are what their generator writes."""

from __future__ import annotations

import runpy
from pathlib import Path

NATIVE = Path(__file__).resolve().parents[2] / "native"
TABLES = runpy.run_path(str(NATIVE / "tools" / "make_gf_tables.py"))["tables"]()


def test_the_committed_table_is_what_the_generator_writes() -> None:
    for name, text in TABLES.items():
        assert (NATIVE / "src" / name).read_text() == text
