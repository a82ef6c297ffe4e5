"""The page: sections in reading order, style and script inlined, nothing fetched.

A content security policy allows exactly the two scripts of the report, by their hashes, and no
network: even a hole in the escaping could neither run nor send anything.
"""

import base64
import hashlib
from collections.abc import Callable
from importlib import resources

from hil.report import (
    gallery,
    section_contacts,
    section_flight,
    section_governor,
    section_log,
    section_outcome,
)
from hil.report.charts import chart_data
from hil.report.markup import Markup, el, join, json_block
from hil.report.run_record import RunRecord

Section = Callable[[RunRecord], Markup]

SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("outcome", "Outcome", section_outcome.key_figures),
    ("expectations", "Expectations", section_outcome.expectations),
    ("orbit", "Orbit and ground track", section_flight.orbit),
    ("modes", "Modes and faults", section_flight.modes),
    ("power", "Power and battery", section_flight.power),
    ("thermal", "Temperatures and throttling", section_flight.heat),
    ("governor", "The governor against the possible", section_governor.governor),
    ("inference", "On-board inference", section_flight.inference),
    ("queue", "Downlink queue", section_flight.queue),
    ("contacts", "Contacts", section_contacts.contacts),
    ("products", "Delivered products", gallery.gallery),
    ("commands", "Commands", section_log.commands),
    ("resets", "Resets", section_log.resets),
    ("events", "Events", section_log.events),
    ("reproduce", "How to reproduce this run", section_log.reproduce),
    ("credits", "Credits", section_log.credit_lines),
)


def _asset(name: str) -> str:
    return resources.files("hil.report").joinpath(f"assets/{name}").read_text("utf-8")


def _source_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _head(title: str, scripts: list[str]) -> Markup:
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
        f"form-action 'none'; script-src {' '.join(_source_hash(s) for s in scripts)}"
    )
    return el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("style", Markup(_asset("uplot.min.css"))),
        el("style", Markup(_asset("report.css"))),
    )


def _contents() -> Markup:
    links = [el("a", title, href=f"#{key}") for key, title, _ in SECTIONS if key != "credits"]
    return el("nav", *links, aria_label="Sections")


def render(record: RunRecord) -> str:
    """Return the whole page; the same record gives the same text, byte for byte."""
    scripts = [_asset("uplot.min.js"), _asset("report.js")]
    s = record.summary
    title = f"{section_outcome.mission_name(record)}, seed {s.seed}: {s.verdict}"
    sections = [
        el("section", el("h2", el("span", str(i), class_="no"), title), make(record), id=key)
        for i, (key, title, make) in enumerate(SECTIONS, start=1)
    ]
    no_script = el("noscript", el("p", "The charts over mission time need scripts.", class_="note"))
    body = el(
        "body",
        el(
            "main",
            section_outcome.header(record),
            _contents(),
            no_script,
            *sections,
            el("footer", f"Lumenode {s.software_version or ''} · log hash {s.log_hash or ''}"),
        ),
        json_block("report-data", chart_data(record)),
        *[el("script", Markup(script)) for script in scripts],
    )
    page = join(Markup("<!doctype html>\n"), el("html", _head(title, scripts), body, lang="en"))
    return str(page) + "\n"
