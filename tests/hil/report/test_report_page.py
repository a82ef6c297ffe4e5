"""The page as a whole: complete, self-contained, bounded, repeatable, safe with hostile names."""

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from synthetic_run import make_run_dir

from hil.report import ReportError, write_report
from hil.report.page import SECTIONS

VOID = {"meta", "img", "br", "hr", "input", "link"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """Collects elements and checks that tags are balanced."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    return make_run_dir(tmp_path_factory.mktemp("flown") / "run")


@pytest.fixture(scope="module")
def raw(flown):
    return write_report(flown).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(raw):
    return Page(raw)


@pytest.fixture
def small(tmp_path):
    return make_run_dir(tmp_path / "run", tiles=3, total_s=900.0)


def rewrite(path, change):
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def report(run_dir):
    return Page(write_report(run_dir).read_text(encoding="utf-8"))


def test_every_section_and_every_chart_of_a_full_run_is_there(page):
    assert [s["id"] for s in page.all("section")] == [key for key, _, _ in SECTIONS]
    drawn = [d["data-chart"] for d in page.all("div") if "data-chart" in d]
    assert drawn == [
        "power", "soc", "current", "voltage", "temperature", "level", "jobs", "queue", "backlog",
        "received", "memory",
    ]  # fmt: skip
    assert "not recorded" not in page.text
    assert "could not be read" not in page.text


def test_the_page_tells_what_the_run_files_say(page):
    text = page.text
    for wanted in (
        "✓ PASS",
        "All 4 expectations held.",
        "LN-THM-01, LN-THM-02",
        "c0ffee42" * 8,
        "lumenode run synthetic-three-orbits --target sim --seed 7",
        "2026-06-21T06:00:00Z",
        "sink thermistor stuck at 31 degC",
        "Ground pass G2: table-mountain",
        "REACQ 15 s",
        "24 of 30 tiles shown",
        "LIMIT_VIOLATED",
        "command 2 rejected: not armed",
        "command 1 set_inference completed",
        "modelled",
        "41.8 ms",
        "Coastlines: Natural Earth",
    ):
        assert wanted in text, wanted
    assert "report 812" not in text  # DEBUG stays in events.jsonl


def test_the_governor_s_page_tells_share_causes_and_the_others_best_first(page):
    told = page.text
    assert "Delivered 801 200.0 of 900 000.0 that no governor could exceed: 89.0 %" in plain(told)
    assert "planner above the guard" in told
    assert "less what nobody could have had -100 000.0" in plain(told)
    assert "gap to the bound 98 800.0 11.0 %" in plain(told)
    assert told.index("Linux step_wise") > told.index("Governor on this scenario")
    rows = [row for row in page.all("tr") if row.get("class") == "failed outside"]
    assert rows, "a governor that passed a limit is marked"


def test_what_the_node_learned_of_itself_is_drawn_and_its_battery_told(small):
    with np.load(small / "telemetry.npz") as kept:
        channels = {name: kept[name] for name in kept.files}
    flat = np.ones_like(channels["t_s"])
    learned = {"array_w": 41.0, "base_w": 12.0, "radiator_w": 9.0, "capacity": 0.84}
    channels |= {f"learned.{name}": value * flat for name, value in learned.items()}
    np.savez_compressed(small / "telemetry.npz", **channels)
    page = report(small)
    assert "learned" in [d["data-chart"] for d in page.all("div") if "data-chart" in d]
    assert "The battery holds 84.0 % of its rated charge" in plain(page.text)


def test_where_no_limit_costs_the_bound_anything_that_is_said_in_a_line(small):
    rewrite(small / "governor.json", lambda score: score.update(bound_costs={"heat": 0.0}))
    page = report(small)
    assert "No limit of the node costs the bound anything here." in page.text
    assert "Without this limit" not in page.text


def test_a_run_that_was_not_scored_says_how_to(small):
    (small / "governor.json").unlink()
    told = Page(write_report(small).read_text(encoding="utf-8")).text
    assert f"lumenode score governor --compare --run {small.name}" in told


def test_pictures_lost_by_cause_need_no_score(small):
    (small / "governor.json").unlink()
    with np.load(small / "telemetry.npz") as kept:
        channels = {name: kept[name] for name in kept.files}
    seconds = len(channels["t_s"])
    counters = ("jobs", "dropped", "refused", "failed")
    channels |= {f"inference.{name}_total": np.zeros(seconds) for name in counters}
    channels["governor.throttle_reason"] = np.full(seconds, 2.0)
    channels["inference.dropped_total"][10:] = 7.0
    np.savez_compressed(small / "telemetry.npz", **channels)
    rewrite(small / "summary.json", lambda summary: summary.update(frames_seen=28))
    assert "heat 7 25.0 %" in plain(report(small).text)


def test_the_targets_that_the_bound_keeps_are_named_and_the_gap_is_told_by_knowledge_too(small):
    def kept(score):
        score.update(kept={"sink (°C)": 68.0}, split={"planner": 98_800.0}, value_bound_free=1e6)

    rewrite(small / "governor.json", kept)
    told = plain(report(small).text)
    assert "nothing is computed above sink (°C) 68.0" in told
    assert "planner 98 800.0 11.0 %" in told
    assert "64.0 %" in told  # the kernel's governor, against the bound without targets


def plain(text):
    """With spaces where the report has narrow ones."""
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ")


def test_nothing_on_the_page_is_fetched_from_anywhere(raw, page):
    for tag, attrs in page.elements:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            value = attrs.get(name)
            assert value is None or value.startswith(("data:image/png;base64,", "#")), (tag, value)
    assert "link" not in {tag for tag, _ in page.elements}
    styles = "".join(re.findall(r"<style>(.*?)</style>", raw, re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles


def test_the_policy_allows_exactly_the_scripts_of_the_page_and_no_network(raw, page):
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    scripts = re.findall(r"<script>(.*?)</script>", raw, re.DOTALL)
    hashes = {
        f"sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}" for s in scripts
    }
    assert set(re.findall(r"'(sha256-[^']+)'", policy)) == hashes
    assert len(hashes) == 2
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "http" not in policy


def test_hostile_text_from_files_stays_text(small):
    def hurt_product(meta):
        meta.update(name=HOSTILE, origin=HOSTILE, contact=HOSTILE, klass=HOSTILE)

    def hurt_summary(value):
        value.update(scenario=HOSTILE, log_hash=HOSTILE, software_version=HOSTILE)
        value["expectations"][0].update(id=HOSTILE, text=HOSTILE, unit=HOSTILE, kind=HOSTILE)
        value["passes"][0].update(peer=HOSTILE, verdict=HOSTILE)
        value["drops_by_queue"] = {HOSTILE: 1}

    def hurt_data(value):
        value["stations"][0]["name"] = HOSTILE
        value["contacts"][0].update(peer=HOSTILE, pat_state=[HOSTILE])
        value["faults"][0].update(text=HOSTILE, kind=HOSTILE)
        value.update(
            credits=[HOSTILE], mission=HOSTILE, modes=[HOSTILE], throttle_reasons=[HOSTILE]
        )

    rewrite(next((small / "products").glob("*mask.json")), hurt_product)
    rewrite(small / "summary.json", hurt_summary)
    rewrite(small / "report_data.json", hurt_data)
    event = {"t_s": 1.0, "severity": HOSTILE, "name": HOSTILE, "text": HOSTILE, "source": HOSTILE}
    (small / "events.jsonl").write_text(json.dumps(event) + "\n")
    raw = write_report(small).read_text(encoding="utf-8")
    page = Page(raw)
    assert raw.count("<script") == 3  # our data and our two scripts
    assert "onerror" not in {key for _, attrs in page.elements for key in attrs}
    assert all(image["src"].startswith("data:") for image in page.all("img"))
    assert page.text.count("<script>alert(1)</script>") >= 15


def test_the_same_files_give_the_same_bytes(small, tmp_path):
    first = write_report(small).read_bytes()
    copy = shutil.copytree(small, tmp_path / "elsewhere")
    (copy / "report.html").unlink()
    assert write_report(copy).read_bytes() == first


def test_a_long_run_stays_within_four_megabytes(flown, tmp_path):
    run_dir = shutil.copytree(flown, tmp_path / "long")
    with np.load(run_dir / "telemetry.npz") as archive:
        day = {name: np.tile(archive[name], 6) for name in archive.files}
    day["t_s"] = np.arange(len(day["t_s"]), dtype=float)
    rng = np.random.default_rng(3)
    for name in day.keys() - {"t_s", "mode.current", "governor.throttle_reason"}:
        day[name] = day[name] + rng.normal(0.0, 1.0, len(day["t_s"]))
    np.savez(run_dir / "telemetry.npz", **day)
    line = {"t_s": 5.0, "severity": "NOTICE", "name": "NOISE", "text": "n" * 90, "source": "flight"}
    alarm = line | {"severity": "ALARM", "name": "THE_ALARM"}
    rows = [json.dumps(line)] * 9000 + [json.dumps(alarm)]
    (run_dir / "events.jsonl").write_text("\n".join(rows))
    rewrite(run_dir / "report_data.json", lambda d: d.update(contacts=d["contacts"] * 15))
    path = write_report(run_dir)
    page = Page(path.read_text(encoding="utf-8"))
    assert path.stat().st_size < 4_000_000
    assert "THE_ALARM" in page.text
    assert "6001 less severe ones are only in events.jsonl." in page.text
    assert "20 more contacts are in report_data.json." in page.text


def test_a_run_without_optional_files_says_what_was_not_recorded(small):
    for name in ("telemetry.npz", "report_data.json", "scenario.toml", "events.jsonl"):
        (small / name).unlink()
    shutil.rmtree(small / "products")
    page = report(small)
    for wanted in ("Electrical power (power.array_w", "Ground track", "Delivered products"):
        assert wanted in page.text
    assert page.text.count("not recorded in this run") >= 12
    for name in ("telemetry.npz", "report_data.json", "scenario.toml", "events.jsonl"):
        assert f"{name}: No such file or directory" in page.text


def test_states_of_a_contact_come_from_telemetry_where_the_bench_lists_none(flown, tmp_path):
    run_dir = shutil.copytree(flown, tmp_path / "run")
    rewrite(run_dir / "report_data.json", lambda d: [c.pop("pat_state") for c in d["contacts"]])
    page = report(run_dir)
    assert "IDLE 25 s" in page.text
    assert "DATA 5 min 55 s" in page.text
    assert "REACQ" not in page.text


def test_a_card_says_why_a_picture_is_missing(small):
    masks = sorted((small / "products").glob("*.mask.png"))
    masks[0].write_bytes(masks[0].read_bytes()[:40])
    masks[1].unlink()
    (small / "products" / f"{masks[2].name[: -len('.mask.png')]}.tile.png").unlink()
    page = report(small)
    blanks = [d for d in page.all("div") if d.get("class") == "blank"]
    assert len(blanks) == 3
    for why in ("not readable", "not delivered", "no picture"):
        assert page.text.count(why) == 1


def test_missing_channels_leave_the_other_lines_of_a_chart(small):
    with np.load(small / "telemetry.npz") as archive:
        kept = {n: archive[n] for n in archive.files if n not in {"truth.soc", "power.laser_w"}}
    kept["battery.voltage_v"] = np.full(len(kept["t_s"]), np.nan)
    np.savez(small / "telemetry.npz", **kept)
    page = report(small)
    assert "Battery voltage (battery.voltage_v): not recorded" in page.text
    drawn = {d["data-chart"] for d in page.all("div") if "data-chart" in d}
    assert {"power", "soc"} <= drawn
    assert "voltage" not in drawn
    assert "estimated on board" in page.text


def test_counters_that_are_null_are_dashes_never_zero(small):
    def forget(value):
        for key in ("products_delivered", "value_created", "energy_j_array", "commands_accepted"):
            value[key] = None

    rewrite(small / "summary.json", forget)
    text = report(small).text
    assert "Products delivered — of 804 created" in text
    assert "Value delivered —" in text
    assert "of — from the array" in text
    assert "Accepted: —." in text


def test_a_failed_expectation_is_named_in_the_first_sentence(small):
    def fail(value):
        value["verdict"] = value["expectations"][1]["verdict"] = "fail"
        value["violation_s_thermal"] = 12.0

    rewrite(small / "summary.json", fail)
    page = report(small)
    assert "1 of 4 expectations did not hold: E2." in page.text
    assert "badge fail large" in {s.get("class") for s in page.all("span")}
    assert [row.get("class") for row in page.all("tr")].count("failed") == 1
    assert "tile bad" in {d.get("class") for d in page.all("div")}


def test_broken_inputs_are_told_on_the_page_and_do_not_stop_it(small):
    (small / "telemetry.npz").write_bytes(b"PK\x03\x04 not a zip")
    (small / "scenario.toml").write_text("name = ")
    (small / "report_data.json").write_text('{"track": "north"}')
    with (small / "events.jsonl").open("a") as log:
        log.write("{half a line")
    (small / "products" / "bad.json").write_bytes(b"\xff\xfe")
    text = report(small).text
    for name in ("telemetry.npz:", "scenario.toml:", "report_data.json:", "bad.json:"):
        assert name in text
    assert "events.jsonl: 1 lines cannot be read" in text


@pytest.mark.parametrize("content", [None, "", "[]", '{"verdict": 3}', '{"seed": 1}'])
def test_without_a_readable_summary_there_is_no_report(tmp_path, content):
    if content is not None:
        (tmp_path / "summary.json").write_text(content)
    with pytest.raises(ReportError, match=r"summary\.json"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_sentinel_imagery_carries_the_notice_its_licence_asks_for(small):
    def sentinel(meta):
        meta["origin"] = "S2B_MSIL2A_20240611_T32TLS row 3 column 4"

    assert "Copernicus" not in report(small).text
    rewrite(next((small / "products").glob("*mask.json")), sentinel)
    assert "Contains modified Copernicus Sentinel data." in report(small).text


def test_energy_and_time_are_marked_as_modelled_unless_a_board_was_measured(small):
    rewrite(small / "report_data.json", lambda d: d["inference"].update(modelled=False))
    assert "modelled" not in report(small).text
    rewrite(small / "report_data.json", lambda d: d.pop("inference"))
    assert "modelled" in report(small).text
    assert "Duration not recorded" in report(small).text


def test_the_line_to_reproduce_survives_a_shell(small):
    rewrite(small / "summary.json", lambda s: s.update(scenario="a b; rm -rf x"))
    assert "lumenode run 'a b; rm -rf x' --target sim --seed 7" in report(small).text
