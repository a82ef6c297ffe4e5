"""Numbers on a command line: one clear sentence for what is none, or out of its range."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads decimal digits, least <= value <= most; for `type=` of an argument."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r}: allowed is {least} to {most}")
        return int(text)

    return parse


def real(least: float, most: float) -> Callable[[str], float]:
    """Reads a number, least <= value <= most, never a NaN; for `type=` of an argument."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: allowed is {least:g} to {most:g}")
        return value

    return parse
