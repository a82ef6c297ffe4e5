"""Between the node's terminal and the ground: line rate, light time, fading, lock, lost reports.

Stepped by the bench. It looks at what the node commanded (pointing, laser), lets the terminal model
acquire over the contact's channel, drains the transmit FIFO at line rate, decides each frame's fate
and carries reports and commands up. While nothing flows it asks to be woken rarely.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hil.plant.bit_errors import BitErrors
from hil.plant.terminal import TerminalModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from hal.sample import Actuators
    from hil.contact_book import ContactBook, PlannedContact
    from hil.ground.ground_segment import GroundSegment
    from hil.plant.optical_channel import ContactTrace
    from hil.run_recorder import RunRecorder

_NS_PER_S = 1_000_000_000
IDLE_NS, CONTACT_NS, FLOW_NS_LEAST = _NS_PER_S, 100_000_000, 1_000_000
SLEW_NS = 4_000_000_000
"""The terminal needs this long to look at another peer (1 to 2 degrees a second)."""
DELAY_NS = 20_000_000
"""Light time plus modem, interleaver and software, one way."""
UPLINK_BPS = 1e6
POWER_NOTHING_MDBM = -90_000
SAMPLE_NS = _NS_PER_S


@dataclass(slots=True)
class ContactLog:
    """What one contact gave, second by second and in sum."""

    contact: PlannedContact
    t_s: list[float] = field(default_factory=list)
    margin_db: list[float] = field(default_factory=list)
    goodput_bps: list[float] = field(default_factory=list)
    products: list[int] = field(default_factory=list)
    frames_sent: int = 0
    frames_lost: int = 0
    bytes_good: int = 0
    acquired_s: float | None = None
    keep_out_s: float = 0.0
    """The terminal looked or shone where it must not."""
    uplink_sent: int = 0
    uplink_lost: int = 0
    products_before: int = 0
    products_completed: int = 0


class _Open:
    """A contact under way."""

    def __init__(self, log: ContactLog, trace: ContactTrace) -> None:
        self.log = log
        self.trace = trace
        self.terminal = TerminalModel(trace)
        self.line_free_ns = 0
        self.flow_ns = FLOW_NS_LEAST
        """Between two looks while frames flow: what the last one took, in whole milliseconds."""
        self.next_report_ns = 0
        self.next_sample_ns = 0
        self.looked_ns: int | None = None
        self.sampled_bytes = 0
        self.uplink_index = 0
        self.blinded = False

    def note_keep_outs(self, now_ns: int, *, astray: bool) -> None:
        """Whether the Sun blinds the terminal, and for how long it was where it must not be."""
        t_s, planned = now_ns / _NS_PER_S, self.log.contact
        self.blinded = any(begin_s <= t_s < end_s for begin_s, end_s in planned.sun)
        avoid = any(begin_s <= t_s < end_s for begin_s, end_s in planned.avoid)
        if astray and (self.blinded or avoid) and self.looked_ns is not None:
            self.log.keep_out_s += (now_ns - self.looked_ns) / _NS_PER_S
        self.looked_ns = now_ns


class TerminalEnd(Protocol):
    """The bench's end of a node, as far as light and frames touch it; see `NodeBench`."""

    def read_actuators(self) -> Actuators:
        """What the flight software told the node."""
        ...

    def write_sensors(self, **fields: int) -> None:
        """What the terminal's sensors show."""
        ...

    def drain_tx(self, frames_max: int) -> list[bytes]:
        """Takes the oldest transmitted frames; each gives back a credit."""
        ...

    def push_rx(self, frame: bytes) -> bool:
        """Lets the terminal receive a frame; False when it is lost."""
        ...


