"""Pointing, acquisition and tracking of the laser terminal: one table, first matching row wins.

Image -> ground, hop "acted", below the frames. Stepped ten times a second in contact. Words follow
the acquisition sequence of lasercom terminals (slew, scan, coarse and fine lock, modem sync).

    any state: inhibit or fault ----------------------> SAFE ---- both clear for 2 s ---> IDLE
    any state in contact: contact over ---------------> IDLE
    any state in contact: another peer ---------------> SLEW

    IDLE --contact--> SLEW --points there--> SCAN --beacon--> COARSE --coarse--> FINE --fine-->
    MODEM_SYNC --sync--> DATA <--sync-- COAST (fade, at most 1 s) --too long--> REACQ
                          `---sync lost--^                                        |
    SCAN / COARSE / FINE / MODEM_SYNC too long, or lock lost ---> REACQ ---wait---+--> SCAN
                                                                  (0.5 s, doubled, at most 8 s)
    REACQ for the seventh time without data in between, or SLEW too long ---> LOST (pass failed)

Rules that hold in every state, because the outputs are computed and not remembered: the laser is
wished on only while an authorised contact is active, the terminal reports that it points at the
contact's peer, its beacon has been seen (COARSE or later), and nothing inhibits it; frames are
given to the modem only in DATA. In COAST nothing is sent and nothing is forgotten: fades of 50 to
500 ms are the channel's normal life.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hal.sample import TermFlag

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.downlink.pass_plan import Contact

_MS = 1_000_000
SLEW_MAX_NS = 60_000 * _MS  # half a turn at 3 deg/s
SCAN_MAX_NS = 40_000 * _MS  # four times the median of a first acquisition
LOCK_MAX_NS = 5_000 * _MS
COAST_MAX_NS = 1_000 * _MS
BACKOFF_FIRST_NS = 500 * _MS
BACKOFF_MAX_NS = 8_000 * _MS
SAFE_CLEAR_NS = 2_000 * _MS
ATTEMPTS_MAX = 6


class PatState(Enum):
    """Where acquisition stands."""

    IDLE = "IDLE"
    SLEW = "SLEW"
    SCAN = "SCAN"
    COARSE = "COARSE"
    FINE = "FINE"
    MODEM_SYNC = "MODEM_SYNC"
    DATA = "DATA"
    COAST = "COAST"
    REACQ = "REACQ"
    LOST = "LOST"
    SAFE = "SAFE"


class Effect(Enum):
    """What a transition does besides changing the state."""

    NONE = "none"
    START_CONTACT = "start_contact"
    LINK_UP = "link_up"
    FADE = "fade"
    FADE_OVER = "fade_over"
    RETRY = "retry"
    GIVE_UP = "give_up"
    END_CONTACT = "end_contact"
    MAKE_SAFE = "make_safe"


class TerminalInputs(msgspec.Struct, frozen=True):
    """What the machine looks at in one step.

    Attributes:
        now_ns: mission time.
        contact: the contact going on, or None; one that is not authorised counts for nothing.
        flags: `TermFlag` bits as read, or None when the terminal did not answer.
        target_id: what it reports to point at, or None when that is not known.
        inhibit: an operator, a keep-out window or a mode forbids the laser.
    """

    now_ns: int
    contact: Contact | None
    flags: int | None
    target_id: int | None
    inhibit: bool


class TerminalOutputs(msgspec.Struct, frozen=True):
    """What the terminal is told, and what happened.

    Attributes:
        state: after the step.
        target_id: where to point, 0 to stow.
        laser_on: the laser's wish; the HAL's read-back says whether it came true.
        may_send: the modem takes frames.
        row: the transition taken, or None.
    """

    state: PatState
    target_id: int
    laser_on: bool
    may_send: bool
    row: Row | None


class TerminalCounters(msgspec.Struct):
    """Since start; `fade_ns` is the time spent in COAST that ended with sync again."""

    contacts: int = 0
    links: int = 0
    fades: int = 0
    fade_ns: int = 0
    retries: int = 0
    failed_passes: int = 0
    safings: int = 0


class _View(NamedTuple):
    """One step as the conditions see it."""

    flags: int
    contact: Contact | None
    working_on: int | None
    points_at_peer: bool
    unsafe: bool
    clear_ns: int
    in_state_ns: int
    backoff_ns: int
    attempts: int


class Row(NamedTuple):
    """One transition: from any of `states`, when `condition` holds, to `to`, doing `effect`."""

    states: frozenset[PatState]
    cause: str
    condition: Callable[[_View], bool]
    to: PatState
    effect: Effect


def _has(*flags: TermFlag) -> Callable[[_View], bool]:
    mask = sum(flags)
    return lambda view: view.flags & mask == mask


def _for(limit_ns: int) -> Callable[[_View], bool]:
    return lambda view: view.in_state_ns >= limit_ns


def _is_other(view: _View) -> bool:
    return view.contact is not None and view.contact.contact_id != view.working_on


def _states(*states: PatState) -> frozenset[PatState]:
    return frozenset(states)


_S, _E, _F = PatState, Effect, TermFlag
_IN_CONTACT = frozenset(PatState) - {_S.IDLE, _S.SAFE}
_POINTED = _IN_CONTACT - {_S.SLEW, _S.LOST}
_LOCKING = _states(_S.COARSE, _S.FINE, _S.MODEM_SYNC)
_LIT = _LOCKING | {_S.DATA, _S.COAST}

TABLE: tuple[Row, ...] = (
    Row(frozenset(PatState) - {_S.SAFE}, "unsafe", lambda v: v.unsafe, _S.SAFE, _E.MAKE_SAFE),
    Row(_states(_S.SAFE), "clear", lambda v: v.clear_ns >= SAFE_CLEAR_NS, _S.IDLE, _E.NONE),
    Row(_IN_CONTACT, "contact over", lambda v: v.contact is None, _S.IDLE, _E.END_CONTACT),
    Row(_IN_CONTACT, "other contact", _is_other, _S.SLEW, _E.START_CONTACT),
    Row(_states(_S.IDLE), "contact", _is_other, _S.SLEW, _E.START_CONTACT),
    Row(_states(_S.SLEW), "pointed", lambda v: v.points_at_peer, _S.SCAN, _E.NONE),
    Row(_states(_S.SLEW), "slew too long", _for(SLEW_MAX_NS), _S.LOST, _E.GIVE_UP),
    Row(_POINTED, "pointing lost", lambda v: not v.points_at_peer, _S.SLEW, _E.RETRY),
    Row(_states(_S.SCAN), "beacon", _has(_F.BEACON), _S.COARSE, _E.NONE),
    Row(_states(_S.SCAN), "scan too long", _for(SCAN_MAX_NS), _S.REACQ, _E.RETRY),
    Row(_states(_S.COARSE), "coarse lock", _has(_F.BEACON, _F.COARSE), _S.FINE, _E.NONE),
    Row(_states(_S.FINE), "fine lock", _has(_F.FINE), _S.MODEM_SYNC, _E.NONE),
    Row(_states(_S.MODEM_SYNC), "sync", _has(_F.FINE, _F.SYNC), _S.DATA, _E.LINK_UP),
    Row(_LOCKING, "lock too long", _for(LOCK_MAX_NS), _S.REACQ, _E.RETRY),
    Row(_states(_S.DATA), "fade", lambda v: not v.flags & _F.SYNC, _S.COAST, _E.FADE),
    Row(_states(_S.COAST), "fade over", _has(_F.SYNC), _S.DATA, _E.FADE_OVER),
    Row(_states(_S.COAST), "fade too long", _for(COAST_MAX_NS), _S.REACQ, _E.RETRY),
    Row(_states(_S.REACQ), "given up", lambda v: v.attempts > ATTEMPTS_MAX, _S.LOST, _E.GIVE_UP),
    Row(_states(_S.REACQ), "waited", lambda v: v.in_state_ns >= v.backoff_ns, _S.SCAN, _E.NONE),
)


class TerminalMachine:
    """The PAT machine; pure, one transition a step at most."""

    def __init__(self) -> None:
        self.state = PatState.IDLE
        self.counters = TerminalCounters()
        self.acquired = False
        """Whether data flowed in the present contact."""
        self._since_ns = 0
        self._unsafe_ns = 0
        self._working_on: int | None = None
        self._attempts = 0

    def step(self, inputs: TerminalInputs) -> TerminalOutputs:
        """Looks once, moves at most once, says what is wished."""
        view = self._view(inputs)
        taken = None
        for row in TABLE:
            if self.state in row.states and row.condition(view):
                taken = row
                self._enter(row, view, inputs.now_ns)
                break
        laser_on = self.state in _LIT and view.points_at_peer and not view.unsafe
        pointing = self.state in _IN_CONTACT - {PatState.LOST} and view.contact is not None
        return TerminalOutputs(
            state=self.state,
            target_id=view.contact.peer_id if pointing and view.contact is not None else 0,
            laser_on=laser_on,
            may_send=laser_on and self.state is PatState.DATA,
            row=taken,
        )

    def _view(self, inputs: TerminalInputs) -> _View:
        now_ns, contact = inputs.now_ns, inputs.contact
        if contact is not None and not (
            contact.authorised and contact.start_ns <= now_ns < contact.end_ns
        ):
            contact = None
        flags = inputs.flags or 0
        unsafe = inputs.inhibit or bool(flags & TermFlag.FAULT)
        if unsafe:
            self._unsafe_ns = now_ns
        return _View(
            flags=flags,
            contact=contact,
            working_on=self._working_on,
            points_at_peer=contact is not None and inputs.target_id == contact.peer_id,
            unsafe=unsafe,
            clear_ns=now_ns - self._unsafe_ns,
            in_state_ns=now_ns - self._since_ns,
            backoff_ns=min(BACKOFF_FIRST_NS << max(self._attempts - 1, 0), BACKOFF_MAX_NS),
            attempts=self._attempts,
        )

    def _enter(self, row: Row, view: _View, now_ns: int) -> None:
        counters, effect = self.counters, row.effect
        if effect is Effect.START_CONTACT and view.contact is not None:
            self._working_on = view.contact.contact_id
            self._attempts, self.acquired = 0, False
            counters.contacts += 1
        elif effect is Effect.LINK_UP:
            self._attempts, self.acquired = 0, True
            counters.links += 1
        elif effect is Effect.FADE:
            counters.fades += 1
        elif effect is Effect.FADE_OVER:
            counters.fade_ns += view.in_state_ns
        elif effect is Effect.RETRY:
            self._attempts += 1
            counters.retries += 1
        elif effect is Effect.GIVE_UP:
            counters.failed_passes += 1
        elif effect in {Effect.END_CONTACT, Effect.MAKE_SAFE}:
            self._working_on = None
            counters.safings += effect is Effect.MAKE_SAFE
        self.state = row.to
        self._since_ns = now_ns
