"""The page in a real browser: charts are drawn, nothing complains, zoom and filter work."""

import os
import re
import shutil
import subprocess

import pytest
from synthetic_run import make_run_dir

from hil.report import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium():
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        reason = "Chromium is missing: install the Debian package chromium to run this test"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_report(make_run_dir(tmp_path_factory.mktemp("browser") / "run", tiles=6))


def load(chromium, path, profile):
    """Return the DOM after loading and the lines of the browser's console."""
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-dev-shm-usage",
        "--window-size=1280,2000", "--enable-logging=stderr", "--log-level=0",
        f"--user-data-dir={profile}", "--virtual-time-budget=4000", "--dump-dom",
    ]  # fmt: skip
    command = [chromium, *flags, path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return (done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line])


def root_attributes(dom):
    return dict(re.findall(r'(data-[a-z-]+)="([^"]*)"', re.search(r"<html[^>]*>", dom).group(0)))


def test_every_chart_is_drawn_and_the_console_stays_empty(chromium, page, tmp_path):
    (dom, console) = load(chromium, page, tmp_path / "profile")
    found = root_attributes(dom)
    places = dom.count('class="chart"')
    assert console == []
    assert "data-errors" not in found
    assert places == 11
    assert int(found["data-charts-rendered"]) == places
    assert int(found["data-charts-inked"]) == places
    assert found["data-images-broken"] == "0"
    assert dom.count('data-rendered="true"') == places


def test_a_page_that_breaks_is_noticed(chromium, page, tmp_path):
    broken = tmp_path / "broken.html"
    text = page.read_text(encoding="utf-8")
    broken.write_text(text.replace('"columns":[[', '"columns":[{[', 1), encoding="utf-8")
    (dom, console) = load(chromium, broken, tmp_path / "profile")
    assert console != []
    assert "data-errors" in root_attributes(dom)


USE = """<script>window.addEventListener("load", () => {
  const root = document.documentElement;
  const over = document.querySelector(".u-over"), box = over.getBoundingClientRect();
  const mouse = (kind, share, where) => where.dispatchEvent(new MouseEvent(kind, {bubbles: true,
    clientX: box.left + share * box.width, clientY: box.top + 20, movementX: 9, button: 0}));
  mouse("mouseenter", 0.5, over); mouse("mousemove", 0.5, over);
  root.dataset.read = document.querySelector(".read").textContent;
  mouse("mousedown", 0.25, over); mouse("mousemove", 0.5, over); mouse("mouseup", 0.5, document);
  const severity = document.getElementById("event-severity");
  severity.value = "4"; severity.dispatchEvent(new Event("change"));
  root.dataset.count = document.getElementById("event-count").textContent;
  setTimeout(() => { root.dataset.band = document.querySelector(".band").getAttribute("viewBox"); },
    200);
});</script>"""


def test_zoom_is_shared_with_the_bands_and_the_event_filter_counts(chromium, page, tmp_path):
    used = tmp_path / "used.html"
    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    used.write_text(text.replace("</body>", USE + "</body>"), encoding="utf-8")
    (dom, console) = load(chromium, used, tmp_path / "profile")
    found = root_attributes(dom)
    assert console == []
    (start, _, width, _) = map(float, found["data-band"].split())
    assert start == pytest.approx(0.25 * 17478, rel=0.02)
    assert width == pytest.approx(0.25 * 17478, rel=0.02)
    assert re.fullmatch(r"\d+\.\d\d W", found["data-read"])
    assert found["data-count"] == "1 of 18 events"
