"""Channels of health and of the recovery table: one word and a few counters for each row.

Leaf of the house. The names of components and recoveries stand here, since ground and bench read
them; a test holds them to the tables of `flight.fdir`.
"""

from __future__ import annotations

from flight.telemetry.definitions import Channel, Health, Kind

HEALTH_LABELS = tuple(word.name.lower() for word in Health)
ROW_LABELS = ("armed", "stands", "spent", "exhausted", "shadow", "shadow_holds", "disabled")
COMPONENTS = (
    *("main", "telemetry", "downlink", "inference", "planner", "mqtt", "store"),
    *("sensors", "payload", "heater", "terminal"),
)
"""Everything that has a health: members of the cycle and services, then devices."""

RECOVERY_SLUGS = (
    *("die_too_hot", "battery_low", "cells_out_of_range", "sensors_lost", "software_stood_still"),
    *("laser_does_not_obey", "beam_should_be_dark", "payload_does_not_obey"),
    *("terminal_too_hot", "die_not_measured"),
    *("sink_not_measured", "battery_not_measured", "sink_too_hot", "link_stands_still"),
    *("link_lost", "telemetry_lost", "inference_stands_still", "inference_lost", "ground_silent"),
)
"""The rows of the recovery table by precedence; their names with underscores."""
RETRYING_SLUGS = ("link_stands_still", "inference_stands_still")
"""Those with a budget."""


def _of_row(slug: str) -> tuple[Channel, ...]:
    said = slug.replace("_", " ")
    group, counter = "recovery", Kind.COUNTER
    rows = (
        Channel(f"recovery.{slug}", "", group, Kind.ENUM, f"row `{said}`", ROW_LABELS),
        Channel(f"recovery.{slug}_fired", "", group, counter, f"times `{said}` has fired"),
        Channel(f"recovery.{slug}_shadow", "", group, counter, f"times `{said}` would have fired"),
    )
    if slug not in RETRYING_SLUGS:
        return rows
    left = Channel(f"recovery.{slug}_left", "", group, counter, f"tries left to `{said}`")
    return (*rows, left)


HEALTH_CHANNELS: tuple[Channel, ...] = (
    *(
        Channel(f"health.{name}", "", "health", Kind.ENUM, f"health of {name}", HEALTH_LABELS)
        for name in COMPONENTS
    ),
    Channel("health.stalls_total", "", "health", Kind.COUNTER, "times a heartbeat stood still"),
    *(channel for slug in RECOVERY_SLUGS for channel in _of_row(slug)),
)
