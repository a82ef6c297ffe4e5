"""Fault protection of a flown node: what the ground sets, what drifts, and who is given up."""

import json

import numpy as np
import pytest
from short_flight import events, scenario

from flight.fdir.recovery_load import RecoveryLoad
from flight.telemetry.definitions import Mode
from flight.wire.product_packet import ProductClass
from hal.sample import ResetCause
from hil.sim_target import SimTarget

ROW = "payload does not obey"


def command(at_s, command, /, **arguments):
    return {"at_s": at_s, "action": "command", "command": command, "arguments": arguments}


def twice(at_s, name, /, **arguments):
    """A dangerous command, heard under two identities."""
    return [command(at_s, name, **arguments), command(at_s + 5.0, name, **arguments)]


def jammed(at_s, for_s):
    """The payload's switch sticks, and a second later it is told to go off."""
    return [
        {"at_s": at_s, "for_s": for_s, "action": "actuator_stuck", "actuator": "payload_level"},
        command(at_s + 1.0, "DISABLE_INFERENCE"),
    ]


def started(folder, kind=SimTarget, **changes):
    target = kind(scenario("slow-relay", **changes), folder)
    target.start()
    return target


def ended(target):
    target.advance(target.scenario.duration_s)
    target.finish()
    return target


def between(target, channel, from_s, to_s):
    recorder = target.world.recorder
    times = recorder.times()
    return recorder.column(channel)[(times >= from_s) & (times < to_s)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["beam-stuck", "engine-lost"])
def test_a_shipped_scenario_of_a_fault_holds_what_it_expects_and_can_be_flown_again(
    lumenode, tmp_path, name
):
    flown = lumenode("run", name, "--out", tmp_path / "run", "--json")
    assert flown.returncode == 0, flown.stderr
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert {each["verdict"] for each in summary["expectations"]} == {"pass"}
    again = lumenode("replay", tmp_path / "run")
    assert again.returncode == 0, again.stderr


def test_the_same_rule_in_shadow_logs_and_then_armed_acts_once(tmp_path):
    timeline = [
        *twice(60.0, "RECOVERY_SET_ACTIVITY", row=ROW, activity="SHADOW"),
        *jammed(90.0, for_s=30.0),
        command(130.0, "ENABLE_INFERENCE"),
        *twice(140.0, "RECOVERY_SET_ACTIVITY", row=ROW, activity="ACTIVE"),
        *jammed(160.0, for_s=60.0),
    ]
    target = ended(started(tmp_path, timeline=timeline))
    (shadowed,) = events(target, "RECOVERY_SHADOWED")
    (fired,) = events(target, "RECOVERY_FIRED")
    assert 100.0 <= shadowed.t_s <= 105.0
    assert 170.0 <= fired.t_s <= 185.0
    assert Mode.SAFE not in between(target, "mode.current", 10.0, 169.0)
    assert set(between(target, "mode.current", fired.t_s + 1.0, 300.0)) == {Mode.SAFE}
    counts = [f"recovery.{ROW.replace(' ', '_')}{end}" for end in ("_shadow", "_fired")]
    assert [between(target, each, 290.0, 300.0)[-1] for each in counts] == [1, 1]


def test_a_set_that_the_ground_loads_gives_a_row_its_sequence_and_the_fault_starts_it(tmp_path):
    fault = {"at_s": 150.0, "for_s": 20.0, "action": "sensor_lost", "sensor": "die_mdegc"}
    target = started(tmp_path, timeline=[fault])
    target.advance(60.0)
    wanted = {"recoveries": {"die not measured": {"sequence": "restart-payload"}}}
    target.world.ground.upload("recoveries", RecoveryLoad.version, json.dumps(wanted).encode())
    ended(target)
    assert [e.args["kind"] for e in events(target, "LOAD_CHANGED")] == ["recoveries"]
    (fired,) = events(target, "RECOVERY_FIRED")
    assert fired.args == {
        "condition": "die.stale",
        "response": "shed_payload, sequence restart-payload",
    }
    (begun,) = events(target, "SEQUENCE_STARTED")
    assert (begun.args["name"], begun.t_s) == ("restart-payload", fired.t_s)
    steps = [(e.args["step"], e.t_s - fired.t_s) for e in events(target, "SEQUENCE_STEP")]
    assert steps == [(1, pytest.approx(0.5, abs=1.0)), (2, pytest.approx(60.5, abs=1.0))]
    assert len(events(target, "SEQUENCE_ENDED")) == 1


