"""Rows of a benchmark: what, value, unit, and what it may be. Used by those that have parts."""

from typing import NamedTuple


class Shown(NamedTuple):
    """One row as it is printed."""

    kept: bool
    text: str


def shown(row):
    """`row`: what, value, unit, and the most it may be (None: nothing to keep; ("least", x))."""
    what, value, unit, limit = row
    figure = f"{value:12,.2f}" if isinstance(value, float) else f"{value:>12}"
    if limit is None:
        return Shown(True, f"  {what:<58}{figure} {unit}")
    if isinstance(limit, tuple):
        kept, limit = value >= limit[1], f"least {limit[1]:g}"
    else:
        kept, limit = value <= limit, f"limit {limit:g}"
    verdict = "kept" if kept else "NOT KEPT"
    return Shown(kept, f"  {what:<58}{figure} {unit:<6} {limit}: {verdict}")


def main(parts, wanted):
    """Print the parts named, or all of them; the exit code."""
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        print(f"unknown part {unknown[0]!r}; allowed: {', '.join(parts)}")
        return 2
    all_kept = True
    for name in wanted or parts:
        print(f"{name}")
        for row in parts[name]():
            kept, text = shown(row)
            all_kept &= kept
            print(text, flush=True)
    return 0 if all_kept else 1
