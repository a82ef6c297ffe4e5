"""The operator's console work: commands with identities, sent again until the node has answered.

Pure: time is an argument, packets come out, verification packets go in. A command is sent again
with the *same* identity, so a lost acknowledgement never makes the node do it twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.wire.errors import WireError
from flight.wire.space_packet import Apid, SequenceCounts, encode
from flight.wire.telecommand import (
    COMMAND_ID_MAX,
    FINAL_STAGES,
    CommandReason,
    Stage,
    Telecommand,
    VerificationReport,
    decode_report,
    encode_telecommand,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.telemetry.dictionary import Command

TIMEOUT_NS = 5_000_000_000
"""Far above any round trip (15 to 50 ms, 0.5 s over a geostationary relay)."""
PENDING_MAX = 64
HISTORY_MAX = 1_024


class Fate(Enum):
    """What the operator knows of a command."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    """The node restarted in between and can't say whether it was done: look at telemetry."""
    GIVEN_UP = "given_up"
    """No answer in all tries; it may have been done, and may yet be."""


_FATES = {
    Stage.COMPLETED: Fate.COMPLETED,
    Stage.FAILED: Fate.FAILED,
    Stage.REJECTED: Fate.REJECTED,
}
assert _FATES.keys() == FINAL_STAGES


@dataclass(frozen=True, slots=True)
class Sent:
    """One command and what is known of it.

    Attributes:
        command_id: the operator's identity for it.
        name: its name in the dictionary.
        command: the command itself.
        first_ns: when it was first sent.
        last_ns: when it was last sent, or last heard of.
        tries: transmissions since the node was last heard of about it.
        stage: last stage the node reported, None before the first report.
        reason: the reason of that report.
        fate: the verdict on it.
    """

    command_id: int
    name: str
    command: Command
    first_ns: int
    last_ns: int
    tries: int = 0
    stage: Stage | None = None
    reason: CommandReason = CommandReason.NONE
    fate: Fate = Fate.PENDING


class OperatorBusyError(Exception):
    """As many commands are pending as the operator follows; wait for answers first."""


class Operator:
    """Sends commands and matches the node's reports to them.

    Args:
        first_id: identities count up from here. Each session must start above every earlier one
            (a real ground takes UTC in nanoseconds, a simulation 1), for the node refuses old ones.
        timeout_ns: silence after which a command is sent again.
        tries_max: transmissions before giving up.
    """

    def __init__(
        self, *, first_id: int = 1, timeout_ns: int = TIMEOUT_NS, tries_max: int = 10
    ) -> None:
        assert 1 <= first_id <= COMMAND_ID_MAX
        assert timeout_ns > 0
        assert tries_max >= 1
        self._next_id = first_id
        self._timeout_ns = timeout_ns
        self._tries_max = tries_max
        self._pending: dict[int, Sent] = {}
        self._history: dict[int, Sent] = {}
        self._unsent: list[int] = []
        self._counts = SequenceCounts()
        self.retransmissions = 0
        self.reports_malformed = 0
        self.reports_unmatched = 0
        """Reports about commands that aren't pending: repeats of last words, or another session."""

    @property
    def pending(self) -> Mapping[int, Sent]:
        """Commands whose fate is open, oldest first."""
        return self._pending

    def fate(self, command_id: int) -> Sent | None:
        """What is known of a command; None when it was never sent, or is long past."""
        return self._pending.get(command_id) or self._history.get(command_id)

    def send(self, command: Command, now_ns: int) -> int:
        """Takes a command on; `due` has its packet at once. Returns its identity.

        Raises:
            OperatorBusyError: `PENDING_MAX` commands are open.
        """
        if len(self._pending) >= PENDING_MAX:
            raise OperatorBusyError(f"{PENDING_MAX} commands have no answer yet")
        command_id = self._next_id
        self._next_id += 1
        name = COMMAND_BY_TYPE[type(command)].name
        self._pending[command_id] = Sent(command_id, name, command, now_ns, now_ns)
        self._unsent.append(command_id)
        return command_id

    def due(self, now_ns: int) -> list[bytes]:
        """Packets to send now: new commands first, then those whose time-out has passed.

        Call it only while the link is up: each packet counts as a try. A command without an
        answer to its last try is given up one time-out later.
        """
        late = [
            sent.command_id
            for sent in self._pending.values()
            if now_ns - sent.last_ns >= self._timeout_ns and sent.command_id not in self._unsent
        ]
        packets = [self._transmit(command_id, now_ns) for command_id in self._unsent]
        self._unsent.clear()
        for command_id in late:
            if self._pending[command_id].tries >= self._tries_max:
                self._close(command_id, Fate.GIVEN_UP)
            else:
                self.retransmissions += 1
                packets.append(self._transmit(command_id, now_ns))
        return packets

    def next_due_ns(self) -> int | None:
        """When `due` will next have something; None while nothing is pending."""
        if self._unsent:
            return self._pending[self._unsent[0]].first_ns
        return min((s.last_ns + self._timeout_ns for s in self._pending.values()), default=None)

    def on_report(self, data: bytes, now_ns: int) -> VerificationReport | None:
        """Takes the data of a verification packet; None when it can't be read (counted)."""
        try:
            report = decode_report(data)
        except WireError:
            self.reports_malformed += 1
            return None
        self._match(report, now_ns)
        return report

    def _match(self, report: VerificationReport, now_ns: int) -> None:
        """Books a report on its command; a word after giving up corrects the fate."""
        sent = self.fate(report.command_id)
        if (
            sent is None
            or sent.fate not in {Fate.PENDING, Fate.GIVEN_UP}
            or report.command_id in self._unsent
        ):
            self.reports_unmatched += 1
            return
        if sent.stage is None or report.stage >= sent.stage:
            sent = replace(sent, stage=report.stage, reason=report.reason)
        sent = replace(sent, last_ns=now_ns, tries=0)
        if report.stage in FINAL_STAGES:
            stale = report.reason is CommandReason.STALE
            self._pending[report.command_id] = sent
            self._close(report.command_id, Fate.UNCERTAIN if stale else _FATES[report.stage])
        elif sent.fate is Fate.PENDING:
            self._pending[report.command_id] = sent
        else:
            self._history[report.command_id] = sent

    def _transmit(self, command_id: int, now_ns: int) -> bytes:
        sent = self._pending[command_id]
        self._pending[command_id] = replace(sent, tries=sent.tries + 1, last_ns=now_ns)
        return encode(
            Apid.TELECOMMAND,
            self._counts.take(Apid.TELECOMMAND),
            encode_telecommand(Telecommand(command_id, sent.command)),
            time_ns=now_ns,
            telecommand=True,
        )

    def _close(self, command_id: int, fate: Fate) -> None:
        self._history[command_id] = replace(self._pending.pop(command_id), fate=fate)
        if len(self._history) > HISTORY_MAX:
            del self._history[next(iter(self._history))]
