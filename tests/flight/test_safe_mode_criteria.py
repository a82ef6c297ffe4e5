"""Every criterion for SAFE, one by one, on the whole cycle: entered for it, left by command alone.

The cases are held to the table: a row that asks for SAFE and has no case here fails.
"""

from dataclasses import dataclass, field

import pytest
from cycle_on_fakes import HEALTHY, Node, S, computing

from flight.fdir.health_table import HealthCause
from flight.fdir.recovery_row import Action, Activity
from flight.fdir.safety_tables import BLIND_CYCLES_MAX, RECOVERIES
from flight.modes.mode_keeper import MEMORY, Kept, encode_kept
from flight.modes.mode_table import TRANSITIONS
from flight.modes.target_keeper import DRIFT_AFTER_NS
from flight.node_status import Wishes
from flight.telemetry.definitions import Mode
from hal.sample import FailingCall, Stuck

DRIFT_S = DRIFT_AFTER_NS // S


def nothing(_node):
    """The sensors and wishes of the case say it all."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One criterion: what makes it hold, what ends it, how long the node may and must take.

    `too_short_s` is how long it may hold without any effect.
    """

    within_s: int
    too_short_s: int = 0
    begin: object = nothing
    end: object = nothing
    sensors: dict = field(default_factory=dict)
    wishes: dict = field(default_factory=dict)


def jam_payload(node):
    """It stays where it is, and the next thing it is told is another level."""
    node.bench.write_sensors(stuck=Stuck.PAYLOAD_LEVEL)
    node.wished = {"mode": Mode.IDLE}


def jam_laser(node):
    node.devices.set_laser(True)
    node.bench.write_sensors(stuck=Stuck.LASER)


def unjam(node):
    """It is free, and its owner does what was asked of it."""
    node.bench.write_sensors(stuck=0)
    node.devices.set_laser(False)


def stop_telemetry(node):
    node.health.monitor.watch("telemetry", lambda: 7, limit_ns=5 * S, now_ns=node.t * S)


CASES = {
    "die too hot": Case(sensors={"die_mdegc": 90_000}, too_short_s=1, within_s=2),
    "battery low": Case(
        sensors={"battery_mv": 20_000, "battery_ma": 100}, too_short_s=2, within_s=900
    ),
    "cells out of range": Case(sensors={"battery_mdegc": 56_000}, too_short_s=2, within_s=3),
    "sensors lost": Case(
        begin=lambda node: node.bench.fail(FailingCall.SNAPSHOT),
        end=lambda node: node.bench.fail(0),
        too_short_s=BLIND_CYCLES_MAX - 1,
        within_s=BLIND_CYCLES_MAX,
    ),
    "software stood still": Case(wishes={"guard_tripped": True}, within_s=1),
    "laser does not obey": Case(
        begin=jam_laser, end=unjam, too_short_s=DRIFT_S - 1, within_s=DRIFT_S + 1
    ),
    "beam should be dark": Case(
        sensors={"laser_mw": 22_000}, too_short_s=DRIFT_S - 1, within_s=DRIFT_S + 1
    ),
    "payload does not obey": Case(
        begin=jam_payload, end=unjam, too_short_s=DRIFT_S - 1, within_s=DRIFT_S + 2
    ),
    "link lost": Case(
        begin=lambda node: node.health.apply("downlink", HealthCause.GIVEN_UP, node.t * S),
        end=lambda node: node.health.apply("downlink", HealthCause.CLEARED, node.t * S),
        within_s=1,
    ),
    "telemetry lost": Case(
        begin=stop_telemetry,
        end=lambda node: node.health.monitor.suspend("telemetry"),
        too_short_s=5,
        within_s=7,
    ),
    "ground silent": Case(wishes={"command_lost": True}, within_s=1),
}
CRITERIA = [row for row in RECOVERIES if Action.ENTER_SAFE in row.actions]
NAMES = [row.name for row in CRITERIA]


class Flight:
    """A node at work, and one criterion that can be made to hold."""

    def __init__(self, name):
        self.row = next(row for row in CRITERIA if row.name == name)
        self.case = CASES[name]
        self.node = computing()
        self.node.wished = {}
        self.holds = False

    def begin(self):
        self.holds = True
        self.case.begin(self.node)

    def end(self):
        self.holds = False
        self.case.end(self.node)

    def fly(self, seconds=1, **wishes):
        """One cycle after the other; True when one of them ends in SAFE."""
        node, case = self.node, self.case
        wished = {**node.wished, **wishes}
        for i in range(seconds):
            held = case.wishes if self.holds else {}
            heard = wished if i == 0 else {}
            sensors = {**HEALTHY, **(case.sensors if self.holds else {})}
            status = node.fly(1, Wishes(**{**held, **heard}), **sensors)
            if status.mode is Mode.SAFE:
                return True
        node.wished = {}
        return False

    def into_safe(self):
        self.node.fly(900, **HEALTHY)
        self.begin()
        assert self.fly(self.case.within_s)
        return self


