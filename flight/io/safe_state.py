"""What the hardware is left in when the flight software goes: the state that a reset leaves.

Hop "acted" of sensor → actuator, the last one of a flight. Each actuator is tried whatever became
of the one before it, in the order of the harm it can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hal.sample import HalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hal.protocols import NodeDevices


def leave_safe(devices: NodeDevices) -> list[HalError]:
    """Laser off, terminal stowed, payload off, heater off; what could not be done is returned.

    The heater goes too: without its thermostat it would empty the battery.
    """
    setters: tuple[Callable[[], int], ...] = (
        lambda: devices.set_laser(False),
        lambda: devices.point_terminal(0),
        lambda: devices.set_payload_level(0),
        lambda: devices.set_heater(False),
    )
    failed: list[HalError] = []
    for setter in setters:
        try:
            setter()
        except HalError as error:
            failed.append(error)
    return failed
