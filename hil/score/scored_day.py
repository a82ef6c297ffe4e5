"""A day flown by one governor, and what it was worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hil.score.case_format import public_part
from hil.score.day_replay import DayReplay
from hil.score.day_truth import day_truth
from hil.score.dve_case import node_model
from hil.score.policies import POLICIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hil.score.day_replay import Sight, Wish
    from hil.score.day_truth import DayTruth
    from hil.score.guarded_node import GuardedNode


@dataclass(frozen=True, slots=True)
class DayScore:
    """What a governor made of a day.

    Attributes:
        delivered, penalty: value, and what ending low costs of it.
        violation_s: seconds outside limits by name; all 0 is the first duty.
        faults: illegal decisions by name.
        variant: index of the model variant a reference did best with; None if it chooses itself.
    """

    policy: str
    delivered: float
    penalty: float
    violation_s: dict[str, int]
    faults: dict[str, int]
    lost_frames: int
    lost_results: int
    shunted_j: float
    least_j: float
    end_j: float
    peak_k: dict[str, float]
    variant: int | None = None

    @property
    def net(self) -> float:
        """Delivered value less the penalty."""
        return self.delivered - self.penalty

    @property
    def clean(self) -> bool:
        """No violation and no illegal decision."""
        return not any(self.violation_s.values()) and not self.faults


def replay_of(case: Mapping[str, Any], truth: DayTruth) -> DayReplay:
    """A day before its first second."""
    return DayReplay(
        node_model(case),
        truth,
        energy_j=float(case["power"]["battery_start_j"]),
        temp_k=[float(node["start_k"]) for node in case["thermal"]["nodes"]],
        quantum_k=float(case["sensors"]["temperature_quantum_k"]),
    )


def fly(
    case: Mapping[str, Any],
    governor: GuardedNode,
    truth: DayTruth,
    look: Callable[[int, Wish, DayReplay], None] | None = None,
    replay: DayReplay | None = None,
) -> DayReplay:
    """The whole day; `look` is called after each second."""
    replay = replay_of(case, truth) if replay is None else replay
    for k in range(truth.seconds):
        sight: Sight = replay.sense()
        wish = governor.decide(sight)
        replay.act(wish)
        if look is not None:
            look(k, wish, replay)
    return replay


def best_of(case: Mapping[str, Any], policy: str) -> DayScore:
    """The policy's score; of several forms of one the best on this very day."""
    truth = day_truth(case)
    forms = POLICIES[policy](public_part(case))
    scores = [
        score_of(policy, fly(case, form, truth), case, i if len(forms) > 1 else None)
        for i, form in enumerate(forms)
    ]
    return max(scores, key=lambda score: (score.clean, score.net))


def score_of(
    policy: str, replay: DayReplay, case: Mapping[str, Any], variant: int | None = None
) -> DayScore:
    """What a flown day was worth."""
    delivered, penalty = replay.value()
    names = [node["name"] for node in case["thermal"]["nodes"]]
    violation_s = dict(zip(names, replay.over_temp_s, strict=True))
    return DayScore(
        policy=policy,
        delivered=delivered,
        penalty=penalty,
        violation_s={
            **violation_s,
            "battery_floor": replay.below_floor_s,
            "discharge_power": replay.over_power_s,
        },
        faults={fault.value: count for fault, count in replay.faults.items() if count},
        lost_frames=replay.lost_frames,
        lost_results=replay.lost_results,
        shunted_j=replay.shunted_j,
        least_j=replay.least_j,
        end_j=replay.energy_j,
        peak_k=dict(zip(names, (round(t, 3) for t in replay.peak_k), strict=True)),
        variant=variant,
    )
