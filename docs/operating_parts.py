"""Commands, and events with what to do about them, for the page on operating."""

from __future__ import annotations

from flight.icd_pages import command_table, table
from flight.telemetry.dictionary import EVENTS, Severity
from flight.telemetry.event_actions import EVENT_ACTIONS


def events() -> str:
    """Every event that warns, the worst first."""
    loud = [event for event in EVENTS if event.severity >= Severity.WARNING]
    loud.sort(key=lambda event: (-event.severity, event.event_id))
    for each in loud:
        if each.name not in EVENT_ACTIONS:
            raise ValueError(f"{each.name}: flight/telemetry/event_actions.py has nothing to do")
    rows = [
        [f"`{each.name}`", each.severity.name, each.text, EVENT_ACTIONS[each.name]] for each in loud
    ]
    return table(["event", "severity", "says", "to do"], rows)


def commands() -> str:
    """Every telecommand."""
    return command_table()
