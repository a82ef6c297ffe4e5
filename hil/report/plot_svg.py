"""Small line plots as SVG for one contact: no script, sharp on paper.

Pure: values in, markup out. x is time since the contact began; gaps in the data stay gaps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hil.report.markup import Markup, el
from hil.report.quantity import known

WIDTH, HEIGHT = 250.0, 124.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, 14.0, 20.0, 18.0
POINTS_MAX = 400


def nice_ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Choose round values (1, 2, 2.5 or 5 times a power of ten) covering low..high."""
    span = max(high - low, abs(high) * 1e-6, 1e-9)
    exponent = math.floor(math.log10(span / most))
    steps = [m * 10.0**e for e in (exponent, exponent + 1) for m in (1.0, 2.0, 2.5, 5.0)]
    step = next((s for s in steps if span / s <= most), steps[-1])
    first = math.floor(low / step)
    last = math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, max(last, first + 1) + 1)]


def _label(value: float, step: float) -> str:
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1.0 else 0
    if digits == 0 and abs(step - round(step)) > 1e-9:
        digits = 1
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _minutes_ticks(length_s: float) -> list[float]:
    steps = (30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
    step = next((s for s in steps if length_s / s <= 4), steps[-1])
    return [i * step for i in range(int(length_s // step) + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One quantity over one contact; `t_s` is mission time, None in `values` is a gap."""

    title: str
    t_s: Sequence[float]
    values: Sequence[float | None]
    colour: str
    zero_based: bool = False
    floor_line: float | None = None


@dataclass(frozen=True, slots=True)
class _Scale:
    start_s: float
    length_s: float
    low: float
    high: float

    def x(self, t_s: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (t_s - self.start_s) / self.length_s

    def y(self, value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (self.high - value) / (self.high - self.low)


def _rule(y: float, class_: str) -> Markup:
    return el("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_=class_)


def _frame(scale: _Scale, ticks: Sequence[float]) -> list[Markup]:
    marks: list[Markup] = []
    for value in ticks:
        y = scale.y(value)
        marks.append(_rule(y, "grid"))
        label = _label(value, ticks[1] - ticks[0])
        marks.append(el("text", label, x=_LEFT - 5, y=f"{y + 3.5:.1f}", class_="y"))
    for t in _minutes_ticks(scale.length_s):
        label = f"{int(t // 60)}:{int(t % 60):02d}"
        x = f"{scale.x(scale.start_s + t):.1f}"
        marks.append(el("text", label, x=x, y=HEIGHT - 5, class_="x"))
    return marks


def small_plot(
    curve: Curve, span_s: tuple[float, float], at: tuple[float, float] | None = None
) -> Markup | None:
    """Draw one curve over `span_s` (mission time), or return None when no value is known.

    `at` places it, in its own size, inside a larger picture.
    """
    stride = -(-len(curve.t_s) // POINTS_MAX) or 1
    pairs = zip(curve.t_s[::stride], curve.values[::stride], strict=False)
    samples = [(t, known(v)) for t, v in pairs]
    shown = [v for _, v in samples if v is not None]
    if not shown:
        return None
    shown += [0.0] if curve.zero_based else []
    shown += [] if curve.floor_line is None else [curve.floor_line]
    ticks = nice_ticks(min(shown), max(shown))
    scale = _Scale(span_s[0], max(span_s[1] - span_s[0], 1.0), ticks[0], ticks[-1])
    path = _path([(scale.x(t), None if v is None else scale.y(v)) for t, v in samples])
    return el(
        "svg",
        el("text", curve.title, x=_LEFT, y=12, class_="title"),
        *_frame(scale, ticks),
        None if curve.floor_line is None else _rule(scale.y(curve.floor_line), "limit"),
        el("path", d=path, stroke=curve.colour, class_="line"),
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        **({} if at is None else {"x": at[0], "y": at[1], "width": WIDTH, "height": HEIGHT}),
        class_="plot",
        role="img",
        aria_label=curve.title,
    )


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    parts: list[str] = []
    pen_down = False
    for x, y in points:
        if y is not None:
            parts.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = y is not None
    return "".join(parts)
