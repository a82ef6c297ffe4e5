"""The picture of a contact: well-formed, whole, and safe whatever a peer is called."""

import xml.etree.ElementTree as ET

import msgspec

from hil.passes.picture import contact_picture
from hil.report.run_values import Contact

SVG = "{http://www.w3.org/2000/svg}"


def contact(**changes):
    given = {
        "start_s": 900.0, "end_s": 1200.0, "t_s": [900.0, 1000.0, 1100.0],
        "elevation_deg": [20.0, 40.0, 20.0], "range_km": [1400.0, 900.0, 1400.0],
        "margin_db": [1.0, 6.0, 1.0], "goodput_bps": [0.0, 2e6, 1e6], "products": [0, 4, 9],
        "pat_state": [1, 6, 6],
    }  # fmt: skip
    return msgspec.convert({**given, **changes}, Contact)


def test_it_holds_a_panel_for_each_quantity_and_the_states() -> None:
    root = ET.fromstring(contact_picture(contact(), "One contact", "note"))
    titles = [t.text for t in root.iter(f"{SVG}text") if t.get("class") == "title"]
    assert [title.split(",")[0] for title in titles] == [
        "Elevation", "Range", "Link margin", "Goodput", "Products complete", "Pointing",
    ]  # fmt: skip


def test_a_relay_has_no_elevation_and_no_empty_panel() -> None:
    root = ET.fromstring(contact_picture(contact(elevation_deg=[]), "t", "n"))
    assert len([t for t in root.iter(f"{SVG}svg") if t.get("class") == "plot"]) == 4


def test_a_hostile_name_stays_text() -> None:
    text = contact_picture(contact(), "<script>alert(1)</script>", "&")
    assert "<script>" not in text
    ET.fromstring(text)
