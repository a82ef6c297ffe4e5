"""Fault protection as tables: what must stay true in a mode, and how it is got there."""

from __future__ import annotations

from table_parts import table

from flight.modes.mode_table import SEQUENCES, TARGETS, Part
from flight.modes.target_keeper import DRIFT_AFTER_NS, DRIFT_OVER_NS
from flight.telemetry.definitions import Mode

_NS_PER_S = 1e9


def targets() -> str:
    """Target table, sequence table, and what counts as drift."""
    wanted = [[mode.name, *(TARGETS[mode][part].value for part in Part)] for mode in Mode]
    steps = [
        [mode.name, *(f"{step.part.value}: {step.need.value} ({step.within_ns / _NS_PER_S:g} s)"
                      for step in SEQUENCES[mode])]
        for mode in Mode
    ]  # fmt: skip
    note = (
        f"Out of its target for {DRIFT_AFTER_NS / _NS_PER_S:g} s is a drift, "
        f"back for {DRIFT_OVER_NS / _NS_PER_S:g} s ends it."
    )
    head = ["mode", *(part.value for part in Part)]
    order = ["to get to", *("first", "then", "last")]
    return f"{table(head, wanted)}\n\n{table(order, steps)}\n\n{note}"