def test_a_beam_that_should_be_dark_is_put_out_the_node_is_safe_and_the_ground_gives_it_back(
    tmp_path,
):
    timeline = [
        {"at_s": 230.0, "for_s": 90.0, "action": "actuator_stuck", "actuator": "laser"},
        command(680.0, "SET_MODE", mode="COMPUTE"),
    ]
    target = ended(started(tmp_path, timeline=timeline, duration_s=900.0))
    drifted, measured = events(target, "TARGET_DRIFTED")
    assert (drifted.args["part"], drifted.args["need"]) == ("laser", "dark outside contacts")
    assert measured.args["part"] == "beam", "what it draws says so too"
    assert drifted.t_s == pytest.approx(270.0, abs=2.0)
    lit = between(target, "power.laser_w", 0.0, 630.0) > 1.0
    assert lit[300:320].all(), "the switch sticks"
    assert not lit[323:].any(), "it goes out with the first word that gets through"
    changes = [(e.args["new"], e.args["cause"]) for e in events(target, "MODE_CHANGED")]
    assert ("SAFE", "laser does not obey") in changes
    back = changes.index(("IDLE", "command"))
    assert changes[back + 1] == ("DOWNLINK", "contact")
    assert not (between(target, "governor.level", 275.0, 640.0) > 0).any()


class WithoutDownlink(SimTarget):
    """A node whose contact loop cannot be made in its first life."""

    def _compose(self):
        node = super()._compose()
        if not self.resets:
            node._downlink_service = broken
        return node


class WithoutCycle(SimTarget):
    """A node whose control cycle fails at every step of its first life."""

    def _compose(self):
        node = super()._compose()
        if not self.resets:
            node.executive.step = broken
        return node


def broken(*_args):
    raise OSError("broken")


@pytest.mark.parametrize(
    ("kind", "service"), [(WithoutDownlink, "downlink"), (WithoutCycle, "main")]
)
def test_a_critical_service_given_up_ends_in_safe_with_the_link_alive_and_is_left_by_command(
    tmp_path, kind, service
):
    timeline = [
        command(60.0, "SET_PARAMETER", name="telemetry.period_s", value=2.0),
        command(150.0, "SET_MODE", mode="COMPUTE"),
    ]
    target = ended(started(tmp_path, kind, timeline=timeline))
    (given_up,) = events(target, "SERVICE_GIVEN_UP")
    assert given_up.args["name"] == service
    gaps = np.diff([e.t_s for e in events(target, "SERVICE_FAILED")])
    assert len(gaps) == 5
    assert all(gaps[1:] >= gaps[:-1]), "begun anew ever later"
    assert gaps[-1] >= 8.0
    assert [cause for _, cause in target.resets] == ["watchdog"]
    changes = [(e.args["old"], e.args["new"], e.args["cause"], e.t_s)
               for e in events(target, "MODE_CHANGED")]  # fmt: skip
    safe = next(i for i, change in enumerate(changes) if change[1] == "SAFE")
    assert changes[safe][0] == "BOOT"
    assert changes[safe][2] == f"as before, {service} was given up"
    assert [each["cause"] for each in reports(tmp_path)] == [f"{service} was given up"]
    (done,) = events(target, "PARAMETER_SET")
    assert done.args["name"] == "telemetry.period_s"
    assert changes[safe][3] < done.t_s < changes[safe + 1][3], "it is answered in SAFE"
    assert changes[safe + 1][1:3] == ("IDLE", "command")


def reports(folder):
    """Reports of anomalies that have arrived on the ground, oldest first."""
    return [json.loads(each.read_text()) for each in sorted(folder.glob("products/*.report"))]


