"""The committed curve is what its generator writes, and is the standard's."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "native"
MAKER = runpy.run_path(str(NATIVE / "tools" / "make_srgb_table.py"))


def test_the_committed_table_is_what_the_generator_writes() -> None:
    assert (NATIVE / "src" / MAKER["NAME"]).read_text() == MAKER["table"]()


@pytest.mark.parametrize(
    ("code", "light"),
    # 0 and 1 are the ends; 188 is known as the code of half the light, 119 as "middle grey".
    [(0, 0), (255, 65535), (188, 0.5), (119, 0.184)],
)
def test_known_points_lie_on_the_curve(code: int, light: float) -> None:
    wanted = light if isinstance(light, int) else light * 65535
    assert MAKER["light"](code) == pytest.approx(wanted, rel=0.01)
