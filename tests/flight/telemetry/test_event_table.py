"""The table of events says what is told, and nothing that nobody tells."""

from pathlib import Path

from flight.telemetry.dictionary import EVENTS

ROOT = Path(__file__).resolve().parents[3]


def test_every_event_has_somebody_who_tells_it():
    sources = [path for room in ("flight", "hil") for path in (ROOT / room).rglob("*.py")]
    text = "".join(path.read_text() for path in sources if path.name != "event_table.py")
    assert [each.name for each in EVENTS if f'"{each.name}"' not in text] == []
