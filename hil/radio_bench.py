"""Between the node's radio modem and the ground: line rate, light time, an elevation mask.

Beside `LinkBench`, as the radio is beside the laser: nothing to point at, no clouds, no fading; a
carrier that is found a moment after the station rises, and frames that are lost by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flight.wire.transfer_frame import RADIO
from hal.sample import TermFlag
from hil.link_bench import DELAY_NS, TerminalEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hil.contact_book import PlannedContact
    from hil.ground.ground_segment import GroundSegment
    from hil.run_recorder import RunRecorder

_NS_PER_S = 1_000_000_000
IDLE_NS, CONTACT_NS = _NS_PER_S, 50_000_000
LOCK_NS = 2 * _NS_PER_S
"""From the mask on: the ground finds the carrier, and the node the ground's."""
REPORT_PERIOD_NS = _NS_PER_S
"""A report of a kilobyte is a tenth of a second of a slow line."""


@dataclass(slots=True)
class RadioLog:
    """What the radio carried in all contacts."""

    contacts: int = 0
    frames_sent: int = 0
    frames_lost: int = 0
    bytes_good: int = 0
    uplink_sent: int = 0
    uplink_lost: int = 0


class RadioBench:
    """Carries frames both ways; `step` returns when it wants to be stepped next.

    Args:
        modem: the bench's end of the node's radio device.
        contacts: one after the other.
        loss: share of frames lost, either way.
    """

    def __init__(  # noqa: PLR0913  the target names every part
        self,
        *,
        modem: TerminalEnd,
        contacts: Sequence[PlannedContact],
        ground: GroundSegment,
        recorder: RunRecorder,
        call_at_ns: Callable[..., object],
        seeds: np.random.SeedSequence,
        loss: float,
    ) -> None:
        self._modem = modem
        self._waiting = list(contacts)
        self._ground = ground
        self._recorder = recorder
        self._call_at_ns = call_at_ns
        self._luck = np.random.Generator(np.random.PCG64(seeds))
        self._loss = loss
        self._contact: PlannedContact | None = None
        self._locked = False
        self._down_free_ns = self._up_free_ns = self._next_report_ns = 0
        self.log = RadioLog()

    def step(self, now_ns: int) -> int:
        """Advances to `now_ns`; returns the next time it wants to be stepped."""
        contact = self._follow(now_ns)
        if contact is None:
            return now_ns - now_ns % IDLE_NS + IDLE_NS
        locked = now_ns >= round(contact.start_s * _NS_PER_S) + LOCK_NS
        if locked is not self._locked:
            self._show(locked=locked)
            self._down_free_ns = self._up_free_ns = now_ns
        if locked:
            self._drain(contact, now_ns)
            self._uplink(contact, now_ns)
        return now_ns - now_ns % CONTACT_NS + CONTACT_NS

    def node_reset(self) -> None:
        """The modem is off for a moment; the ground's carrier is still there when it comes back."""
        self._locked = False

    def _follow(self, now_ns: int) -> PlannedContact | None:
        t_s = now_ns / _NS_PER_S
        if self._contact is not None and t_s >= self._contact.end_s:
            self._contact = None
            self._show(locked=False)
        if self._contact is None and self._waiting and t_s >= self._waiting[0].start_s:
            self._contact = self._waiting.pop(0)
            self.log.contacts += 1
        return self._contact

    def _show(self, *, locked: bool) -> None:
        self._locked = locked
        self._modem.write_sensors(term_flags=int(TermFlag.SYNC) if locked else 0)

    def _drain(self, contact: PlannedContact, now_ns: int) -> None:
        """What the line could carry since the last step; a frame goes once its turn has come."""
        self._down_free_ns = max(self._down_free_ns, now_ns - CONTACT_NS)
        while self._down_free_ns <= now_ns:
            frames = self._modem.drain_tx(1)
            if not frames:
                return
            frame = frames[0]
            self._down_free_ns += int(len(frame) * 8 * _NS_PER_S / contact.rate_bps)
            good = not self._is_lost()
            self.log.frames_sent += 1
            self.log.frames_lost += not good
            self._recorder.frame(self._down_free_ns, frame, good=good)
            if good:
                self.log.bytes_good += len(frame)
                arrives_ns = self._down_free_ns + DELAY_NS
                self._call_at_ns(arrives_ns, self._land, frame, arrives_ns)

    def _land(self, frame: bytes, now_ns: int) -> None:
        self._ground.on_frame(frame, now_ns, RADIO)

    def _uplink(self, contact: PlannedContact, now_ns: int) -> None:
        if self._up_free_ns > now_ns:
            return
        report = now_ns >= self._next_report_ns
        if report:
            self._next_report_ns = now_ns + REPORT_PERIOD_NS
        at_ns = now_ns
        for frame in self._ground.uplink(now_ns, report=report, by=RADIO):
            at_ns += int(len(frame) * 8 * _NS_PER_S / contact.rate_bps)
            self.log.uplink_sent += 1
            if self._is_lost():
                self.log.uplink_lost += 1
                continue
            self._call_at_ns(at_ns + DELAY_NS, self._modem.push_rx, frame)
        self._up_free_ns = at_ns

    def _is_lost(self) -> bool:
        return float(self._luck.random()) < self._loss