class LinkBench:
    """Carries frames both ways; `step` returns when it wants to be stepped next."""

    def __init__(  # noqa: PLR0913  the target names every part
        self,
        *,
        bench: TerminalEnd,
        book: ContactBook,
        ground: GroundSegment,
        recorder: RunRecorder,
        call_at_ns: Callable[..., object],
        seeds: np.random.SeedSequence,
        report_period_s: float,
        report_loss: float,
        bit_error_rate: float = 0.0,
    ) -> None:
        self._bench = bench
        self._book = book
        self._ground = ground
        self._recorder = recorder
        self._call_at_ns = call_at_ns
        self._luck = np.random.Generator(np.random.PCG64(seeds))
        self._report_period_ns = round(report_period_s * _NS_PER_S)
        self._report_loss = report_loss
        self._bits = BitErrors(bit_error_rate, seeds)
        self._waiting = list(book.contacts)
        self._open: _Open | None = None
        self._target_id = 0
        self._pointed_since_ns = 0
        self._frames = 0
        self.logs: list[ContactLog] = []

    def step(self, now_ns: int) -> int:
        """Advances the link to `now_ns`; returns the next time it wants to be stepped."""
        contact = self._contact(now_ns)
        if contact is None:
            return now_ns - now_ns % IDLE_NS + IDLE_NS
        actuators = self._bench.read_actuators()
        if actuators.target_id != self._target_id:
            self._target_id, self._pointed_since_ns = actuators.target_id, now_ns
        log = contact.log
        aimed = self._target_id == log.contact.peer_id
        laser = bool(actuators.laser_on)
        contact.note_keep_outs(now_ns, astray=aimed or laser)
        pointed = aimed and now_ns - self._pointed_since_ns >= SLEW_NS and not contact.blinded
        flags = contact.terminal.step(now_ns, pointed, laser)
        synced = contact.terminal.in_sync
        if synced and log.acquired_s is None:
            log.acquired_s = now_ns / _NS_PER_S - log.contact.start_s
        power_mdbm = POWER_NOTHING_MDBM
        if pointed:
            power_mdbm = round(contact.trace.rx_power_dbm(now_ns) * 1000.0)
        self._bench.write_sensors(term_flags=flags, rx_power_mdbm=power_mdbm)
        drained = self._drain(contact, now_ns) if synced and laser else 0
        if synced:
            self._uplink(contact, now_ns)
        self._sample(contact, now_ns)
        flows = drained or contact.line_free_ns > now_ns
        period_ns = contact.flow_ns if flows else CONTACT_NS
        return now_ns - now_ns % period_ns + period_ns

    def node_reset(self, now_ns: int) -> None:
        """The node lost power: its terminal is stowed and dark until it is told otherwise."""
        self._target_id, self._pointed_since_ns = 0, now_ns

    def _contact(self, now_ns: int) -> _Open | None:
        t_s = now_ns / _NS_PER_S
        if self._open is not None and t_s >= self._open.log.contact.end_s:
            self._close()
        if self._open is None and self._waiting and t_s >= self._waiting[0].start_s:
            contact = self._waiting.pop(0)
            log = ContactLog(contact, products_before=self._ground.receiver.counters.products)
            self.logs.append(log)
            self._open = _Open(log, self._book.trace(contact))
            self._open.line_free_ns = now_ns
        return self._open

    def _close(self) -> None:
        assert self._open is not None
        log = self._open.log
        log.products_completed = self._ground.receiver.counters.products - log.products_before
        self._bench.write_sensors(term_flags=0, rx_power_mdbm=POWER_NOTHING_MDBM)
        self._open = None

    def _drain(self, contact: _Open, now_ns: int) -> int:
        """Takes from the FIFO what the line could carry since the last step."""
        rate = contact.log.contact.rate_bps
        oldest_ns = now_ns - CONTACT_NS
        contact.line_free_ns = max(contact.line_free_ns, oldest_ns)
        drained = 0
        while contact.line_free_ns < now_ns:
            frames = self._bench.drain_tx(1)
            if not frames:
                break
            drained += 1
            frame = frames[0]
            start_ns = contact.line_free_ns
            end_ns = start_ns + int(len(frame) * 8 * _NS_PER_S / rate)
            contact.line_free_ns = end_ns
            whole_ns = (end_ns - start_ns) // FLOW_NS_LEAST * FLOW_NS_LEAST
            contact.flow_ns = min(max(whole_ns, FLOW_NS_LEAST), CONTACT_NS)
            self._carry_down(contact, frame, start_ns, end_ns)
        return drained

    def _carry_down(self, contact: _Open, frame: bytes, start_ns: int, end_ns: int) -> None:
        log = contact.log
        log.frames_sent += 1
        good = contact.trace.downlink_frame_ok(self._frames, start_ns, end_ns)
        self._frames += 1
        self._recorder.frame(end_ns, frame, good=good)
        if not good:
            log.frames_lost += 1
            return
        log.bytes_good += len(frame)
        frame = self._bits.spoil(frame)
        self._call_at_ns(end_ns + DELAY_NS, self._land, frame, end_ns + DELAY_NS)

    def _land(self, frame: bytes, now_ns: int) -> None:
        self._ground.on_frame(frame, now_ns)

    def _uplink(self, contact: _Open, now_ns: int) -> None:
        report = now_ns >= contact.next_report_ns
        if report:
            contact.next_report_ns = now_ns + self._report_period_ns
        for frame in self._ground.uplink(now_ns, report=report):
            end_ns = now_ns + int(len(frame) * 8 * _NS_PER_S / UPLINK_BPS)
            log = contact.log
            log.uplink_sent += 1
            contact.uplink_index += 1
            heard = contact.trace.uplink_frame_ok(contact.uplink_index, now_ns, end_ns)
            if float(self._luck.random()) < self._report_loss or not heard:
                log.uplink_lost += 1
                continue
            self._call_at_ns(end_ns + DELAY_NS, self._bench.push_rx, frame)

    def _sample(self, contact: _Open, now_ns: int) -> None:
        if now_ns < contact.next_sample_ns:
            return
        contact.next_sample_ns = now_ns - now_ns % SAMPLE_NS + SAMPLE_NS
        log = contact.log
        at = contact.trace.sample(now_ns)
        log.t_s.append(now_ns / _NS_PER_S)
        log.margin_db.append(contact.trace.down.mean_db(max(at - 999, 0), max(at, 0)))
        log.goodput_bps.append((log.bytes_good - contact.sampled_bytes) * 8.0)
        log.products.append(self._ground.receiver.counters.products - log.products_before)
        contact.sampled_bytes = log.bytes_good
