"""What a run says on the terminal: one live line while it flies, tables when it is over.

Skin of `run`: values in, terminal out. It knows nothing of flight and reads no files.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

PLAIN_STEP_PERCENT = 10
REFRESH_PER_S = 8
DASH = "-"

_VERDICT_STYLE = {"pass": "bold green", "fail": "bold red"}
_MODE_STYLE = {"SAFE": "red", "DOWNLINK": "green", "COMPUTE": "blue"}


def clock(t_s: float) -> str:
    """Write mission time as h:mm:ss."""
    seconds = round(t_s)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _number(value: object, digits: int = 0, unit: str = "") -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return DASH
    return f"{value:,.{digits}f}{unit}"


def _share(part: object, whole: object) -> str:
    known = all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
        for v in (part, whole)
    )
    if not known or not whole:
        return DASH
    return f"{100.0 * float(part) / float(whole):.1f} %"  # type: ignore[arg-type]  # checked above


def _bytes(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return DASH
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= size:
            return f"{value / size:.2f} {unit}"
    return f"{value:.0f} B"


class ProgressLine:
    """One live line on a terminal; a plain line each 10 % elsewhere; nothing when silent.

    A context manager. `update` is cheap: drawing happens at most eight times a second, by the
    console's own clock and in the caller's thread, so a simulation stays without threads.
    """

    def __init__(self, console: Console, *, silent: bool = False) -> None:
        self._console = console
        self._silent = silent
        self._line = Text("starting")
        self._next_percent = 0
        self._drawn_s = -math.inf
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Take the terminal's last line, where there is one."""
        if not self._silent and self._console.is_terminal:
            self._live = Live(
                console=self._console,
                get_renderable=lambda: self._line,
                auto_refresh=False,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the line back; also after an interrupt."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def update(  # noqa: PLR0913, PLR0917 - one word of the line each
        self,
        sim_s: float,
        total_s: float,
        mode: str,
        soc: float | None,
        die_c: float | None,
        queue_products: int | None,
        link: str,
        speed_x: float | None,
    ) -> None:
        """Say where the run is. `soc` is 0..1, times are mission seconds, None is unknown."""
        if self._silent:
            return
        percent = 100.0 * min(max(sim_s / total_s, 0.0), 1.0) if total_s > 0 else 100.0
        battery = DASH if soc is None or math.isnan(soc) else f"{100.0 * soc:.0f} %"
        self._line = Text.assemble(
            (f"{clock(sim_s)}", "bold"),
            f" of {clock(total_s)}  {percent:3.0f} %  ",
            (f"{mode:<8}", _MODE_STYLE.get(mode, "")),
            f"  battery {battery:>5}  die {_number(die_c, 1, ' C'):>7}",
            f"  queue {_number(queue_products):>5}  link {link:<10}",
            f"  {_number(speed_x)}x",
        )
        self._line.no_wrap = True
        self._line.overflow = "ellipsis"
        if self._live is not None:
            now_s = self._console.get_time()
            if now_s - self._drawn_s >= 1.0 / REFRESH_PER_S:
                self._drawn_s = now_s
                self._live.refresh()
        elif percent >= self._next_percent:
            self._next_percent = PLAIN_STEP_PERCENT * (int(percent) // PLAIN_STEP_PERCENT + 1)
            self._console.print(self._line.plain, markup=False, highlight=False, soft_wrap=True)


def _table(title: str, *columns: str) -> Table:
    """Make a table; a column whose name ends in `>` holds numbers."""
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for name in columns:
        numbers = name.endswith(">")
        table.add_column(name.rstrip(">"), justify="right" if numbers else "left", no_wrap=numbers)
    return table


def _verdict(value: object) -> Text:
    word = str(value or DASH)
    return Text(word.upper(), style=_VERDICT_STYLE.get(word.lower(), "bold yellow"))


def _measured(item: Mapping[str, Any], key: str) -> Text:
    value = item.get(key)
    if value is None:
        return Text(DASH)
    if isinstance(value, float):
        value = f"{value:.4g}"
    return Text(f"{value} {item.get('unit') or ''}".strip())


def _expectations(items: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Expectations", "id", "expectation", "measured>", "limit>", "verdict")
    for item in items:
        ids = item.get("requirement")
        names = ", ".join(map(str, ids)) if isinstance(ids, list) else str(ids or "")
        text = str(item.get("text") or "")
        table.add_row(
            Text(str(item.get("id") or DASH)),
            Text(f"{text} ({names})" if names else text),
            _measured(item, "measured"),
            _measured(item, "limit"),
            _verdict(item.get("verdict")),
        )
    return table


def _figures(summary: Mapping[str, Any]) -> Table:
    table = _table("Key figures", "figure", "value>", "")
    for name, value, note in [*_yield_rows(summary.get), *_health_rows(summary.get)]:
        table.add_row(name, value, Text(note, style="dim"))
    return table


def _yield_rows(get: Callable[[str], Any]) -> list[tuple[str, str, str]]:
    created = f"of {_number(get('products_created'))}"
    lost = f"{_number(get('frames_lost'))} lost"
    return [
        (
            "products delivered",
            _number(get("products_delivered")),
            f"{created}, {_number(get('products_evicted'))} evicted",
        ),
        ("value delivered", _share(get("value_delivered"), get("value_created")), "of all created"),
        ("data delivered", _bytes(get("bytes_delivered")), f"of {_bytes(get('bytes_created'))}"),
        (
            "frames sent",
            _number(get("frames_sent")),
            f"{lost}, {_number(get('frames_retransmitted'))} again",
        ),
        (
            "inferences",
            _number(get("inferences")),
            f"{_number(get('inferences_memoised'))} memoised",
        ),
    ]


def _health_rows(get: Callable[[str], Any]) -> list[tuple[str, str, str]]:
    limit = _number(get("temp_die_c_limit"), 1, " C")
    rejected = _number(get("commands_rejected"))
    return [
        ("lowest battery", _share(get("soc_min"), 1.0), f"floor {_share(get('soc_floor'), 1.0)}"),
        ("hottest die", _number(get("temp_die_c_max"), 1, " C"), f"limit {limit}"),
        ("throttled", *_throttled(get("throttle_s_by_reason"))),
        ("commands accepted", _number(get("commands_accepted")), f"{rejected} rejected"),
        ("resets", _number(len(get("resets") or [])), ""),
        ("speed", f"{_number(get('speed_x'))}x", f"{_number(get('wall_s'), 1, ' s')} of wall time"),
    ]


def _throttled(by_reason: Mapping[str, float] | None) -> tuple[str, str]:
    """Time in all, and by reason, the longest first."""
    if by_reason is None:
        return DASH, ""
    longest = sorted(by_reason.items(), key=lambda item: -item[1])
    shares = [f"{name.replace('_', ' ')} {clock(s)}" for name, s in longest if s > 0.0]
    return clock(sum(by_reason.values())), ", ".join(shares)


def _passes(passes: Sequence[Mapping[str, Any]]) -> Table:
    columns = ("peer", "start>", "elev.>", "frames>", "lost>", "again>", "data>", "products>")
    table = _table("Contacts", *columns)
    for item in passes:
        start = item.get("start_s")
        failed = item.get("verdict") != "acquired"
        peer = Text(str(item.get("peer", DASH)), style="bold red" if failed else "")
        table.add_row(
            Text.assemble(peer, ": never acquired") if failed else peer,
            clock(start) if isinstance(start, int | float) else DASH,
            _number(item.get("max_elevation_deg"), 0),
            _number(item.get("frames_sent")),
            _number(item.get("frames_lost")),
            _number(item.get("frames_retransmitted")),
            _bytes(item.get("bytes_delivered")),
            _number(item.get("products_delivered")),
        )
    return table


def print_summary(summary: Mapping[str, Any], run_dir: Path, console: Console) -> None:
    """Print the outcome of a run: verdict, expectations, figures, contacts, where the report is.

    `summary` is `summary.json` as written; missing keys print as a dash, never as a figure.
    """
    head = Text.assemble(
        _verdict(summary.get("verdict")),
        f"  {summary.get('scenario', DASH)}, seed {summary.get('seed', DASH)}, "
        f"target {summary.get('target', DASH)}",
    )
    console.print()
    console.print(head)
    if summary.get("expectations"):
        console.print(_expectations(summary["expectations"]))
    console.print(_figures(summary))
    if summary.get("passes"):
        console.print(_passes(summary["passes"]))
    console.print(Text(f"log hash  {summary.get('log_hash') or DASH}"), soft_wrap=True)
    console.print(Text(f"report    {run_dir / 'report.html'}"), soft_wrap=True)
