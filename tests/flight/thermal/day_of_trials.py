"""Days for the tests of planner and guard: a family's day with another node, near its limits."""

from hypothesis import strategies as st

from hil.score.case_format import public_part
from hil.score.day_families import make_day
from hil.score.day_truth import day_truth
from hil.score.guarded_node import GuardedNode
from hil.score.scored_day import fly

SECONDS = 900
"""Long enough for sink and radiator to come to their limits from where the trials begin."""


class Idle(GuardedNode):
    """Wants nothing: what happens to it no guard could have kept away."""

    def wish(self, obs, free_frames):
        return [], False


# A node of any proportions that begins close under its limits, with little energy.
hard_nodes = st.fixed_dictionaries(
    {
        "capacity_j_k": st.tuples(
            st.floats(4.0, 40.0), st.floats(60.0, 600.0), st.floats(800.0, 6000.0)
        ),
        "under_k": st.tuples(*[st.floats(2.0, 25.0)] * 3),
        "w_k": st.tuples(*[st.floats(0.8, 6.0)] * 2),
        "radiator_m2": st.floats(0.06, 0.2),
        "quantum_k": st.sampled_from([0.0, 0.1]),
        "spare_j": st.floats(500.0, 20_000.0),
        "array_w": st.floats(20.0, 90.0),
        "dark_s": st.tuples(st.floats(60.0, 500.0), st.floats(60.0, 400.0)),
    }
)


def hard_day(node):
    """The day of such a node: a shadow, a contact, more frames than it can compute."""
    case = make_day("hot_eol", 1, SECONDS)
    for lump, capacity, under in zip(
        case["thermal"]["nodes"], node["capacity_j_k"], node["under_k"], strict=True
    ):
        lump["capacity_j_per_k"], lump["start_k"] = capacity, lump["max_k"] - under
    for edge, w_k in zip(case["thermal"]["conductances"], node["w_k"], strict=True):
        edge["w_per_k"] = w_k
    case["thermal"]["nodes"][2]["radiator_area_m2"] = node["radiator_m2"]
    case["sensors"]["temperature_quantum_k"] = node["quantum_k"]
    power = case["power"]
    floor_j = power["battery_capacity_j"] * (1.0 - power["depth_of_discharge_max"])
    power["battery_start_j"], power["array_w"] = floor_j + node["spare_j"], node["array_w"]
    begins, lasts = node["dark_s"]
    sun = [[0.0, 1.0], [begins, 1.0], [begins + 20.0, 0.0], [begins + lasts, 0.0],
           [begins + lasts + 20.0, 1.0]]  # fmt: skip
    window = {"start_s": 100, "end_s": 600, "rate_bps": 1e8}
    for side in ("forecast", "truth"):
        case[side]["sun_fraction"] = sun
        case[side]["link_windows"] = [{**window, "clear_probability": 1.0}]
    case["truth"]["arrivals"] = {c["name"]: [9] * SECONDS for c in case["classes"]}
    return case


def flown(case, kind):
    """The replay of a day under a governor of that kind."""
    return fly(case, kind(public_part(case)), day_truth(case))
