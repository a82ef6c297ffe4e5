"""The laser terminal's registers of a `FakeDevices`; the same map as backend "sim" shows.

It holds what the sensors do not: inhibit, mount, power, and where its counters stood at its last
reset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hal.sample import HalError, HalErrorKind, SensorBit, Stuck, TermFlag
from hal.terminal_registers import (
    TERM_ABSENT,
    TERM_MAGIC,
    TERM_MAP_VERSION,
    TERM_REG_COUNT,
    TermFault,
    TermRegister,
    judge_write,
    to_word,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hal.fake_devices import FakeDevices

_T = TermRegister
VENDOR_SIM = int.from_bytes(b"SIM ", "big")
COMMANDS_AT_RESET = {
    _T.INHIBIT: 0,
    _T.AZIMUTH_UDEG: 0,
    _T.ELEVATION_UDEG: 0,
    _T.SCAN_URAD: 500,
    _T.TX_POWER_PERMILLE: 1000,
}


def shown_by_sensors(sensors: Mapping[str, int]) -> dict[TermRegister, int]:
    """The registers that only repeat what the terminal's sensors show; names of `SENSOR_FIELDS`."""
    faulty = sensors["term_flags"] & TermFlag.FAULT
    return {
        register: to_word(value) if sensors["valid"] & bit else TERM_ABSENT
        for register, bit, value in (
            (_T.FLAGS, SensorBit.TERM_FLAGS, sensors["term_flags"]),
            (_T.FAULT, SensorBit.TERM_FLAGS, TermFault.INTERNAL if faulty else 0),
            (_T.RX_POWER_MDBM, SensorBit.RX_POWER, sensors["rx_power_mdbm"]),
            (_T.LASER_MDEGC, SensorBit.TERM_TEMP, sensors["term_mdegc"]),
            (_T.POWER_MW, SensorBit.LASER, sensors["laser_mw"]),
        )
    }


class FakeTerminal:
    """The register map over a fake node."""

    def __init__(self, devices: FakeDevices) -> None:
        self._devices = devices
        self.held = dict(COMMANDS_AT_RESET)
        self._before = dict.fromkeys(self._counters(), 0)

    @property
    def inhibited(self) -> bool:
        """Whether the laser is kept dark."""
        return bool(self.held[_T.INHIBIT])

    def reset(self) -> None:
        """As after power-up: dark, stowed, FIFOs empty, commands at their defaults."""
        devices = self._devices
        devices.told[Stuck.LASER] = devices.told[Stuck.TARGET] = 0
        self.held = dict(COMMANDS_AT_RESET)
        devices.flush()
        self._before = self._counters()

    def read(self, first: int, count: int) -> list[int]:
        """`count` words from `first` on; RANGE outside the map."""
        if not 0 <= first < first + count <= TERM_REG_COUNT:
            raise HalError("fake.registers", -HalErrorKind.RANGE)
        shown = self._shown()
        return [shown.get(TermRegister(reg), TERM_ABSENT) for reg in range(first, first + count)]

    def write(self, register: int, value: int) -> None:
        """RANGE or PERM for what may not be written; else it is done."""
        refused = judge_write(register, value)
        if refused is not None:
            self._devices.counted["setters_rejected"] += 1
            raise HalError("fake.registers", -refused)
        if register == _T.TARGET_ID:
            self._devices.actuate(Stuck.TARGET, value)
        elif register == _T.LASER_ENABLE:
            self._devices.actuate(Stuck.LASER, value)
        elif register == _T.RESET:
            self.reset()
        else:
            self.held[TermRegister(register)] = to_word(value)
            if register == _T.INHIBIT and self.inhibited:
                self._devices.actuate(Stuck.LASER, 0)

    def _counters(self) -> dict[TermRegister, int]:
        devices, counted = self._devices, self._devices.counted
        received = counted["rx_delivered"] + counted["rx_flushed"] + len(devices.rx)
        return {
            _T.TX_FRAMES: devices.tx_frames_total,
            _T.TX_REJECTED: counted["tx_rejected_full"] + counted["tx_rejected_size"],
            _T.RX_FRAMES: received,
            _T.RX_OVERFLOW: counted["rx_overflow"],
        }

    def _shown(self) -> dict[TermRegister, int]:
        devices = self._devices
        config, sensors = devices.config, devices.sensors
        shown = {
            _T.MAGIC: TERM_MAGIC,
            _T.MAP_VERSION: TERM_MAP_VERSION,
            _T.VENDOR: VENDOR_SIM,
            _T.SERIAL: 1,
            _T.FRAME_BYTES_MAX: config.max_frame_bytes,
            _T.TX_FIFO_FRAMES: config.tx_fifo_frames,
            _T.RX_FIFO_FRAMES: config.rx_fifo_frames,
            _T.TARGET_ID: devices.told[Stuck.TARGET],
            _T.LASER_ENABLE: devices.told[Stuck.LASER],
            **self.held,
            _T.RESET: 0,
            _T.TX_CREDIT: config.tx_fifo_frames - len(devices.tx),
            _T.RX_PENDING: len(devices.rx),
        }
        shown.update(shown_by_sensors(sensors))
        for register, count in self._counters().items():
            shown[register] = (count - self._before[register]) % (1 << 32)
        return shown
