"""Sensors that a board does not have, by the names a configuration gives them.

Not every board measures everything: a Raspberry Pi on a bench has no battery and no heat sink
sensor. What is declared absent is neither waited for nor told as lost, and no limit hangs on it.
What stands in for it is said where it is used (`ThermalEstimator`, `MainsSupply`, `Governor`).
"""

from __future__ import annotations

from typing import Literal

from hal.sample import SensorBit

SensorName = Literal[
    "array", "bus", "battery", "cells", "payload", "laser", "die", "sink", "radiator", "sun",
    "terminal", "rx_power",
]  # fmt: skip

FIELDS: dict[SensorName, int] = {
    "array": SensorBit.ARRAY,
    "bus": SensorBit.BUS,
    "battery": SensorBit.BATTERY_V | SensorBit.BATTERY_I,
    "cells": SensorBit.BATTERY_TEMP,
    "payload": SensorBit.PAYLOAD,
    "laser": SensorBit.LASER,
    "die": SensorBit.DIE_TEMP,
    "sink": SensorBit.SINK_TEMP,
    "radiator": SensorBit.RADIATOR_TEMP,
    "sun": SensorBit.SUN,
    "terminal": SensorBit.TERM_TEMP,
    "rx_power": SensorBit.RX_POWER,
}
"""Validity bits of the HAL's frame behind each name; limits have the same names."""


def mask_of(absent: tuple[SensorName, ...]) -> int:
    """Validity bits of everything that is absent."""
    mask = 0
    for name in absent:
        mask |= FIELDS[name]
    return mask


def absent_in(valid: int) -> tuple[SensorName, ...]:
    """Names of what a frame with these validity bits gives nothing of."""
    return tuple(name for name, bits in FIELDS.items() if not valid & bits)
