"""The pass plan: contacts to come, and how much of the line they will really carry.

Image -> ground, hop "decided": modes, power and the queue ask when the next contact is and what
it is good for. What a contact carries is learned, not assumed: the delivered share of each past
pass (line rate times length) is kept by kind of peer, because a fixed guess cost 0.15 of the
value under overload. Before there is experience the shares of published missions stand in: TBIRD
delivered 0.64 of line rate times nominal pass, one relay terminal is locked 0.75 of the time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.link_experience import PHASES, SHARES_MAX, Confidence, LinkExperience

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NS_PER_S = 1_000_000_000
CONTACTS_MAX = 1_024
KEEP_OUT_LEAD_NS = NS_PER_S // 2
"""Before a keep-out begins: the contact loop looks ten times a second, the terminal turns away."""
PIECE_LEAST_NS = 15 * NS_PER_S
"""A shorter rest of a contact would be over before the terminal has lock."""
EVERY_PEER = 0


class ContactKind(Enum):
    """What is at the other end."""

    OGS = "OGS"
    RELAY = "RELAY"
    RADIO = "RADIO"
    """A station's radio; never in one plan with the others, for it is another terminal's."""


PRIOR_SHARE = {ContactKind.OGS: 0.64, ContactKind.RELAY: 0.75, ContactKind.RADIO: 0.95}
# Until passes have been seen, four equally likely ones whose mean is the share above; by judgement,
# no measurement: a station under cloud carries next to nothing, a clear one nearly all, and a relay
# has no weather. Together they count as two passes.
PRIOR_OUTCOMES = {
    ContactKind.OGS: (0.05, 0.65, 0.9, 0.96),
    ContactKind.RELAY: (0.5, 0.75, 0.85, 0.9),
    ContactKind.RADIO: (0.95,) * 4,
}


class Contact(msgspec.Struct, frozen=True):
    """A predicted contact.

    Attributes:
        contact_id: identity in the uploaded plan.
        peer_id: what the terminal points at, 1..65535.
        kind: station or relay.
        start_ns: mission time at which it begins.
        end_ns: mission time at which it is over, later than `start_ns`.
        rate_bps: line rate, > 0.
        authorised: the laser may be used.

    Raises:
        ValueError: times or rate that cannot be.
    """

    contact_id: int
    peer_id: int
    kind: ContactKind
    start_ns: int
    end_ns: int
    rate_bps: float
    authorised: bool = True

    def __post_init__(self) -> None:
        if self.end_ns <= self.start_ns or self.rate_bps <= 0 or self.peer_id < 1:
            raise ValueError(f"contact {self.contact_id}: peer, times or rate")

    def line_bytes(self, from_ns: int, until_ns: int) -> int:
        """What the line could carry between two times, at most the whole contact."""
        span_ns = min(until_ns, self.end_ns) - max(from_ns, self.start_ns)
        return int(self.rate_bps * max(span_ns, 0) / (8 * NS_PER_S))


class KeepOut(msgspec.Struct, frozen=True):
    """A time in which the terminal neither shines nor looks towards a peer, whatever the cause.

    Attributes:
        peer_id: the peer, or `EVERY_PEER`.
        start_ns, end_ns: mission time.
    """

    peer_id: int
    start_ns: int
    end_ns: int

    def concerns(self, peer_id: int) -> bool:
        """Whether it stands before this peer."""
        return self.peer_id in (EVERY_PEER, peer_id)


def outside(contact: Contact, keep_outs: Iterable[KeepOut]) -> list[Contact]:
    """What is left of a contact between keep-outs, oldest first; every piece has its identity.

    A piece ends `KEEP_OUT_LEAD_NS` early, and one shorter than `PIECE_LEAST_NS` is none; a contact
    that nothing stands before is left as it is.
    """
    before = sorted(
        (each.start_ns - KEEP_OUT_LEAD_NS, each.end_ns)
        for each in keep_outs
        if each.concerns(contact.peer_id)
        and each.start_ns - KEEP_OUT_LEAD_NS < contact.end_ns
        and each.end_ns > contact.start_ns
    )
    if not before:
        return [contact]
    pieces, free_ns = [], contact.start_ns
    for start_ns, end_ns in (*before, (contact.end_ns, contact.end_ns)):
        if start_ns - free_ns >= PIECE_LEAST_NS:
            pieces.append(msgspec.structs.replace(contact, start_ns=free_ns, end_ns=start_ns))
        free_ns = max(free_ns, end_ns)
    return pieces


class PassPlan:
    """Contacts by time and the experience with them; pure.

    Args:
        contacts: in any order, at most `CONTACTS_MAX`; a later upload replaces them by `load`.
        keep_outs: what cuts them, in any order, at most `CONTACTS_MAX`.

    Raises:
        ValueError: too many, or an identity twice.
    """

    def __init__(self, contacts: Iterable[Contact] = (), keep_outs: Iterable[KeepOut] = ()) -> None:
        self._contacts: list[Contact] = []
        self._starts: list[int] = []
        self._experience = {kind: _experience(kind) for kind in ContactKind}
        self.load(contacts, keep_outs)

    def load(self, contacts: Iterable[Contact], keep_outs: Iterable[KeepOut] = ()) -> None:
        """Replaces the plan; what was learned stays.

        Raises:
            ValueError: too many, or an identity twice; the plan is then as it was.
        """
        whole, before = list(contacts), list(keep_outs)
        if max(len(whole), len(before)) > CONTACTS_MAX:
            raise ValueError(
                f"{len(whole)} contacts, {len(before)} keep-outs, {CONTACTS_MAX} at most"
            )
        if len({contact.contact_id for contact in whole}) != len(whole):
            raise ValueError("a contact identity appears twice")
        ordered = [piece for contact in whole for piece in outside(contact, before)]
        ordered.sort(key=lambda c: (c.start_ns, c.end_ns, c.contact_id))
        self._contacts = ordered
        self._starts = [contact.start_ns for contact in ordered]

    def __len__(self) -> int:
        return len(self._contacts)

    def active(self, now_ns: int) -> Contact | None:
        """The authorised contact going on now; of several the one that began first.

        Keeping the first means that a link which works is not dropped for one that has yet to be
        acquired.
        """
        for contact in self._contacts[: bisect_right(self._starts, now_ns)]:
            if contact.end_ns > now_ns and contact.authorised:
                return contact
        return None

    def following(self, now_ns: int) -> Contact | None:
        """The next authorised contact that has not begun yet."""
        for contact in self._contacts[bisect_right(self._starts, now_ns) :]:
            if contact.authorised:
                return contact
        return None

    def upcoming(self, now_ns: int, limit: int) -> list[Contact]:
        """The next authorised contacts that have not begun yet, at most `limit`."""
        found: list[Contact] = []
        for contact in self._contacts[bisect_right(self._starts, now_ns) :]:
            if len(found) == limit:
                break
            if contact.authorised:
                found.append(contact)
        return found

    def experience_of(self, kind: ContactKind) -> LinkExperience:
        """What is known of contacts of this kind; the forecast adds to it."""
        return self._experience[kind]

    def contact_seconds(self, from_ns: int, until_ns: int) -> float:
        """Seconds between two times in which at least one authorised contact goes on."""
        covered_ns, at_ns = 0, from_ns
        for contact in self._contacts[: bisect_left(self._starts, until_ns)]:
            if contact.end_ns > from_ns and contact.authorised:
                start_ns, end_ns = max(contact.start_ns, at_ns), min(contact.end_ns, until_ns)
                if end_ns > start_ns:
                    covered_ns += end_ns - start_ns
                    at_ns = end_ns
        return covered_ns / NS_PER_S

    def predicted_bytes(self, contact: Contact, confidence: Confidence = Confidence.MEAN) -> int:
        """What the whole contact is expected to deliver."""
        return self.bytes_left(contact, contact.start_ns, confidence)

    def bytes_left(
        self, contact: Contact, now_ns: int, confidence: Confidence = Confidence.MEAN
    ) -> int:
        """What is expected between now and its end: the capacity hint of the queue."""
        share = self._experience[contact.kind].share(confidence)
        return int(share * contact.line_bytes(now_ns, contact.end_ns))

    def note_pass(self, contact: Contact, delivered_bytes: int) -> None:
        """A contact is over: learn from it.

        Only for passes that had something to send all the time: a pass that ran out of data says
        nothing about the line.
        """
        line = contact.line_bytes(contact.start_ns, contact.end_ns)
        if line > 0:
            self._experience[contact.kind].note(delivered_bytes / line)

    def experience(self) -> dict[str, tuple[float, ...]]:
        """What was learned, to be stored: kind -> shares, oldest first."""
        return {kind.value: self._experience[kind].shares for kind in ContactKind}

    def restore(self, experience: Mapping[str, Sequence[float]]) -> None:
        """Learns again what was stored; unknown kinds are left out."""
        for kind in ContactKind:
            learned = _experience(kind)
            for share in experience.get(kind.value, ())[-SHARES_MAX:]:
                learned.note(float(share))
                for phase in range(PHASES):
                    learned.note_phase(phase, float(share))
            self._experience[kind] = learned


def _experience(kind: ContactKind) -> LinkExperience:
    return LinkExperience(PRIOR_SHARE[kind], PRIOR_OUTCOMES[kind])