def waiting(target):
    """Reports in the node's queue."""
    queued = target.node.queue._entries.values()
    return [e.product for e in queued if e.product.klass is ProductClass.EMERGENCY]


def test_the_report_of_a_fault_is_the_next_product_on_the_line_though_inference_is_down(tmp_path):
    timeline = [
        {"at_s": 48.0, "for_s": 250.0, "action": "actuator_stuck", "actuator": "payload_level"},
        {"at_s": 50.0, "for_s": 250.0, "action": "engine_lost"},
    ]
    target = started(tmp_path, timeline=timeline)
    target.advance(100.0)
    queue, chosen = target.node.queue, []
    fill(target)
    choose = queue.next_segment

    def witness(now_ns, max_bytes, **how):
        segment = choose(now_ns, max_bytes, **how)
        if segment is not None:
            chosen.append((now_ns / 1e9, queue.product(segment.product_id).name))
        return segment

    queue.next_segment = witness
    ended(target)
    (safe,) = [e for e in events(target, "MODE_CHANGED") if e.args["new"] == "SAFE"]
    assert [e.args["name"] for e in events(target, "SERVICE_GIVEN_UP")] == ["inference"]
    before = [name for at_s, name in chosen if at_s < safe.t_s]
    after = [name for at_s, name in chosen if at_s > safe.t_s]
    assert before[-1] == after[1] == "large.bin", "the line was busy"
    assert after[0].startswith("anomaly-")
    (told,) = reports(tmp_path)
    assert (told["cause"], told["t_ns"]) == (ROW, round(safe.t_s * 1e9))
    assert "MODE_CHANGED" in [each["name"] for each in told["events"]]
    assert told["recoveries"]


def fill(target):
    """Something large on the line, worth more than all that is made."""
    now_ns = round(target.now_s * 1e9)
    intake = target.node._downlink.intake
    assert intake.submit(
        name="large.bin", klass=ProductClass.RAW, payload=bytes(2_000_000),
        value_millis=10**12, deadline_ns=None, now_ns=now_ns,
    )  # fmt: skip
    intake.finish(now_ns)


def test_the_report_of_a_fault_outlives_resets_on_board_and_is_not_made_again_by_them(tmp_path):
    timeline = [
        {"at_s": 18.0, "for_s": 250.0, "action": "actuator_stuck", "actuator": "payload_level"},
        {"at_s": 20.0, "for_s": 400.0, "action": "engine_lost"},
    ]
    flown = scenario("calern-pass", timeline=timeline, node={"camera": {"cadence_s": 2.0}})
    target = SimTarget(flown, tmp_path)
    target.start()
    target.advance(88.0)
    assert len(waiting(target)) == 1
    for _ in range(2):
        target._reset_node(ResetCause.POWER_CUT)
        target.advance(target.now_s + 1.0)
        while target.node is None:
            target.advance(target.now_s + 1.0)
        target.advance(target.now_s + 1.0)
        assert len(waiting(target)) == 1
    assert not reports(tmp_path), "there has been no line yet"
    ended(target)
    assert len(events(target, "BOOTED")) == 3
    (told,) = reports(tmp_path)
    assert told["cause"] == ROW


def test_a_payload_that_is_given_up_costs_the_payload_alone_and_comes_back_by_the_grounds_word(
    tmp_path,
):
    timeline = [
        {"at_s": 50.0, "for_s": 125.0, "action": "engine_lost"},
        *twice(190.0, "SET_HEALTH", component="inference", word="CLEAR"),
    ]
    target = ended(started(tmp_path, timeline=timeline))
    words = [e.args["new"] for e in events(target, "HEALTH_CHANGED")]
    assert words == ["needs_recovery", "faulty", "needs_recovery", "healthy"]
    faulty, cleared = [e.t_s for e in events(target, "HEALTH_CHANGED")][1:3]
    rested = between(target, "governor.level", faulty + 2.0, cleared)
    assert rested.size > 20
    assert not rested.any()
    assert between(target, "governor.level", 205.0, 300.0).any()
    assert Mode.SAFE not in between(target, "mode.current", 10.0, 300.0)
    assert len(events(target, "RECOVERY_FIRED")) == 1