@pytest.mark.parametrize("name", NAMES)
def test_each_criterion_ends_in_safe_named_as_the_cause_with_the_payload_off(name):
    flight = Flight(name).into_safe()
    changes = flight.node.told("MODE_CHANGED")
    assert (changes[-1]["new"], changes[-1]["cause"]) == ("SAFE", name)
    assert flight.node.status.get().level == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_link_stays_alive_in_safe_unless_the_criterion_itself_forbids_it(name):
    flight = Flight(name).into_safe()
    allowed = Action.LASER_OFF not in flight.row.actions
    assert flight.node.status.get().link_allowed is allowed


@pytest.mark.parametrize("name", [name for name in NAMES if CASES[name].too_short_s])
def test_a_criterion_that_does_not_last_changes_nothing(name):
    flight = Flight(name)
    flight.begin()
    assert not flight.fly(flight.case.too_short_s)
    flight.end()
    assert not flight.fly(60)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wanted", [Mode.IDLE, Mode.COMPUTE])
def test_safe_is_not_left_while_the_criterion_holds_and_the_refusal_names_it(name, wanted):
    flight = Flight(name).into_safe()
    flight.node.told("MODE_REFUSED")
    assert flight.fly(1, mode=wanted)
    (refused,) = flight.node.told("MODE_REFUSED")
    assert refused == {"wanted": wanted.name, "mode": "SAFE", "reason": name}
    assert flight.fly(1), "what was refused is not done later"


@pytest.mark.parametrize("name", NAMES)
def test_the_end_of_the_criterion_alone_does_not_end_safe_and_a_command_then_does(name):
    flight = Flight(name).into_safe()
    flight.end()
    node = flight.node
    assert node.fly(900, **HEALTHY).mode is Mode.SAFE
    assert node.fly(1, Wishes(mode=Mode.COMPUTE), **HEALTHY).mode is Mode.IDLE
    assert node.fly(7_200, **HEALTHY).mode is Mode.COMPUTE, "a flat battery takes a while"
    assert node.level > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activity", [Activity.SHADOW, Activity.DISABLED])
def test_a_criterion_that_the_ground_has_put_in_shadow_or_off_enters_no_safe_mode(name, activity):
    flight = Flight(name)
    flight.node.safety.table.set_activity(name, activity)
    flight.begin()
    assert not flight.fly(flight.case.within_s + 5)
    (row,) = [row for row in flight.node.safety.table.status() if row.name == name]
    assert (row.fired, row.shadow_fired) == (0, int(activity is Activity.SHADOW))


def test_no_case_is_about_a_row_that_does_not_enter_safe():
    assert set(CASES) == set(NAMES)


def safe_before(*, cause="die too hot"):
    """A node whose last run ended in SAFE."""
    return Node(stored={MEMORY: encode_kept(Kept(safe=cause))})


WAYS = {
    "as before, die too hot": (safe_before, {}),
    "boot failed": (Node, {"boot_failed": True}),
    "command": (computing, {"mode": Mode.SAFE}),
}
"""How SAFE is entered, by the cause in the mode table, beside the criteria above."""
INTO_SAFE = {row.cause for row in TRANSITIONS if row.target is Mode.SAFE} - {"criterion"}
INTO_SAFE = INTO_SAFE - {"as before"} | {"as before, die too hot"}


@pytest.mark.parametrize("cause", sorted(INTO_SAFE))
def test_every_way_into_safe_is_told_with_its_cause_and_left_by_command_alone(cause):
    make, wishes = WAYS[cause]
    node = make()
    assert node.fly(1, Wishes(**wishes)).mode is Mode.SAFE
    assert node.told("MODE_CHANGED")[-1]["cause"] == cause
    assert node.status.get().link_allowed
    assert node.fly(900).mode is Mode.SAFE
    assert node.fly(60, Wishes(mode=Mode.COMPUTE)).mode is Mode.COMPUTE


def test_a_beam_whose_switch_lies_is_told_to_go_out_each_second_and_the_link_stays_alive():
    node = computing()
    told = []
    node.devices.set_laser = lambda on: told.append(on) or 0
    status = node.fly(60, laser_mw=22_000)
    assert (status.mode, status.link_allowed) == (Mode.SAFE, True)
    assert node.told("TARGET_DRIFTED")[0]["part"] == "beam"
    assert told == [False] * (60 - DRIFT_S)
