import io
import threading
from pathlib import Path

from rich.console import Console

from hil.console_output import ProgressLine, print_summary


def console(*, terminal=False, width=120):
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, color_system=None)


def fly(progress, steps=500, total_s=5000.0):
    for step in range(steps + 1):
        progress.update(
            step * total_s / steps, total_s, "COMPUTE", 0.87, 61.25, step, "DATA", 420.0
        )


def summary(**changes):
    base = {
        "verdict": "pass",
        "scenario": "three-orbits",
        "seed": 7,
        "target": "sim",
        "expectations": [
            {
                "id": "E1",
                "requirement": ["LN-1", "LN-2"],
                "text": "charge stays above the floor",
                "verdict": "pass",
                "measured": 0.71234,
                "limit": 0.5,
                "unit": "",
            }
        ],
        "passes": [
            {
                "contact_id": "G1",
                "kind": "OGS",
                "peer": "calern",
                "start_s": 3725.0,
                "max_elevation_deg": None,
                "frames_sent": 12345,
                "bytes_delivered": 3_412_000,
                "verdict": "pass",
            }
        ],
        "products_delivered": 61,
        "products_created": 80,
        "value_delivered": 3.0,
        "value_created": 4.0,
        "frames_lost": None,
        "log_hash": "ab" * 32,
    }
    return base | changes


def test_without_a_terminal_a_plain_line_comes_each_ten_per_cent():
    out = console()
    with ProgressLine(out) as progress:
        fly(progress)
    lines = out.file.getvalue().splitlines()
    assert len(lines) == 11
    assert all("\x1b" not in line for line in lines)
    assert "1:23:20 of 1:23:20  100 %  COMPUTE" in lines[-1]
    assert "battery  87 %" in lines[-1]
    assert "die  61.2 C" in lines[-1]
    assert "link DATA" in lines[-1]
    assert "420x" in lines[-1]


def test_on_a_terminal_one_line_is_redrawn_without_any_thread():
    out = console(terminal=True)
    before = threading.active_count()
    with ProgressLine(out) as progress:
        fly(progress, steps=40)
        assert threading.active_count() == before
    assert "COMPUTE" in out.file.getvalue()
    assert out.file.getvalue().count("100 %") <= 3


def test_silent_prints_nothing_even_on_a_terminal():
    out = console(terminal=True)
    with ProgressLine(out, silent=True) as progress:
        fly(progress)
    assert out.file.getvalue() == ""


def test_unknown_values_are_dashes_in_the_line():
    out = console()
    with ProgressLine(out) as progress:
        progress.update(0.0, 10.0, "BOOT", float("nan"), None, None, "IDLE", None)
    assert "battery     -" in out.file.getvalue()
    assert "die       -" in out.file.getvalue()


def test_the_summary_tells_verdict_expectations_figures_contacts_and_report():
    out = console()
    print_summary(summary(), Path("runs/a"), out)
    text = out.file.getvalue()
    for wanted in ("PASS", "LN-1, LN-2", "0.7123", "75.0 %", "calern", "1:02:05", "3.41 MB"):
        assert wanted in text
    assert f"report    {Path('runs/a/report.html')}" in text
    assert "ab" * 32 in text


def test_a_failed_run_says_so_and_names_the_expectation():
    failed = summary(verdict="fail")
    failed["expectations"][0]["verdict"] = "fail"
    out = console()
    print_summary(failed, Path("runs/a"), out)
    assert out.file.getvalue().count("FAIL") == 2


def test_counters_that_are_not_known_print_as_dashes_not_as_zero():
    out = console()
    print_summary({"verdict": "fail"}, Path("r"), out)
    text = out.file.getvalue()
    assert "products delivered" in text
    (line,) = [row for row in text.splitlines() if "frames sent" in row]
    assert line.split("sent")[1].split()[0] == "-"


def test_names_from_files_are_never_read_as_console_markup():
    hostile = summary(scenario="[red]x[/nonsense]")
    hostile["passes"][0]["peer"] = "[/]"
    out = console()
    print_summary(hostile, Path("r"), out)
    assert "[red]x[/nonsense]" in out.file.getvalue()
    assert "[/]" in out.file.getvalue()


def test_throttled_time_is_told_by_reason_the_longest_first():
    out = console()
    told = {"die": 261.0, "sink": 1800.0, "pass_reserve": 0.0}
    print_summary(summary(throttle_s_by_reason=told), Path("r"), out)
    text = out.file.getvalue()
    assert "0:34:21" in text
    assert "sink 0:30:00, die 0:04:21" in text
    assert "pass reserve" not in text
