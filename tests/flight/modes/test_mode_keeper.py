"""What of the mode outlives a reset: SAFE with its cause, and what the ground has said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.cycle_telemetry import CycleTelemetry
from flight.fdir.health_watch import DriftWatch, HealthWatch
from flight.modes.mode_keeper import Kept, ModeKeeper, decode_kept, encode_kept
from flight.modes.mode_table import ModeMachine
from flight.modes.target_keeper import Seen
from flight.node_status import Wishes
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Mode
from flight.telemetry.event_log import EventLog

S = 1_000_000_000
DARK = Seen(0, False, False, False, 0, False, may_lase=False)


class Life:
    """One life of the node, from BOOT on; `kept` is what the store has at its end."""

    def __init__(self, kept=None):
        self.t, self.writes, self.heard = 0, [], []
        self.kept = kept or Kept()
        channels, events = ChannelValues(), EventLog(100, self.heard.append)
        machine = ModeMachine(0)
        targets = DriftWatch(channels, events, HealthWatch(channels, events), 0)
        telemetry = CycleTelemetry(channels, events, machine, energy=None)
        self.keeper = ModeKeeper(machine, targets, telemetry, self.kept, self.keep)

    def keep(self, kept, _now_ns):
        # Through the codec, as the store has it.
        self.kept = decode_kept(encode_kept(kept))
        self.writes.append(self.kept)

    def cycles(self, count=1, *, danger="", **wishes):
        for i in range(count):
            self.t += 1
            heard = wishes if i == 0 else {**wishes, "mode": None}
            mode = self.keeper.step(
                Wishes(**heard), danger, DARK, battery_low=False, contact=False,
                checks_done=True, now_ns=self.t * S,
            )  # fmt: skip
        return mode

    def reset(self):
        return Life(self.kept)


def test_a_node_that_nobody_told_anything_boots_and_computes_and_writes_nothing():
    life = Life()
    assert life.cycles(60) is Mode.COMPUTE
    assert life.writes == []


@pytest.mark.parametrize("cause", ["danger", "command"])
def test_a_node_that_was_in_safe_begins_in_safe_however_often_it_is_reset(cause):
    life = Life()
    life.cycles(20)
    if cause == "danger":
        life.cycles(1, danger="die too hot")
    else:
        life.cycles(1, mode=Mode.SAFE)
    why = life.kept.safe
    assert why == {"danger": "die too hot", "command": "command"}[cause]
    for _ in range(3):
        life = life.reset()
        assert life.cycles(100) is Mode.SAFE
        assert life.heard[0].args["cause"] == f"as before, {why}"
        assert life.kept.safe == why, "the first cause stays"
    assert life.cycles(20, mode=Mode.COMPUTE) is Mode.COMPUTE
    assert life.reset().cycles(20) is Mode.COMPUTE


def test_a_danger_that_holds_after_the_reset_guards_the_exit_as_before_it():
    life = Life(Kept(safe="battery low"))
    assert life.cycles(1) is Mode.SAFE
    assert life.cycles(1, danger="battery low", mode=Mode.IDLE) is Mode.SAFE
    assert [event.name for event in life.heard if event.severity][-1] == "MODE_REFUSED"
    assert life.kept == Kept(safe="battery low")


def test_what_the_ground_wants_holds_over_a_reset():
    life = Life()
    life.cycles(20)
    life.cycles(1, mode=Mode.IDLE)
    life.cycles(1, inference_enabled=False)
    life = life.reset()
    assert (life.keeper.wanted, life.kept.inference) == (Mode.IDLE, False)
    assert life.cycles(100, inference_enabled=False) is Mode.IDLE
    assert life.writes == []


def test_a_critical_service_that_was_given_up_makes_the_next_life_begin_in_safe():
    life = Life()
    life.cycles(20)
    life.keeper.lost("downlink", life.t * S)
    life = life.reset()
    assert life.cycles(60) is Mode.SAFE
    assert life.heard[0].args["cause"] == "as before, downlink was given up"


@pytest.mark.parametrize("blob", [None, b"", b"\xc1", b"\x93\xa0\x63\xc3", b"\x91\x05"])
def test_a_memory_that_is_not_there_or_not_readable_is_that_of_a_new_node(blob):
    assert decode_kept(blob) == Kept()


def test_a_wish_that_no_ground_can_have_is_not_kept():
    assert decode_kept(encode_kept(Kept(safe="x", wanted=Mode.DOWNLINK))) == Kept(safe="x")


commands = st.sampled_from([None, None, Mode.SAFE, Mode.IDLE, Mode.COMPUTE])
steps = st.lists(
    st.tuples(
        commands, st.sampled_from(["", "", "die too hot"]), st.booleans(), st.integers(1, 12)
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=150)
@given(steps, st.sets(st.integers(0, 19)))
def test_resets_at_any_moment_never_lead_out_of_safe_and_what_is_kept_is_what_is_so(walk, resets):
    life, safe = Life(), False
    for i, (command, danger, enabled, seconds) in enumerate(walk):
        if i in resets:
            life = life.reset()
        mode = life.cycles(seconds, danger=danger, mode=command, inference_enabled=enabled)
        left = command in (Mode.IDLE, Mode.COMPUTE) and not danger
        if safe and not left:
            assert mode is Mode.SAFE
        safe = mode is Mode.SAFE
        assert bool(life.kept.safe) is safe
        assert life.kept.inference is enabled
        assert life.kept.wanted is life.keeper.wanted
