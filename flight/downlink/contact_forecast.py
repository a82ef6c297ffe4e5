"""The forecast of the line: what the present contact and those to come will carry.

Image -> ground, hop "decided". Learned from what contacts of a kind have carried, tenth by tenth,
and corrected by how the present one is doing: a cloud now says something about the next minute and
nothing about the end of the pass, so the correction fades with the distance in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.link_experience import PHASES
from flight.downlink.pass_plan import ContactKind
from flight.downlink.send_horizon import Horizon, Stretch

if TYPE_CHECKING:
    from flight.downlink.pass_plan import Contact, PassPlan

CONTACTS_AHEAD = 32
_FADES_NS = 60_000_000_000
_RECENT_NS = 12_000_000_000
_RECENT_PRIOR = 0.3
_STRETCH_FIRST_NS = 2_000_000_000
_STRETCH_MAX_NS = 30_000_000_000
_STRETCH_LATER_NS = 100_000_000_000
_NS_PER_BYTE = 8e9


class ContactForecast:
    """Follows the present contact and looks ahead; pure.

    Args:
        plan: contacts, and the experience with them, which this adds to.
    """

    def __init__(self, plan: PassPlan) -> None:
        self._plan = plan
        self._contact: Contact | None = None
        self._at_ns = 0
        self._yielded = [0.0] * PHASES
        self._lasted = [0.0] * PHASES
        self._recent_yield = self._recent_due = 0.0

    def follow(self, contact: Contact | None, now_ns: int, share: float) -> bool:
        """How the line did since the last call, `share` of its rate delivered (0..1).

        Call it about once a second in a contact, with 0 while there is no lock. A contact that
        ends, or gives way to another, becomes experience: True when one did.
        """
        previous = self._contact
        if previous is not None:
            self._note(previous, min(now_ns, previous.end_ns), min(max(share, 0.0), 1.0))
        if contact == previous:
            return False
        if previous is not None:
            self._finish(previous)
        self._contact = contact
        if contact is not None:
            self._at_ns = contact.start_ns
            self._yielded, self._lasted = [0.0] * PHASES, [0.0] * PHASES
            self._recent_yield = self._recent_due = 0.0
            self._note(contact, now_ns, 0.0)
        return previous is not None

    def horizon(self, now_ns: int) -> Horizon:
        """What is expected from now on, at most `CONTACTS_AHEAD` contacts."""
        stretches: list[Stretch] = []
        present = self._contact
        if present is not None:
            experience = self._plan.experience_of(present.kind)
            recent = self._recent()
            for start_ns, end_ns in _cuts(max(now_ns, present.start_ns), present.end_ns):
                middle_ns = (start_ns + end_ns) // 2
                share = experience.phase_share(_phase(present, middle_ns))
                # Piecewise linear, so that every machine forecasts the same.
                fading = max(0.0, 1 - (middle_ns - now_ns) / (2 * _FADES_NS))
                share = min(share * (1 + (recent - 1) * fading * fading), 1.0)
                stretches.append(_stretch(present, start_ns, end_ns, share))
        count = len(stretches)
        for contact in self._plan.upcoming(now_ns, CONTACTS_AHEAD):
            stretches += self._later(contact, stretches[-1].end_ns if stretches else now_ns)
        return Horizon(now_ns, count, self._spread(present, now_ns), tuple(stretches))

    def _spread(self, present: Contact | None, now_ns: int) -> float:
        contact = present or self._plan.following(now_ns)
        kind = ContactKind.OGS if contact is None else contact.kind
        return self._plan.experience_of(kind).spread()

    def _later(self, contact: Contact, after_ns: int) -> list[Stretch]:
        """A contact to come; where it overlaps an earlier one it adds nothing."""
        experience = self._plan.experience_of(contact.kind)
        first_ns = max(contact.start_ns, after_ns)
        if first_ns >= contact.end_ns:
            return []
        pieces = max(1, round((contact.end_ns - first_ns) / _STRETCH_LATER_NS))
        step_ns = (contact.end_ns - first_ns) // pieces
        stretches = []
        for index in range(pieces):
            start_ns = first_ns + index * step_ns
            share = experience.phase_share(_phase(contact, start_ns + step_ns // 2))
            stretches.append(_stretch(contact, start_ns, start_ns + step_ns, share))
        return stretches

    def _recent(self) -> float:
        """The present line over what experience says of it, drawn towards 1."""
        due = _RECENT_PRIOR * _RECENT_NS
        return (self._recent_yield + due) / (self._recent_due + due)

    def _note(self, contact: Contact, now_ns: int, share: float) -> None:
        span_ns = now_ns - self._at_ns
        if span_ns <= 0:
            return
        phase = _phase(contact, self._at_ns + span_ns // 2)
        self._yielded[phase] += share * span_ns
        self._lasted[phase] += span_ns
        self._at_ns = now_ns
        due = self._plan.experience_of(contact.kind).phase_share(phase) * span_ns
        self._recent_yield += share * span_ns
        self._recent_due += due
        if self._recent_due > _RECENT_NS:
            self._recent_yield *= _RECENT_NS / self._recent_due
            self._recent_due = float(_RECENT_NS)

    def _finish(self, contact: Contact) -> None:
        experience = self._plan.experience_of(contact.kind)
        for phase in range(PHASES):
            if self._lasted[phase] > 0:
                experience.note_phase(phase, self._yielded[phase] / self._lasted[phase])
        span_ns = sum(self._lasted)
        if span_ns > 0:
            experience.note(sum(self._yielded) / span_ns)


def _phase(contact: Contact, at_ns: int) -> int:
    span_ns = contact.end_ns - contact.start_ns
    return min(max((at_ns - contact.start_ns) * PHASES // span_ns, 0), PHASES - 1)


def _stretch(contact: Contact, start_ns: int, end_ns: int, share: float) -> Stretch:
    carries = share * contact.rate_bps * (end_ns - start_ns) / _NS_PER_BYTE
    return Stretch(start_ns, end_ns, carries)


def _cuts(start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """The rest of a contact in pieces that grow, for what is near is urgent."""
    cuts = []
    step_ns = _STRETCH_FIRST_NS
    while start_ns + step_ns + step_ns // 2 < end_ns:
        cuts.append((start_ns, start_ns + step_ns))
        start_ns += step_ns
        step_ns = min(step_ns * 8 // 5, _STRETCH_MAX_NS)
    if start_ns < end_ns:
        cuts.append((start_ns, end_ns))
    return cuts
