"""The forecast of the line: what the present contact and those to come will carry.

Image -> ground, hop "decided". Learned from what contacts of a kind have carried, tenth by tenth,
and corrected by how the present one is doing: a cloud now says something about the next minute and
nothing about the end of the pass, so the correction fades with the distance in time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.link_experience import OUTCOMES, PHASES
from flight.downlink.pass_plan import ContactKind
from flight.downlink.send_horizon import Horizon, Stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.downlink.pass_plan import Contact, PassPlan

CONTACTS_AHEAD = 32
_FADES_NS = 60_000_000_000
_RECENT_NS = 12_000_000_000
_RECENT_PRIOR = 0.3
_STRETCH_FIRST_NS = 2_000_000_000
_STRETCH_MAX_NS = 30_000_000_000
_STRETCH_LATER_NS = 100_000_000_000
_NS_PER_BYTE = 8e9
# How long the line may stay as it is: edges of clouds come after seconds or after minutes. Evenly
# spaced by ratio, by judgement; what is best depends on a site's weather.
_HOLDS_NS = tuple(int(each * 1e9) for each in (3, 6, 12, 20, 35, 60, 100, 170))


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
        courses = _Courses()
        present = self._contact
        if present is not None:
            experience = self._plan.experience_of(present.kind)
            recent = self._recent()
            usual: list[Stretch] = []
            for start_ns, end_ns in _cuts(max(now_ns, present.start_ns), present.end_ns):
                middle_ns = (start_ns + end_ns) // 2
                share = experience.phase_share(_phase(present, middle_ns))
                usual.append(_stretch(present, start_ns, end_ns, share))
                # Piecewise linear, so that every machine forecasts the same.
                fading = max(0.0, 1 - (middle_ns - now_ns) / (2 * _FADES_NS))
                share = min(share * (1 + (recent - 1) * fading * fading), 1.0)
                stretches.append(_stretch(present, start_ns, end_ns, share))
            courses.add_present(present, usual, experience.outcomes(), recent, now_ns)
        count = len(stretches)
        for contact in self._plan.upcoming(now_ns, CONTACTS_AHEAD):
            later = self._later(contact, stretches[-1].end_ns if stretches else now_ns)
            courses.add(contact, later, self._plan.experience_of(contact.kind).outcomes())
            stretches += later
        spread = self._spread(present, now_ns)
        return Horizon(now_ns, count, spread, tuple(stretches), courses.rows())

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


class _Courses:
    """Ways in which the contacts may turn out.

    Half of them in common weather: what is a bad day for one contact is one for all. In the other
    half each contact takes each of its outcomes once; odd strides pair them differently each time.
    """

    def __init__(self) -> None:
        self._rows: list[list[float]] = [[] for _ in range(2 * OUTCOMES)]
        self._contacts = 0

    def add_present(
        self,
        contact: Contact,
        usual: Sequence[Stretch],
        outcomes: Sequence[float],
        recent: float,
        now_ns: int,
    ) -> None:
        """The contact going on: as it does now for a while, then one of the outcomes.

        The second half pairs the two another way, or one would always say the other.
        """
        self._contacts = 1
        for index, row in enumerate(self._rows):
            shift = index // OUTCOMES * (OUTCOMES // 2 + 1)
            holds_ns = _HOLDS_NS[(index * 3 + shift) % OUTCOMES]
            outcome = outcomes[index % OUTCOMES]
            for each in usual:
                holds = min(max(now_ns + holds_ns - each.start_ns, 0), each.end_ns - each.start_ns)
                held = holds / (each.end_ns - each.start_ns)
                factor = held * recent + (1 - held) * outcome
                row.append(_carried(contact, each, factor))

    def add(
        self, contact: Contact, stretches: Sequence[Stretch], outcomes: Sequence[float]
    ) -> None:
        """One more contact."""
        stride, shift = 2 * self._contacts + 1, self._contacts // 2
        self._contacts += 1
        for index, row in enumerate(self._rows):
            common = index < OUTCOMES
            factor = outcomes[index if common else (index * stride + shift) % OUTCOMES]
            row.extend(_carried(contact, each, factor) for each in stretches)

    def rows(self) -> tuple[tuple[float, ...], ...]:
        """One row a course, the bytes of every stretch."""
        return tuple(tuple(row) for row in self._rows)


def _carried(contact: Contact, stretch: Stretch, factor: float) -> float:
    """A multiple of what is expected of a stretch, at most what its line carries."""
    line = contact.rate_bps * (stretch.end_ns - stretch.start_ns) / _NS_PER_BYTE
    return min(stretch.carries_bytes * factor, line)
