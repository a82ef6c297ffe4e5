"""Cycles of any kind, one after the other, for the promises that every governor keeps."""

from dataclasses import replace
from math import nan

from hypothesis import settings
from hypothesis import strategies as st
from node_of_trials import CALM, COOL, DIE_C, LIGHT, RICH, SHADE, SINK_C, S

MANY = settings(deadline=None, max_examples=80)
FEW = settings(deadline=None, max_examples=40)
celsius = st.one_of(st.just(nan), st.floats(-20.0, 95.0))
thermals = st.builds(
    replace, st.just(COOL), die_c=celsius, sink_c=celsius, radiator_c=st.floats(-20.0, 70.0),
    sink_slope_k_s=st.floats(-0.5, 0.5), payload_now_w=st.floats(0.0, 25.0),
    payload_w=st.one_of(st.just(nan), st.floats(0.0, 25.0)),
)  # fmt: skip
powers = st.builds(
    replace, st.just(RICH), soc=st.floats(0.3, 1.0), array_w=st.floats(0.0, 90.0),
    laser_j_light=st.floats(0.0, 40_000.0), phase=st.sampled_from([LIGHT, SHADE]),
)  # fmt: skip
seldom = st.sampled_from([False] * 5 + [True])
inputs = st.builds(
    replace, st.just(CALM), thermal=thermals, power=st.one_of(powers, st.none()), contact=seldom,
    duty=st.floats(0.0, 1.0), payload_allowed=seldom.map(lambda x: not x), commanded_off=seldom,
    queue_full=seldom, fault=seldom, battery_low=seldom,
)  # fmt: skip
walks = st.lists(st.tuples(inputs, st.integers(1, 40)), min_size=1, max_size=10)


def decisions(governor, steps, die_c=DIE_C):
    """(inputs, time, level before, decision) of each step."""
    now_ns = 0
    for sensed, seconds in steps:
        now_ns += seconds * S
        before, seen = governor.level, replace(sensed, utc_s=now_ns / S)
        yield seen, now_ns, before, governor.decide(seen, die_c, SINK_C, now_ns)
