"""What contacts of one kind have carried: a distribution of yields, and how the yield is spread.

Image -> ground, hop "decided". A contact's yield is its delivered share of line rate times length.
Within a contact it is not even: acquisition at the start, the long way through the air at both
ends; so a share is kept for each tenth of a contact, too.
"""

from __future__ import annotations

from enum import Enum
from math import sqrt

SHARES_MAX = 32
PHASES = 10
OUTCOMES = 8
_EWMA_WEIGHT = 0.2
_PRIOR_CONTACTS = 2.0
_PRIOR_SPREAD = 0.3
_SPREAD_LEAST = 0.03
_PHASE_WEIGHT_MAX = 64.0


class Confidence(Enum):
    """Which prediction is asked for.

    MEAN: what a pass carries on the average, recent ones counting more. P50: half of the passes
    carried as much. P10: all but every tenth did; the figure for a product that must finish.
    """

    MEAN = "mean"
    P50 = "p50"
    P10 = "p10"


class LinkExperience:
    """Delivered shares of one kind of contact: average, distribution and profile; pure."""

    def __init__(self, prior_share: float, prior_outcomes: tuple[float, ...] = ()) -> None:
        self._prior_outcomes = prior_outcomes or (prior_share,)
        self._outcomes: tuple[float, ...] = ()
        self._mean = prior_share
        self._prior = prior_share
        self._shares: list[float] = []
        self._phase_sum = [prior_share * _PRIOR_CONTACTS] * PHASES
        self._phase_weight = [_PRIOR_CONTACTS] * PHASES

    def note(self, share: float) -> None:
        """One more pass: delivered bytes over line bytes, clipped to 0..1."""
        share = min(max(share, 0.0), 1.0)
        weight = max(_EWMA_WEIGHT, 1.0 / (len(self._shares) + 2))
        self._mean += weight * (share - self._mean)
        self._shares.append(share)
        del self._shares[:-SHARES_MAX]
        self._outcomes = ()

    def note_phase(self, phase: int, share: float) -> None:
        """What one tenth (0..9) of a pass delivered of its line bytes, clipped to 0..1."""
        if self._phase_weight[phase] >= _PHASE_WEIGHT_MAX:
            self._phase_sum[phase] *= 0.5
            self._phase_weight[phase] *= 0.5
        self._phase_sum[phase] += min(max(share, 0.0), 1.0)
        self._phase_weight[phase] += 1.0

    def phase_share(self, phase: int) -> float:
        """The share to expect in one tenth of a contact."""
        return self._phase_sum[phase] / self._phase_weight[phase]

    def share(self, confidence: Confidence) -> float:
        """The share to reckon with; the prior counts as two passes of the distribution."""
        if confidence is Confidence.MEAN:
            return self._mean
        ranked = sorted([*self._shares, self._prior, self._prior])
        # Nearest rank from below: with few passes P10 is the worst one seen.
        rank = len(ranked) // 10 if confidence is Confidence.P10 else (len(ranked) - 1) // 2
        return ranked[rank]

    def outcomes(self) -> tuple[float, ...]:
        """How a contact may turn out: `OUTCOMES` equally likely yields over their mean, rising.

        Quantiles of the passes remembered and of the prior's, which count as two passes together.
        """
        if not self._outcomes:
            prior_weight = _PRIOR_CONTACTS / len(self._prior_outcomes)
            ranked = sorted(
                [(share, 1.0) for share in self._shares]
                + [(share, prior_weight) for share in self._prior_outcomes]
            )
            total = len(self._shares) + _PRIOR_CONTACTS
            found, passed, at = [], 0.0, 0
            for index in range(OUTCOMES):
                while passed + ranked[at][1] < (index + 0.5) / OUTCOMES * total:
                    passed += ranked[at][1]
                    at += 1
                found.append(ranked[at][0])
            mean = max(sum(found) / OUTCOMES, _SPREAD_LEAST)
            self._outcomes = tuple(share / mean for share in found)
        return self._outcomes

    def spread(self) -> float:
        """Standard deviation of a pass's yield over its mean; the prior counts as two passes."""
        count = len(self._shares) + _PRIOR_CONTACTS
        mean = (sum(self._shares) + _PRIOR_CONTACTS * self._prior) / count
        square = sum((share - mean) ** 2 for share in self._shares)
        square += _PRIOR_CONTACTS * (_PRIOR_SPREAD * mean) ** 2
        return max(_SPREAD_LEAST, sqrt(square / count) / max(mean, _SPREAD_LEAST))

    @property
    def shares(self) -> tuple[float, ...]:
        """The passes remembered, oldest first."""
        return tuple(self._shares)


class LineShare:
    """Which share of the line is delivering: lock, fades and losses in one number.

    A pass that has nothing to send says nothing by its bytes; the share is therefore the time in
    lock times the part of the decided frames that arrived.
    """

    def __init__(self) -> None:
        self._looks = 0
        self._open = 0.0
        self._decided = (0, 0)
        self._arrived = 1.0

    def look(self, *, may_send: bool, rate: float = 1.0) -> None:
        """One look at the terminal; `rate` is its present rate over the contact's."""
        self._looks += 1
        self._open += rate if may_send else 0.0

    def take(self, acked_frames: int, lost_frames: int) -> float:
        """The share (0..1) since the last call, from the frames decided since start.

        While no frame is decided the last known part that arrived stands.
        """
        acked, lost = acked_frames - self._decided[0], lost_frames - self._decided[1]
        if acked + lost > 0:
            self._arrived = acked / (acked + lost)
            self._decided = acked_frames, lost_frames
        open_share = self._open / self._looks if self._looks else 0.0
        self._looks, self._open = 0, 0.0
        return open_share * self._arrived
