"""The mission report: one self-contained page an engineer can hand to a customer.

    run directory -> `run_record` (values) -> sections (markup) -> `page` -> report.html

Far end of the bench's third flow: everything it says was recorded by the run, and what was not
recorded is called so.
"""

from pathlib import Path

from hil.report.page import render
from hil.report.run_record import ReportError, read_run

__all__ = ["ReportError", "write_report"]


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a run directory and return its path.

    Needs `summary.json`; every other input may be missing. The same files give the same bytes.

    Raises:
        ReportError: `summary.json` is missing or not of version 1's form.
        OSError: the page cannot be written.
    """
    page = render(read_run(run_dir))
    path = run_dir / "report.html"
    path.write_bytes(page.encode("utf-8", "replace"))
    return path
